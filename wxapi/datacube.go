package wxapi

import "time"

const (
	userDataDoc      = "https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html"
	interfaceDataDoc = "https://developers.weixin.qq.com/doc/offiaccount/Analytics/Analytics_API.html"
)

// DateRange is the days of a question to the data cube (数据统计), both of them
// included, in China's time. The last one can be yesterday at most, and how many
// there may be differs; 61501 says that it was not so.
type DateRange struct {
	BeginDate string `json:"begin_date" wx:"required"` // 2014-12-02
	EndDate   string `json:"end_date" wx:"required"`
}

// days is the check of a DateRange.
func days(most int) func(in *object) *RequestError {
	return func(in *object) *RequestError {
		var date [2]time.Time
		for i, key := range []string{"begin_date", "end_date"} {
			var err error
			if date[i], err = time.Parse(time.DateOnly, in.text(key)); err != nil {
				return refuse(key, "must be a date such as 2014-12-02")
			}
		}
		switch n := int(date[1].Sub(date[0]).Hours()/24) + 1; {
		case n < 1:
			return refuse("end_date", "is before begin_date")
		case n > most:
			return refuse("end_date", "makes it %d days, at most %d are allowed", n, most)
		}
		return nil
	}
}

// GetUserSummary tells how many began and ceased to follow on up to 7 days, by
// where they came from (用户增减数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html
var GetUserSummary = define[DateRange, GetUserSummaryResponse](Row{
	Name: "get_user_summary", Method: "POST", Path: "/datacube/getusersummary", Retry: Read,
	Proof: []string{"list"}, Doc: userDataDoc, checks: days(7),
})

// GetUserSummaryResponse has the days.
type GetUserSummaryResponse struct {
	List []UserSummary `json:"list"`
}

// UserSummary is one source of followers on one day: 0 others, 1 a search, 17 a
// card, 30 a QR code, 43 the menu of an article, 51 after a payment, 57 the
// account's name in an article, 75 an advertisement, 78 friends' moments.
type UserSummary struct {
	RefDate    string `json:"ref_date"`
	UserSource int    `json:"user_source"`
	NewUser    int64  `json:"new_user"`
	CancelUser int64  `json:"cancel_user"`
}

// GetUserCumulate tells how many followed at the end of up to 7 days (累计用户数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/User_Analysis_Data_Interface.html
var GetUserCumulate = define[DateRange, GetUserCumulateResponse](Row{
	Name: "get_user_cumulate", Method: "POST", Path: "/datacube/getusercumulate", Retry: Read,
	Proof: []string{"list"}, Doc: userDataDoc, checks: days(7),
})

// GetUserCumulateResponse has the days.
type GetUserCumulateResponse struct {
	List []UserCumulate `json:"list"`
}

// UserCumulate is one day.
type UserCumulate struct {
	RefDate      string `json:"ref_date"`
	UserSource   int    `json:"user_source,omitempty"`
	CumulateUser int64  `json:"cumulate_user"`
}

// GetInterfaceSummary tells how the account's server did on up to 30 days
// (接口分析数据): how often WeChat called it, how often in vain, and how long that took.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Analytics_API.html
var GetInterfaceSummary = define[DateRange, InterfaceSummaryResponse](Row{
	Name: "get_interface_summary", Method: "POST", Path: "/datacube/getinterfacesummary", Retry: Read,
	Proof: []string{"list"}, Doc: interfaceDataDoc, checks: days(30),
})

// GetInterfaceSummaryHour is [GetInterfaceSummary] of one day, by its hours.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Analytics_API.html
var GetInterfaceSummaryHour = define[DateRange, InterfaceSummaryResponse](Row{
	Name: "get_interface_summary_hour", Method: "POST", Path: "/datacube/getinterfacesummaryhour", Retry: Read,
	Proof: []string{"list"}, Doc: interfaceDataDoc, checks: days(1),
})

// InterfaceSummaryResponse has the days or hours.
type InterfaceSummaryResponse struct {
	List []InterfaceSummary `json:"list"`
}

// InterfaceSummary is one day, or an hour of it. The average is TotalTimeCost by
// CallbackCount.
type InterfaceSummary struct {
	RefDate       string `json:"ref_date"`
	RefHour       int    `json:"ref_hour,omitempty"` // 0, 100 to 2300
	CallbackCount int64  `json:"callback_count"`
	FailCount     int64  `json:"fail_count"`
	TotalTimeCost int64  `json:"total_time_cost"` // milliseconds
	MaxTimeCost   int64  `json:"max_time_cost"`   // milliseconds
}
