package wxsim

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func init() {
	stateful(endpoint{name: "send_custom_message", method: "POST", path: "/cgi-bin/message/custom/send", body: bodyJSON, run: sendCustom})
	stateful(endpoint{name: "send_typing", method: "POST", path: "/cgi-bin/message/custom/typing", body: bodyJSON, run: typing})
}

// sendCustom is message/custom/send. What is wrong with the person comes first, then what is wrong with the
// message, and only a message that is right takes one from what the follower's actions allow.
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
func sendCustom(p *Platform, x *exchange) answer {
	var m wxapi.SendCustomMessageRequest
	if a, ok := x.decode(&m); !ok {
		return a
	}
	f, code := p.recipient(m.ToUser)
	if code != 0 {
		return failure(code)
	}
	text, code := p.readCustom(&m, x.now)
	if code == 0 && m.CustomService != nil && p.desk.agent(m.CustomService.KFAccount) == nil {
		code = 61452
	}
	if code != 0 {
		return failure(code)
	}
	if code := f.spend(x.now); code != 0 {
		return failure(code)
	}
	p.deliver(f, Seen{Kind: SeenCustom, Text: text, Message: withoutRecipient(x.body)})
	if m.CustomService != nil {
		p.desk.note(p.newJobID(), codeAgent, f.openID, text, m.CustomService.KFAccount, x.wall)
	}
	return ok()
}

// recipient finds who is to get a message: 40003 for a stranger, 43004 for somebody who left, 43019 for one on the blacklist.
func (p *Platform) recipient(openID string) (*follower, int) {
	f := p.followers.all[openID]
	switch {
	case f == nil:
		return nil, 40003
	case !f.following:
		return nil, 43004
	case f.blocked:
		return nil, 43019
	}
	return f, 0
}

// readCustom checks a custom message and returns what the follower's screen shows, or the errcode.
func (p *Platform) readCustom(m *wxapi.SendCustomMessageRequest, now time.Time) (text string, code int) {
	needs := func(id string, types ...string) {
		if code == 0 && !p.media.has(id, now, types...) {
			code = 40007
		}
	}
	switch m.MsgType {
	case "text":
		if m.Text == nil || m.Text.Content == "" {
			return "", 44004
		}
		if len(m.Text.Content) > callback.MaxTextBytes {
			return "", 45002
		}
		text = m.Text.Content
	case "image":
		if m.Image == nil {
			return "", 41006
		}
		needs(m.Image.MediaID, "image")
		text = standIn("image", m.Image.MediaID)
	case "voice":
		if m.Voice == nil {
			return "", 41006
		}
		needs(m.Voice.MediaID, "voice")
		text = standIn("voice", m.Voice.MediaID)
	case "video":
		if m.Video == nil {
			return "", 41006
		}
		needs(m.Video.MediaID, "video")
		if m.Video.ThumbMediaID != "" {
			needs(m.Video.ThumbMediaID, "image", "thumb")
		}
		text = standIn("video", m.Video.MediaID, m.Video.Title)
	case "music":
		if m.Music == nil {
			return "", 41006
		}
		needs(m.Music.ThumbMediaID, "image", "thumb")
		text = standIn("music", m.Music.MusicURL, m.Music.Title)
	case "news":
		switch {
		case m.News == nil || len(m.News.Articles) == 0:
			return "", 44003
		case len(m.News.Articles) > 1:
			return "", 45008
		}
		text = standIn("news", m.News.Articles[0].URL, m.News.Articles[0].Title)
	default:
		return p.otherCustom(m)
	}
	return text, code
}

// otherCustom checks the types that name no uploaded file. Of cards and mini programs the simulator knows nothing: what
// they name is taken to be there.
func (p *Platform) otherCustom(m *wxapi.SendCustomMessageRequest) (text string, code int) {
	switch m.MsgType {
	case "msgmenu":
		if m.MsgMenu == nil || len(m.MsgMenu.List) == 0 {
			return "", 44004
		}
		text = m.MsgMenu.HeadContent
		for _, item := range m.MsgMenu.List {
			text += "\n[" + item.Content + "]"
		}
		return text + "\n" + m.MsgMenu.TailContent, 0
	case "mpnews":
		if m.MPNews == nil || p.library.draft(m.MPNews.MediaID) == nil {
			return "", 40007
		}
		return standIn("mpnews", m.MPNews.MediaID), 0
	case "mpnewsarticle":
		if m.MPNewsArticle == nil || m.MPNewsArticle.ArticleID == "" {
			return "", 44003
		}
		pub := p.library.article(m.MPNewsArticle.ArticleID)
		if pub == nil || pub.status() != published {
			return "", 53600
		}
		return standIn("mpnewsarticle", pub.items[0].URL, pub.items[0].Title), 0
	case "wxcard":
		if m.WXCard == nil || m.WXCard.CardID == "" {
			return "", 47003
		}
		return standIn("wxcard", m.WXCard.CardID), 0
	case "miniprogrampage":
		if m.MiniProgramPage == nil || m.MiniProgramPage.AppID == "" || m.MiniProgramPage.PagePath == "" {
			return "", 47003
		}
		return standIn("miniprogrampage", m.MiniProgramPage.PagePath, m.MiniProgramPage.Title), 0
	case "link":
		if m.Link == nil || m.Link.URL == "" {
			return "", 47003
		}
		return standIn("link", m.Link.URL, m.Link.Title), 0
	}
	return "", 40008
}

// standIn is what the text of an inbox shows for something that isn't text.
func standIn(kind, what string, title ...string) string {
	if len(title) > 0 && title[0] != "" {
		return title[0] + " [" + kind + " " + what + "]"
	}
	return "[" + kind + " " + what + "]"
}

// withoutRecipient is the message as it was posted but for touser, which says whose inbox it is in.
func withoutRecipient(body []byte) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return slices.Clone(body)
	}
	delete(fields, "touser")
	return encode(fields)
}

// typingLife is how long the sign is shown, typingAfter how fresh the conversation must be for it.
const (
	typingLife  = 15 * time.Second
	typingAfter = 30 * time.Second
)

// typing is message/custom/typing (客服输入状态).
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_typing
func typing(p *Platform, x *exchange) answer {
	var req struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f, code := p.recipient(req.ToUser)
	switch {
	case code != 0:
		return failure(code)
	case req.Command == "CancelTyping":
		f.typing = time.Time{}
	case req.Command != "Typing":
		return failure(45072)
	case f.talked.IsZero() || x.now.Sub(f.talked) > typingAfter:
		return failure(45080)
	case x.now.Before(f.typing):
		return failure(45081)
	default:
		f.typing = x.now.Add(typingLife)
	}
	return ok()
}
