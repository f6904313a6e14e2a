package wxapi

const subscribeDoc = "https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html"

// SendSubscribeMessage sends a notification to somebody who has subscribed to
// its template (订阅通知).
//
// To who has not, or whose one subscription is used up, WeChat answers 43101. A
// value that breaks the rule of its name is 47003, and the errmsg names it: thing
// has at most 20 characters, number and character_string 32, letter 32, symbol 5,
// phone_number 17, car_number 8, name 10 Chinese or 20 letters, phrase 5 Chinese;
// time, date and amount are written as such.
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var SendSubscribeMessage = define[SendSubscribeMessageRequest, SendSubscribeMessageResponse](Row{
	Name: "send_subscribe_message", Method: "POST", Path: "/cgi-bin/message/subscribe/bizsend", Lane: "touser",
	Classes: map[int]Class{43107: ClassRight, 41030: ClassBug}, Doc: subscribeDoc, checks: checkTemplateData,
})

// SendSubscribeMessageRequest fills a template in for one person. A tap opens
// the page or the mini program.
type SendSubscribeMessageRequest struct {
	ToUser      string                   `json:"touser" wx:"required,openid"`
	TemplateID  string                   `json:"template_id" wx:"required"`
	Page        string                   `json:"page,omitempty"`
	MiniProgram *MiniProgram             `json:"miniprogram,omitempty"`
	Data        map[string]TemplateValue `json:"data" wx:"required"` // by the names in the template: thing8, time7, …
}

// SendSubscribeMessageResponse is empty.
type SendSubscribeMessageResponse struct{}

// AddSubscribeTemplate takes a template of WeChat's library, with a choice of
// its keywords, into the account (选用模板).
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var AddSubscribeTemplate = define[AddSubscribeTemplateRequest, AddSubscribeTemplateResponse](Row{
	Name: "add_subscribe_template", Method: "POST", Path: "/wxaapi/newtmpl/addtemplate",
	Proof: []string{"priTmplId"}, Doc: subscribeDoc, checks: checkKeywords,
})

// AddSubscribeTemplateRequest has the template's number in the library, the
// numbers of 2 to 5 keywords in the wanted order, and what it is for.
type AddSubscribeTemplateRequest struct {
	TID       string  `json:"tid" wx:"required,id"`
	KIDList   []int64 `json:"kidList" wx:"required,items=5"`
	SceneDesc string  `json:"sceneDesc,omitempty" wx:"runes=15"`
}

// AddSubscribeTemplateResponse has the id by which notifications name the
// template.
type AddSubscribeTemplateResponse struct {
	PriTmplID string `json:"priTmplId"`
}

// checkKeywords: 开发者自行组合好的模板关键词列表，最多支持5个，最少2个关键词组合.
func checkKeywords(in *object) *RequestError {
	if list, _ := in.get("kidList"); len(list.([]any)) < 2 {
		return refuse("kidList", "has 1 entry, at least 2 are needed")
	}
	return nil
}

// DeleteSubscribeTemplate removes a template of notifications from the account.
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var DeleteSubscribeTemplate = define[DeleteSubscribeTemplateRequest, DeleteSubscribeTemplateResponse](Row{
	Name: "delete_subscribe_template", Method: "POST", Path: "/wxaapi/newtmpl/deltemplate", Doc: subscribeDoc,
})

// DeleteSubscribeTemplateRequest names the template.
type DeleteSubscribeTemplateRequest struct {
	PriTmplID string `json:"priTmplId" wx:"required"`
}

// DeleteSubscribeTemplateResponse is empty.
type DeleteSubscribeTemplateResponse struct{}

// GetSubscribeCategories lists the account's categories, which decide what
// templates there are in the library (公众号类目).
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var GetSubscribeCategories = define[GetSubscribeCategoriesRequest, GetSubscribeCategoriesResponse](Row{
	Name: "get_subscribe_categories", Method: "GET", Path: "/wxaapi/newtmpl/getcategory", Body: Query, Retry: Read,
	Proof: []string{"data"}, Doc: subscribeDoc,
})

// GetSubscribeCategoriesRequest is empty.
type GetSubscribeCategoriesRequest struct{}

// GetSubscribeCategoriesResponse has the categories.
type GetSubscribeCategoriesResponse struct {
	Data []SubscribeCategory `json:"data"`
}

// SubscribeCategory is a category of the account's.
type SubscribeCategory struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// GetSubscribeTemplateTitles lists templates in WeChat's library, at most 30 at
// a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var GetSubscribeTemplateTitles = define[GetSubscribeTemplateTitlesRequest, GetSubscribeTemplateTitlesResponse](Row{
	Name: "get_subscribe_template_titles", Method: "GET", Path: "/wxaapi/newtmpl/getpubtemplatetitles", Body: Query, Retry: Read,
	Proof: []string{"data", "count"}, Doc: subscribeDoc,
	checks: all(within("start", 0, 1<<53), within("limit", 1, 30)),
})

// GetSubscribeTemplateTitlesRequest has the categories' numbers, with commas
// between them, and the page.
type GetSubscribeTemplateTitlesRequest struct {
	IDs   string `json:"ids" wx:"required"`
	Start int    `json:"start"`
	Limit int    `json:"limit" wx:"required"`
}

// GetSubscribeTemplateTitlesResponse has one page of templates.
type GetSubscribeTemplateTitlesResponse struct {
	Count int64                    `json:"count"` // on all pages
	Data  []SubscribeTemplateTitle `json:"data"`
}

// SubscribeTemplateTitle is a template in the library. Type is 2 for a one-time
// subscription and 3 for a lasting one.
type SubscribeTemplateTitle struct {
	TID        int64  `json:"tid"`
	Title      string `json:"title"`
	Type       int    `json:"type"`
	CategoryID string `json:"categoryId"`
}

// GetSubscribeTemplateKeywords lists the keywords of a template in WeChat's
// library.
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var GetSubscribeTemplateKeywords = define[GetSubscribeTemplateKeywordsRequest, GetSubscribeTemplateKeywordsResponse](Row{
	Name: "get_subscribe_template_keywords", Method: "GET", Path: "/wxaapi/newtmpl/getpubtemplatekeywords", Body: Query, Retry: Read,
	Proof: []string{"data"}, Doc: subscribeDoc,
})

// GetSubscribeTemplateKeywordsRequest has the template's number.
type GetSubscribeTemplateKeywordsRequest struct {
	TID string `json:"tid" wx:"required,id"`
}

// GetSubscribeTemplateKeywordsResponse has the keywords.
type GetSubscribeTemplateKeywordsResponse struct {
	Count int64              `json:"count,omitempty"`
	Data  []SubscribeKeyword `json:"data"`
}

// SubscribeKeyword is one value of a template. With its Rule and KID it becomes
// the name in a notification's data: thing1.
type SubscribeKeyword struct {
	KID     int64  `json:"kid"`
	Name    string `json:"name"`
	Example string `json:"example"`
	Rule    string `json:"rule"`
}

// GetSubscribeTemplates lists the account's templates of notifications.
//
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
var GetSubscribeTemplates = define[GetSubscribeTemplatesRequest, GetSubscribeTemplatesResponse](Row{
	Name: "get_subscribe_templates", Method: "GET", Path: "/wxaapi/newtmpl/gettemplate", Body: Query, Retry: Read,
	Proof: []string{"data"}, Doc: subscribeDoc,
})

// GetSubscribeTemplatesRequest is empty.
type GetSubscribeTemplatesRequest struct{}

// GetSubscribeTemplatesResponse has the templates.
type GetSubscribeTemplatesResponse struct {
	Data []SubscribeTemplate `json:"data"`
}

// SubscribeTemplate is a template of the account's. Content has {{name.DATA}}
// where values go; Type is that of [SubscribeTemplateTitle].
type SubscribeTemplate struct {
	PriTmplID string `json:"priTmplId"`
	Title     string `json:"title"`
	Content   string `json:"content"`
	Example   string `json:"example"`
	Type      int    `json:"type"`
}
