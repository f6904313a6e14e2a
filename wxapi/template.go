package wxapi

import (
	"strings"
	"time"
)

const templateDoc = "https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html"

// templateKeyLife is how long WeChat knows a client_msg_id.
const templateKeyLife = 10 * time.Minute

// SendTemplateMessage sends a follower a message made from one of the account's
// templates (模板消息).
//
// A service account may send 100,000 a day, more with many followers. A
// ClientMsgID makes a repetition within 10 minutes harmless. Whether the message
// arrived comes later, as the event TEMPLATESENDJOBFINISH with the msgid.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var SendTemplateMessage = define[SendTemplateMessageRequest, SendTemplateMessageResponse](Row{
	Name: "send_template_message", Method: "POST", Path: "/cgi-bin/message/template/send", Lane: "touser",
	Retry: Keyed, Key: "client_msg_id", KeyLife: templateKeyLife,
	Proof: []string{"msgid"}, Doc: templateDoc, checks: checkTemplateData,
})

// SendTemplateMessageRequest fills a template in for one follower. A tap opens
// the mini program, or the URL where there is none or the phone knows none.
type SendTemplateMessageRequest struct {
	ToUser      string                   `json:"touser" wx:"required,openid"`
	TemplateID  string                   `json:"template_id" wx:"required"`
	URL         string                   `json:"url,omitempty"`
	MiniProgram *MiniProgram             `json:"miniprogram,omitempty"`
	ClientMsgID string                   `json:"client_msg_id,omitempty"`
	Data        map[string]TemplateValue `json:"data" wx:"required"` // by the names in the template
}

// MiniProgram is a page of a mini program that is linked with the account.
type MiniProgram struct {
	AppID    string `json:"appid" wx:"required"`
	PagePath string `json:"pagepath,omitempty"`
}

// TemplateValue stands in the place of {{name.DATA}}. WeChat no longer shows
// the color.
type TemplateValue struct {
	Value string `json:"value"`
	Color string `json:"color,omitempty"`
}

// SendTemplateMessageResponse has the id by which the event will name the
// message.
type SendTemplateMessageResponse struct {
	MsgID ID `json:"msgid"`
}

// checkTemplateData: data is {"name":{"value":"…"}}. WeChat ignores what it does
// not understand, and the follower gets an empty message.
func checkTemplateData(in *object) *RequestError {
	v, _ := in.get("data")
	data, ok := v.(*object)
	if !ok {
		return refuse("data", `must be an object, such as {"name":{"value":"…"}}`)
	}
	for _, m := range data.members {
		at := join("data", m.key)
		entry, ok := m.value.(*object)
		if !ok {
			return refuse(at, `must be an object with a value, such as {"value":"…"}`)
		}
		value, ok := entry.get("value")
		if _, isScalar := scalar(value); !ok || !isScalar {
			return refuse(join(at, "value"), "must be a string")
		}
		if strings.ContainsAny(m.key, "{}") {
			return refuse(at, "must be the name alone: k of {{k.DATA}}")
		}
	}
	return nil
}

// SetIndustry says in which two trades the account is (所属行业), which once
// decided what templates there are. It can be changed once a month (43100).
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var SetIndustry = define[SetIndustryRequest, SetIndustryResponse](Row{
	Name: "set_industry", Method: "POST", Path: "/cgi-bin/template/api_set_industry", Doc: templateDoc,
})

// SetIndustryRequest has the numbers from WeChat's table of trades.
type SetIndustryRequest struct {
	IndustryID1 string `json:"industry_id1" wx:"required,id"`
	IndustryID2 string `json:"industry_id2" wx:"required,id"`
}

// SetIndustryResponse is empty.
type SetIndustryResponse struct{}

// GetIndustry tells the account's two trades.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var GetIndustry = define[GetIndustryRequest, GetIndustryResponse](Row{
	Name: "get_industry", Method: "GET", Path: "/cgi-bin/template/get_industry", Body: Query, Retry: Read,
	Proof: []string{"primary_industry", "secondary_industry"}, Doc: templateDoc,
})

// GetIndustryRequest is empty.
type GetIndustryRequest struct{}

// GetIndustryResponse has both trades.
type GetIndustryResponse struct {
	Primary   Industry `json:"primary_industry"`
	Secondary Industry `json:"secondary_industry"`
}

// Industry is a trade and the branch it belongs to.
type Industry struct {
	FirstClass  string `json:"first_class"`
	SecondClass string `json:"second_class"`
}

// AddTemplate takes a template of WeChat's library into the account. An account
// can have 25.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var AddTemplate = define[AddTemplateRequest, AddTemplateResponse](Row{
	Name: "add_template", Method: "POST", Path: "/cgi-bin/template/api_add_template",
	Proof: []string{"template_id"}, Doc: templateDoc,
})

// AddTemplateRequest has the template's number in the library (TM… or OPENTM…,
// today five digits) and, for one whose keywords can be chosen, those.
type AddTemplateRequest struct {
	TemplateIDShort string   `json:"template_id_short" wx:"required"`
	KeywordNameList []string `json:"keyword_name_list,omitempty"`
}

// AddTemplateResponse has the id by which messages name the template.
type AddTemplateResponse struct {
	TemplateID string `json:"template_id"`
}

// GetTemplates lists the account's templates.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var GetTemplates = define[GetTemplatesRequest, GetTemplatesResponse](Row{
	Name: "get_templates", Method: "GET", Path: "/cgi-bin/template/get_all_private_template", Body: Query, Retry: Read,
	Proof: []string{"template_list"}, Doc: templateDoc,
})

// GetTemplatesRequest is empty.
type GetTemplatesRequest struct{}

// GetTemplatesResponse has all templates.
type GetTemplatesResponse struct {
	Templates []Template `json:"template_list"`
}

// Template is a text with {{name.DATA}} where values go.
type Template struct {
	TemplateID      string `json:"template_id"`
	Title           string `json:"title"`
	PrimaryIndustry string `json:"primary_industry,omitempty"`
	DeputyIndustry  string `json:"deputy_industry,omitempty"`
	Content         string `json:"content"`
	Example         string `json:"example,omitempty"`
}

// DeleteTemplate removes a template from the account.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Template_Message_Interface.html
var DeleteTemplate = define[DeleteTemplateRequest, DeleteTemplateResponse](Row{
	Name: "delete_template", Method: "POST", Path: "/cgi-bin/template/del_private_template", Doc: templateDoc,
})

// DeleteTemplateRequest names the template.
type DeleteTemplateRequest struct {
	TemplateID string `json:"template_id" wx:"required"`
}

// DeleteTemplateResponse is empty.
type DeleteTemplateResponse struct{}
