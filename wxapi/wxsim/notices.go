package wxsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func init() {
	stateful(endpoint{name: "send_subscribe_message", method: "POST", path: "/cgi-bin/message/subscribe/bizsend", body: bodyJSON, run: sendNotice})
	stateful(endpoint{name: "add_subscribe_template", method: "POST", path: "/wxaapi/newtmpl/addtemplate", body: bodyJSON, run: addNoticeTemplate})
	stateful(endpoint{name: "delete_subscribe_template", method: "POST", path: "/wxaapi/newtmpl/deltemplate", body: bodyJSON, run: deleteNoticeTemplate})
	stateful(endpoint{name: "get_subscribe_templates", method: "GET", path: "/wxaapi/newtmpl/gettemplate", run: getNoticeTemplates})
}

// notices are the templates of subscription notifications, and who may still be sent how many of which. The
// platform's lock guards it.
type notices struct {
	list    []wxapi.SubscribeTemplate
	consent map[string]int // by OpenID and template
}

func newNotices(ids []string) notices {
	n := notices{consent: map[string]int{}}
	for _, id := range ids {
		n.list = append(n.list, wxapi.SubscribeTemplate{PriTmplID: id, Title: id, Type: 2})
	}
	return n
}

func (n *notices) find(id string) int {
	return slices.IndexFunc(n.list, func(one wxapi.SubscribeTemplate) bool { return one.PriTmplID == id })
}

// answered takes what somebody chose in the dialogue that asks whether notifications may be sent: each accept
// allows one, a reject takes them back.
func (n *notices) answered(in *callback.Message) {
	type chosen struct{ List json.RawMessage }
	var event struct {
		Popup  chosen `json:"SubscribeMsgPopupEvent"`
		Change chosen `json:"SubscribeMsgChangeEvent"`
	}
	if json.Unmarshal(in.JSON(), &event) != nil {
		return
	}
	type choice struct{ TemplateId, SubscribeStatusString string }
	for _, list := range []json.RawMessage{event.Popup.List, event.Change.List} {
		var choices []choice
		var one choice
		if json.Unmarshal(list, &choices) != nil && json.Unmarshal(list, &one) == nil {
			choices = []choice{one}
		}
		for _, c := range choices {
			who := in.FromUserName + " " + c.TemplateId
			if c.SubscribeStatusString == "accept" {
				n.consent[who]++
			} else {
				delete(n.consent, who)
			}
		}
	}
}

// sendNotice is message/subscribe/bizsend: only to who has said yes, once for each time. subscribe_msg_sent_event
// follows the answer.
// https://developers.weixin.qq.com/doc/offiaccount/Subscription_Messages/api.html
func sendNotice(p *Platform, x *exchange) answer {
	var req struct {
		ToUser     string       `json:"touser"`
		TemplateID string       `json:"template_id"`
		Data       templateData `json:"data"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.ToUser]
	i := p.notices.find(req.TemplateID)
	who := req.ToUser + " " + req.TemplateID
	switch {
	case f == nil:
		return failure(40003)
	case i < 0:
		return failure(40037)
	}
	if problem := wrongValue(req.Data); problem != "" {
		return failureText(47003, "argument invalid! "+problem)
	}
	if p.notices.consent[who] == 0 {
		return failure(43101)
	}
	p.notices.consent[who]--
	p.deliver(f, Seen{Kind: SeenNotice, Text: fillIn(p.notices.list[i].Content, req.Data), Message: withoutRecipient(x.body)})
	type sent struct{ TemplateId, MsgID, ErrorCode, ErrorStatus string }
	x.announce(f.openID, struct {
		MsgType, Event        string
		SubscribeMsgSentEvent map[string]sent
	}{"event", "subscribe_msg_sent_event", map[string]sent{"List": {req.TemplateID, fmt.Sprint(p.newJobID()), "0", "success"}}})
	return ok()
}

// valueLimits are how many characters a value may have, by the beginning of its name.
var valueLimits = map[string]int{
	"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "phone_number": 17, "car_number": 8, "name": 20, "phrase": 5,
}

// wrongValue finds a value that breaks the rule of its name, in WeChat's words (the misspelling is WeChat's).
func wrongValue(data templateData) string {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		value := data[name].Value
		limit, limited := valueLimits[strings.TrimRight(name, "0123456789")]
		switch {
		case value == "":
			return "data." + name + ".value is emtpy" //nolint:misspell // WeChat's own spelling
		case limited && utf8.RuneCountInString(string(value)) > limit:
			return "data." + name + ".value invalid"
		}
	}
	return ""
}

func addNoticeTemplate(p *Platform, x *exchange) answer {
	var req struct {
		TID     any     `json:"tid"`
		KIDList []int64 `json:"kidList"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if req.TID == nil || len(req.KIDList) < 2 || len(req.KIDList) > 5 {
		return failure(47001)
	}
	content := ""
	for _, id := range req.KIDList {
		content += fmt.Sprintf("内容%d:{{thing%d.DATA}}\n", id, id)
	}
	t := wxapi.SubscribeTemplate{PriTmplID: newTemplateID(), Title: fmt.Sprintf("模板%v", req.TID), Content: content, Example: content, Type: 2}
	p.notices.list = append(p.notices.list, t)
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "priTmplId": t.PriTmplID})
}

func deleteNoticeTemplate(p *Platform, x *exchange) answer {
	var req wxapi.DeleteSubscribeTemplateRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	i := p.notices.find(req.PriTmplID)
	if i < 0 {
		return failure(40037)
	}
	p.notices.list = slices.Delete(p.notices.list, i, i+1)
	return ok()
}

func getNoticeTemplates(p *Platform, _ *exchange) answer {
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "data": append([]wxapi.SubscribeTemplate{}, p.notices.list...)})
}
