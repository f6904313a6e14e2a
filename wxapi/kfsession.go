package wxapi

const (
	kfSessionDoc  = "https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html"
	kfMessagesDoc = "https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Obtain_chat_transcript.html"
)

// CreateKFSession connects a follower with an agent, who must be at work
// (65415). That another agent has them already is 65414.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
var CreateKFSession = define[CreateKFSessionRequest, CreateKFSessionResponse](Row{
	Name: "create_kf_session", Method: "POST", Path: "/customservice/kfsession/create", Lane: "openid", Doc: kfSessionDoc,
})

// CreateKFSessionRequest says who serves whom.
type CreateKFSessionRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	OpenID    string `json:"openid" wx:"required,openid"`
}

// CreateKFSessionResponse is empty.
type CreateKFSessionResponse struct{}

// CloseKFSession ends the session of a follower with an agent.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
var CloseKFSession = define[CloseKFSessionRequest, CloseKFSessionResponse](Row{
	Name: "close_kf_session", Method: "POST", Path: "/customservice/kfsession/close", Lane: "openid", Doc: kfSessionDoc,
})

// CloseKFSessionRequest says whose session ends.
type CloseKFSessionRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	OpenID    string `json:"openid" wx:"required,openid"`
}

// CloseKFSessionResponse is empty.
type CloseKFSessionResponse struct{}

// GetKFSession tells which agent a follower is with.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
var GetKFSession = define[GetKFSessionRequest, GetKFSessionResponse](Row{
	Name: "get_kf_session", Method: "GET", Path: "/customservice/kfsession/getsession", Body: Query, Retry: Read, Lane: "openid",
	Proof: []string{"kf_account", "createtime"}, Doc: kfSessionDoc,
})

// GetKFSessionRequest names the follower.
type GetKFSessionRequest struct {
	OpenID string `json:"openid" wx:"required,openid"`
}

// GetKFSessionResponse has the agent, "" for none, and when it began.
type GetKFSessionResponse struct {
	CreateTime int64  `json:"createtime"`
	KFAccount  string `json:"kf_account"`
}

// GetKFSessionList lists the sessions of an agent.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
var GetKFSessionList = define[GetKFSessionListRequest, GetKFSessionListResponse](Row{
	Name: "get_kf_session_list", Method: "GET", Path: "/customservice/kfsession/getsessionlist", Body: Query, Retry: Read,
	Proof: []string{"sessionlist"}, Doc: kfSessionDoc,
})

// GetKFSessionListRequest names the agent.
type GetKFSessionListRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
}

// GetKFSessionListResponse has the sessions.
type GetKFSessionListResponse struct {
	SessionList []KFSession `json:"sessionlist"`
}

// KFSession is a follower who is with an agent.
type KFSession struct {
	CreateTime int64  `json:"createtime"`
	OpenID     string `json:"openid"`
}

// GetKFWaitCases lists followers who wait for an agent, at most 100 of them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
var GetKFWaitCases = define[GetKFWaitCasesRequest, GetKFWaitCasesResponse](Row{
	Name: "get_kf_wait_cases", Method: "GET", Path: "/customservice/kfsession/getwaitcase", Body: Query, Retry: Read,
	Proof: []string{"waitcaselist", "count"}, Doc: kfSessionDoc,
})

// GetKFWaitCasesRequest is empty.
type GetKFWaitCasesRequest struct{}

// GetKFWaitCasesResponse has the first who wait, and how many there are.
type GetKFWaitCasesResponse struct {
	Count        int64        `json:"count"`
	WaitCaseList []KFWaitCase `json:"waitcaselist"`
}

// KFWaitCase is a follower who waits, and when they last wrote.
type KFWaitCase struct {
	LatestTime int64  `json:"latest_time"`
	OpenID     string `json:"openid"`
}

// GetKFMessages lists what agents and followers have written to each other, of
// at most 24 hours and 10,000 messages at a time (获取聊天记录).
//
// For the next page take MsgID of this one's answer; a page with fewer than
// Number messages is the last.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Obtain_chat_transcript.html
var GetKFMessages = define[GetKFMessagesRequest, GetKFMessagesResponse](Row{
	Name: "get_kf_messages", Method: "POST", Path: "/customservice/msgrecord/getmsglist", Retry: Read,
	Proof: []string{"recordlist", "number"}, Doc: kfMessagesDoc, checks: checkKFMessages,
})

// GetKFMessagesRequest says which messages. The first page has MsgID 1.
type GetKFMessagesRequest struct {
	StartTime int64 `json:"starttime" wx:"required"` // Unix seconds
	EndTime   int64 `json:"endtime" wx:"required"`
	MsgID     ID    `json:"msgid" wx:"required,id"`
	Number    int   `json:"number" wx:"required"`
}

// GetKFMessagesResponse has one page.
type GetKFMessagesResponse struct {
	RecordList []KFMessage `json:"recordlist"`
	Number     int64       `json:"number"`
	MsgID      ID          `json:"msgid"` // for the next page
}

// KFMessage is one message: OperCode 2002 is the agent's, 2003 the follower's.
type KFMessage struct {
	OpenID   string `json:"openid"`
	OperCode int    `json:"opercode"`
	Text     string `json:"text"`
	Time     int64  `json:"time"`
	Worker   string `json:"worker"` // the kf_account
}

const secondsOfDay = 24 * 60 * 60

// checkKFMessages: 每次查询时段不能超过24小时; 每次获取条数，最多10000条.
func checkKFMessages(in *object) *RequestError {
	switch length := in.whole("endtime") - in.whole("starttime"); {
	case length < 0:
		return refuse("endtime", "is before starttime")
	case length > secondsOfDay:
		return refuse("endtime", "is %d seconds after starttime, at most %d (24 hours) are allowed", length, secondsOfDay)
	}
	return within("number", 1, 10_000)(in)
}
