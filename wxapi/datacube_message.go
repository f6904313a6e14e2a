package wxapi

const messageDataDoc = "https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html"

// GetUpstreamMsg tells how many wrote how much to the account on up to 7 days
// (消息发送概况数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsg = define[DateRange, UpstreamMsgResponse](Row{
	Name: "get_upstream_msg", Method: "POST", Path: "/datacube/getupstreammsg", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(7),
})

// GetUpstreamMsgHour is [GetUpstreamMsg] of one day, by its hours.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgHour = define[DateRange, UpstreamMsgResponse](Row{
	Name: "get_upstream_msg_hour", Method: "POST", Path: "/datacube/getupstreammsghour", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(1),
})

// GetUpstreamMsgWeek is [GetUpstreamMsg] of up to 30 days, by the weeks that
// begin in them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgWeek = define[DateRange, UpstreamMsgResponse](Row{
	Name: "get_upstream_msg_week", Method: "POST", Path: "/datacube/getupstreammsgweek", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(30),
})

// GetUpstreamMsgMonth is [GetUpstreamMsg] of up to 30 days, by the months that
// begin in them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgMonth = define[DateRange, UpstreamMsgResponse](Row{
	Name: "get_upstream_msg_month", Method: "POST", Path: "/datacube/getupstreammsgmonth", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(30),
})

// UpstreamMsgResponse has hours, days, weeks or months.
type UpstreamMsgResponse struct {
	List []UpstreamMsg `json:"list"`
}

// UpstreamMsg is one type of messages in an hour, a day, a week or a month:
// 1 text, 2 image, 3 voice, 4 video, 6 a link to other applications.
type UpstreamMsg struct {
	RefDate  string `json:"ref_date"`           // its first day
	RefHour  int    `json:"ref_hour,omitempty"` // 0, 100 to 2300
	MsgType  int    `json:"msg_type"`
	MsgUser  int64  `json:"msg_user"`
	MsgCount int64  `json:"msg_count"`
}

// GetUpstreamMsgDist tells how many wrote how often to the account on up to 15
// days (消息发送分布数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgDist = define[DateRange, UpstreamMsgDistResponse](Row{
	Name: "get_upstream_msg_dist", Method: "POST", Path: "/datacube/getupstreammsgdist", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(15),
})

// GetUpstreamMsgDistWeek is [GetUpstreamMsgDist] of up to 30 days, by the weeks
// that begin in them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgDistWeek = define[DateRange, UpstreamMsgDistResponse](Row{
	Name: "get_upstream_msg_dist_week", Method: "POST", Path: "/datacube/getupstreammsgdistweek", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(30),
})

// GetUpstreamMsgDistMonth is [GetUpstreamMsgDist] of up to 30 days, by the months
// that begin in them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Message_analysis_data_interface.html
var GetUpstreamMsgDistMonth = define[DateRange, UpstreamMsgDistResponse](Row{
	Name: "get_upstream_msg_dist_month", Method: "POST", Path: "/datacube/getupstreammsgdistmonth", Retry: Read,
	Proof: []string{"list"}, Doc: messageDataDoc, checks: days(30),
})

// UpstreamMsgDistResponse has days, weeks or months.
type UpstreamMsgDistResponse struct {
	List []UpstreamMsgDist `json:"list"`
}

// UpstreamMsgDist is how many wrote that often: 0 not at all, 1 one to 5 times,
// 2 six to 10 times, 3 more than 10 times.
type UpstreamMsgDist struct {
	RefDate       string `json:"ref_date"` // its first day
	CountInterval int    `json:"count_interval"`
	MsgUser       int64  `json:"msg_user"`
}
