package wxapi

import "strings"

const (
	clearQuotaDoc = "https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html"
	getQuotaDoc   = "https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html"
	getRIDDoc     = "https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html"
)

// clearClasses: the 10 times are a month's, so that tomorrow is no better than
// now.
var clearClasses = map[int]Class{48006: ClassPermanent}

// GetAPIQuota tells how often one API may be called today, and how often it
// has been (查询API调用额度).
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html
var GetAPIQuota = define[GetAPIQuotaRequest, GetAPIQuotaResponse](Row{
	Name: "get_api_quota", Method: "POST", Path: "/cgi-bin/openapi/quota/get", Retry: Read,
	Proof: []string{"quota"}, Doc: getQuotaDoc, checks: checkCGIPath,
})

// GetAPIQuotaRequest names the API by its path: /cgi-bin/message/custom/send.
type GetAPIQuotaRequest struct {
	CGIPath string `json:"cgi_path" wx:"required"`
}

// GetAPIQuotaResponse has what there is of limits.
type GetAPIQuotaResponse struct {
	Quota              Quota      `json:"quota"`
	RateLimit          *RateLimit `json:"rate_limit,omitempty"`
	ComponentRateLimit *RateLimit `json:"component_rate_limit,omitempty"`
}

// Quota is an API's calls of one day, which begins at 00:00 UTC+8.
type Quota struct {
	DailyLimit int64 `json:"daily_limit"`
	Used       int64 `json:"used"`
	Remain     int64 `json:"remain"`
}

// RateLimit is how often an API may be called in how many seconds.
type RateLimit struct {
	CallCount     int64 `json:"call_count"`
	RefreshSecond int64 `json:"refresh_second"`
}

// checkCGIPath: cgi_path 不需要携带域名和query: a path alone; anything else is 76021.
func checkCGIPath(in *object) *RequestError {
	if path := in.text("cgi_path"); !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return refuse("cgi_path", "must be a path alone, without host and query, such as /cgi-bin/message/custom/send")
	}
	return nil
}

// ClearQuota sets today's count of calls of all APIs to zero, 10 times a month
// (清空API调用额度); then it is 48006.
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html
var ClearQuota = define[ClearQuotaRequest, ClearQuotaResponse](Row{
	Name: "clear_quota", Method: "POST", Path: "/cgi-bin/clear_quota", Classes: clearClasses, Doc: clearQuotaDoc,
	amend: func(c *Client, in *object) { in.set("appid", c.config.AppID) },
})

// ClearQuotaRequest is empty: the appid comes from the configuration.
type ClearQuotaRequest struct{}

// ClearQuotaResponse is empty.
type ClearQuotaResponse struct{}

// ClearQuotaBySecret is [ClearQuota] with the AppSecret, for when even the calls
// for tokens are used up. The 10 times a month are the same ones.
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html
var ClearQuotaBySecret = define[ClearQuotaBySecretRequest, ClearQuotaBySecretResponse](Row{
	Name: "clear_quota_by_secret", Method: "POST", Path: "/cgi-bin/clear_quota/v2", Auth: AppSecret, Body: Query,
	Classes: clearClasses, Doc: clearQuotaDoc, secretName: "appsecret",
})

// ClearQuotaBySecretRequest is empty: both come from the configuration.
type ClearQuotaBySecretRequest struct{}

// ClearQuotaBySecretResponse is empty.
type ClearQuotaBySecretResponse struct{}

// ClearAPIQuota sets today's count of calls of one API to zero, 50 times a month.
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/clear_quota.html
var ClearAPIQuota = define[ClearAPIQuotaRequest, ClearAPIQuotaResponse](Row{
	Name: "clear_api_quota", Method: "POST", Path: "/cgi-bin/openapi/quota/clear", Classes: clearClasses, Doc: clearQuotaDoc,
	checks: checkCGIPath,
})

// ClearAPIQuotaRequest names the API by its path: /cgi-bin/message/custom/send.
type ClearAPIQuotaRequest struct {
	CGIPath string `json:"cgi_path" wx:"required"`
}

// ClearAPIQuotaResponse is empty.
type ClearAPIQuotaResponse struct{}

// GetRID tells what WeChat knows about a request, by the rid that stood in the
// errmsg (查询rid信息).
//
// It works for the account's own requests of the last 7 days; 76001 is an
// unknown rid, 76002 another account's. The answer quotes the request, which may
// have had credentials.
//
// https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html
var GetRID = define[GetRIDRequest, GetRIDResponse](Row{
	Name: "get_rid", Method: "POST", Path: "/cgi-bin/openapi/rid/get", CallOnly: true, Retry: Read,
	Proof: []string{"request"}, Doc: getRIDDoc,
})

// GetRIDRequest names the request: 61725984-6126f6f9-040f19c4.
type GetRIDRequest struct {
	RID string `json:"rid" wx:"required"`
}

// GetRIDResponse has the request.
type GetRIDResponse struct {
	Request LoggedRequest `json:"request"`
}

// LoggedRequest is one request as WeChat has logged it.
type LoggedRequest struct {
	InvokeTime   int64  `json:"invoke_time"` // Unix seconds
	CostInMS     int64  `json:"cost_in_ms"`
	RequestURL   string `json:"request_url"` // its query
	RequestBody  string `json:"request_body"`
	ResponseBody string `json:"response_body"`
	ClientIP     string `json:"client_ip"`
}
