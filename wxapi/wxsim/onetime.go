package wxsim

import (
	"strconv"
	"unicode/utf8"
)

func init() {
	stateful(endpoint{name: "send_one_time_message", method: "POST", path: "/cgi-bin/message/template/subscribe", body: bodyJSON, run: sendOneTime})
}

// sendOneTime is message/template/subscribe. Whoever the account knows is taken to have agreed, followers or not.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/One-time_subscription_info.html
func sendOneTime(p *Platform, x *exchange) answer {
	var req struct {
		ToUser     string     `json:"touser"`
		TemplateID string     `json:"template_id"`
		Scene      scalarText `json:"scene"`
		Title      string     `json:"title"`
		Data       struct {
			Content struct {
				Value string `json:"value"`
			} `json:"content"`
		} `json:"data"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.ToUser]
	scene, err := strconv.Atoi(string(req.Scene))
	text := req.Data.Content.Value
	switch {
	case f == nil:
		return failure(40003)
	case p.templates.find(req.TemplateID) < 0:
		return failure(40037)
	case err != nil || scene < 0 || scene > 10_000:
		return failure(40097)
	case req.Title == "" || utf8.RuneCountInString(req.Title) > 15:
		return failure(45003)
	case text == "" || utf8.RuneCountInString(text) > 200:
		return failure(45002)
	}
	p.deliver(f, Seen{Kind: SeenTemplate, Text: req.Title + "\n" + text, Message: withoutRecipient(x.body)})
	return ok()
}
