package wxapi

import "net/url"

const oneTimeDoc = "https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html"

// GetOneTimeURL tells where a web page sends somebody to be asked for one message
// (一次性订阅消息); it calls nobody. WeChat comes back to the redirect_url with
// openid, template_id, action (confirm or cancel), scene and reserved.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html
var GetOneTimeURL = define[GetOneTimeURLRequest, GetOneTimeURLResponse](Row{
	Name: "get_one_time_url", Auth: AppID, Body: Local, Retry: Read, Doc: oneTimeDoc,
	checks: all(within("scene", 0, maxScene), wholeAddress("redirect_url")), local: oneTimeURL,
})

// maxScene: 开发者可以填0-10000的整型值，用来标识订阅场景值.
const maxScene = 10_000

// GetOneTimeURLRequest says what is asked and where to come back to, in a domain
// that is set on the console. Scene, 0 to 10000, is yours to choose, and Reserved
// comes back as it is.
type GetOneTimeURLRequest struct {
	Scene       string `json:"scene" wx:"required,id"`
	TemplateID  string `json:"template_id" wx:"required"`
	RedirectURL string `json:"redirect_url" wx:"required"`
	Reserved    string `json:"reserved,omitempty" wx:"max=128"`
}

// GetOneTimeURLResponse has the address.
type GetOneTimeURLResponse struct {
	URL string `json:"url"`
}

func oneTimeURL(c *Client, in *object) (*object, *RequestError) {
	u := c.mp.JoinPath("/mp/subscribemsg")
	u.RawQuery = "action=get_confirm&appid=" + url.QueryEscape(c.config.AppID) + "&scene=" + in.text("scene") +
		"&template_id=" + url.QueryEscape(in.text("template_id")) + "&redirect_url=" + url.QueryEscape(in.text("redirect_url"))
	if reserved := in.text("reserved"); reserved != "" {
		u.RawQuery += "&reserved=" + url.QueryEscape(reserved)
	}
	return &object{members: []member{{"url", u.String() + "#wechat_redirect"}}}, nil
}

// SendOneTimeMessage sends the one message that somebody has agreed to on
// WeChat's page for it (一次性订阅消息). They need not follow the account.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html
var SendOneTimeMessage = define[SendOneTimeMessageRequest, SendOneTimeMessageResponse](Row{
	Name: "send_one_time_message", Method: "POST", Path: "/cgi-bin/message/template/subscribe", Lane: "touser",
	Doc: oneTimeDoc, checks: within("scene", 0, maxScene),
})

// SendOneTimeMessageRequest has the scene that stood in the page's URL, 0 to
// 10000, and the message. Value has at most 200 characters.
type SendOneTimeMessageRequest struct {
	ToUser      string         `json:"touser" wx:"required,openid"`
	TemplateID  string         `json:"template_id" wx:"required"`
	URL         string         `json:"url,omitempty"`
	MiniProgram *MiniProgram   `json:"miniprogram,omitempty"`
	Scene       string         `json:"scene" wx:"required,id"`
	Title       string         `json:"title" wx:"required,runes=15"`
	Data        OneTimeMessage `json:"data" wx:"required"`
}

// OneTimeMessage is all that such a message says.
type OneTimeMessage struct {
	Content OneTimeContent `json:"content" wx:"required"`
}

// OneTimeContent is a text and its color (#ff0000).
type OneTimeContent struct {
	Value string `json:"value" wx:"required,runes=200"`
	Color string `json:"color,omitempty"`
}

// SendOneTimeMessageResponse is empty.
type SendOneTimeMessageResponse struct{}
