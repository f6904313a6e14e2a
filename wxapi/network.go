package wxapi

// GetCallbackIP lists the addresses from which WeChat calls the account's
// server (获取微信callback IP地址). They change; ask once a day.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
var GetCallbackIP = define[GetCallbackIPRequest, IPList](Row{
	Name: "get_callback_ip", Method: "GET", Path: "/cgi-bin/getcallbackip", Body: Query, Retry: Read,
	Proof: []string{"ip_list"}, Doc: addressDoc,
})

const addressDoc = "https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html"

// GetCallbackIPRequest is empty.
type GetCallbackIPRequest struct{}

// IPList has addresses (127.0.0.1) and networks (101.226.103.0/25), mixed.
type IPList struct {
	IPList []string `json:"ip_list"`
}

// GetAPIDomainIP lists the addresses behind WeChat's API (获取微信API接口
// IP地址), for firewalls. They change; ask once a day.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_the_WeChat_server_IP_address.html
var GetAPIDomainIP = define[GetAPIDomainIPRequest, IPList](Row{
	Name: "get_api_domain_ip", Method: "GET", Path: "/cgi-bin/get_api_domain_ip", Body: Query, Retry: Read,
	Proof: []string{"ip_list"}, Doc: addressDoc,
})

// GetAPIDomainIPRequest is empty.
type GetAPIDomainIPRequest struct{}

// CheckCallback has WeChat look up and ping the account's callback address
// (网络检测).
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html
var CheckCallback = define[CheckCallbackRequest, CheckCallbackResponse](Row{
	Name: "check_callback", Method: "POST", Path: "/cgi-bin/callback/check", Retry: Read,
	Proof: []string{"dns", "ping"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Network_Detection.html",
})

// CheckCallbackRequest says what is tried and from whose network: CHINANET,
// UNICOM, CAP (Tencent), or DEFAULT, which takes the address's own.
type CheckCallbackRequest struct {
	Action        string `json:"action" wx:"required,one=all|dns|ping"`
	CheckOperator string `json:"check_operator" wx:"required,one=DEFAULT|CHINANET|UNICOM|CAP"`
}

// CheckCallbackResponse has what was tried.
type CheckCallbackResponse struct {
	DNS  []DNSCheck  `json:"dns,omitempty"`
	Ping []PingCheck `json:"ping,omitempty"`
}

// DNSCheck is an address that the callback's name stands for.
type DNSCheck struct {
	IP           string `json:"ip"`
	RealOperator string `json:"real_operator"`
}

// PingCheck is how such an address answers.
type PingCheck struct {
	IP           string `json:"ip"`
	FromOperator string `json:"from_operator"`
	PackageLoss  string `json:"package_loss"` // 0%
	Time         string `json:"time"`         // 23.079ms
}
