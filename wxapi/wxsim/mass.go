package wxsim

import (
	"fmt"
	"slices"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func init() {
	stateful(endpoint{name: "send_mass_message", method: "POST", path: "/cgi-bin/message/mass/sendall", body: bodyJSON, run: massToTag})
	stateful(endpoint{name: "send_mass_message_to_users", method: "POST", path: "/cgi-bin/message/mass/send", body: bodyJSON, run: massToUsers})
	stateful(endpoint{name: "preview_mass_message", method: "POST", path: "/cgi-bin/message/mass/preview", body: bodyJSON, run: massPreview})
	stateful(endpoint{name: "delete_mass_message", method: "POST", path: "/cgi-bin/message/mass/delete", body: bodyJSON, run: massDelete})
	stateful(endpoint{name: "get_mass_message_status", method: "POST", path: "/cgi-bin/message/mass/get", body: bodyJSON, run: massStatus})
	stateful(endpoint{name: "get_mass_speed", method: "POST", path: "/cgi-bin/message/mass/speed/get", body: bodyJSON, run: massSpeed})
	stateful(endpoint{name: "set_mass_speed", method: "POST", path: "/cgi-bin/message/mass/speed/set", body: bodyJSON, run: setMassSpeed})
	stateful(endpoint{name: "upload_mass_video", method: "POST", path: "/cgi-bin/media/uploadvideo", body: bodyJSON, run: massVideo})
}

const (
	massKeyLife = 24 * time.Hour // for which a clientmsgid is remembered
	maxMassKey  = 64             // bytes of it
	maxMassTo   = 10_000         // OpenIDs of one message
)

// masses are the mass messages, and the speed level of the next ones. The platform's lock guards it.
type masses struct {
	sent  []*massSend
	known once[*massSend]
	speed int
}

// massSend is one mass message. The simulator sends at once.
type massSend struct {
	id, dataID int64
	kind       string
	articles   int
	deleted    bool
}

func (m *masses) find(id string) *massSend {
	for _, one := range m.sent {
		if fmt.Sprint(one.id) == id {
			return one
		}
	}
	return nil
}

// massContent is what the three ways of sending have in common.
type massContent struct {
	MsgType     string                   `json:"msgtype"`
	MPNews      wxapi.MediaID            `json:"mpnews"`
	Text        struct{ Content string } `json:"text"`
	Voice       wxapi.MediaID            `json:"voice"`
	Image       wxapi.MediaID            `json:"image"`
	Images      wxapi.MassImages         `json:"images"`
	MPVideo     wxapi.MediaID            `json:"mpvideo"`
	WXCard      wxapi.WXCard             `json:"wxcard"`
	ClientMsgID string                   `json:"clientmsgid"`
}

// readMass checks a mass message and returns what a screen shows of it, or the errcode.
func (p *Platform) readMass(m *massContent, now time.Time) (text string, code int) {
	has := func(id string, types ...string) int {
		if p.media.has(id, now, types...) {
			return 0
		}
		return 40007
	}
	switch m.MsgType {
	case "mpnews":
		d := p.library.draft(m.MPNews.MediaID)
		if d == nil {
			return "", 40007
		}
		return standIn("mpnews", d.items[0].URL, d.items[0].Title), 0
	case "text":
		switch {
		case m.Text.Content == "":
			return "", 44004
		case len(m.Text.Content) > callback.MaxTextBytes:
			return "", 45002
		}
		return m.Text.Content, 0
	case "voice":
		return standIn("voice", m.Voice.MediaID), has(m.Voice.MediaID, "voice")
	case "image":
		ids := m.Images.MediaIDs
		if len(ids) == 0 {
			ids = []string{m.Image.MediaID}
		}
		for _, id := range ids {
			code = max(code, has(id, "image"))
		}
		return standIn("image", ids[0], m.Images.Recommend), code
	case "mpvideo":
		return standIn("mpvideo", m.MPVideo.MediaID), has(m.MPVideo.MediaID, "mpvideo")
	case "wxcard":
		if m.WXCard.CardID == "" {
			return "", 47003
		}
		return standIn("wxcard", m.WXCard.CardID), 0
	}
	return "", 40008
}

// massToTag is message/mass/sendall.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
func massToTag(p *Platform, x *exchange) answer {
	var req struct {
		Filter wxapi.MassFilter `json:"filter"`
		massContent
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	to := slices.DeleteFunc(p.followers.sorted(), func(f *follower) bool {
		return f.blocked || !req.Filter.IsToAll && !slices.Contains(f.tags, req.Filter.TagID)
	})
	return p.sendMass(x, &req.massContent, to, len(to))
}

// massToUsers is message/mass/send. Who doesn't follow counts as an error.
func massToUsers(p *Platform, x *exchange) answer {
	var req struct {
		ToUser []string `json:"touser"`
		massContent
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch n := len(req.ToUser); {
	case n < 2:
		return failure(40130)
	case n > maxMassTo:
		return failure(40032)
	}
	var to []*follower
	for _, openID := range req.ToUser {
		if f, code := p.recipient(openID); code == 0 {
			to = append(to, f)
		}
	}
	if len(to) == 0 {
		return failure(40031)
	}
	return p.sendMass(x, &req.massContent, to, len(req.ToUser))
}

// sendMass sends to everybody at once. A clientmsgid of the last day sends nothing: 45065, with the ids of the first
// message. MASSSENDJOBFINISH follows the answer.
func (p *Platform) sendMass(x *exchange, m *massContent, to []*follower, chosen int) answer {
	if len(m.ClientMsgID) > maxMassKey {
		return failure(45067)
	}
	if first, again := p.masses.known.get(m.ClientMsgID, x.now); again {
		a := object(map[string]any{
			"errcode": 45065, "errmsg": errmsg(45065), "msg_id": first.id, "msg_data_id": first.dataID,
		})
		a.errcode = 45065
		return a
	}
	text, code := p.readMass(m, x.now)
	if code != 0 {
		return failure(code)
	}
	send := &massSend{id: p.newJobID(), dataID: p.newJobID(), kind: m.MsgType}
	if d := p.library.draft(m.MPNews.MediaID); m.MsgType == "mpnews" && d != nil {
		send.articles = len(d.items)
		p.publish(x, d).dataID = send.dataID
	}
	p.masses.sent = append(p.masses.sent, send)
	if p.masses.known == nil {
		p.masses.known = once[*massSend]{}
	}
	p.masses.known.put(m.ClientMsgID, send, x.now, massKeyLife)
	for _, f := range to {
		p.deliver(f, Seen{Kind: SeenMass, Text: text, Message: withoutRecipient(x.body)})
	}
	x.announce(operator, struct {
		MsgType, Event, MsgID, Status                  string
		TotalCount, FilterCount, SentCount, ErrorCount int
	}{"event", "MASSSENDJOBFINISH", fmt.Sprint(send.id), "send success", chosen, chosen, len(to), chosen - len(to)})
	return object(map[string]any{
		"errcode": 0, "errmsg": "send job submission success", "msg_id": send.id, "msg_data_id": send.dataID,
	})
}

func massPreview(p *Platform, x *exchange) answer {
	var req struct {
		ToUser   string `json:"touser"`
		ToWXName string `json:"towxname"`
		massContent
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	// A WeChat id is somebody the simulator doesn't know: the preview goes nowhere.
	f, code := (*follower)(nil), 0
	if req.ToWXName == "" {
		f, code = p.recipient(req.ToUser)
	}
	if code != 0 {
		return failure(code)
	}
	text, code := p.readMass(&req.massContent, x.now)
	if code != 0 {
		return failure(code)
	}
	if f != nil {
		p.deliver(f, Seen{Kind: SeenMass, Text: text, Message: withoutRecipient(x.body)})
	}
	return object(map[string]any{"errcode": 0, "errmsg": "preview success", "msg_id": p.newJobID()})
}

func massDelete(p *Platform, x *exchange) answer {
	var req struct {
		MsgID      scalarText `json:"msg_id"`
		ArticleIdx int        `json:"article_idx"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	send := p.masses.find(string(req.MsgID))
	switch {
	case send == nil:
		return failure(40097)
	case send.kind != "mpnews" && send.kind != "mpvideo": // 只有已经发送成功的消息才能删除: articles and videos alone
		return failure(40008)
	case req.ArticleIdx < 0 || req.ArticleIdx > max(1, send.articles):
		return failure(40060)
	}
	send.deleted = send.deleted || req.ArticleIdx == 0 || send.articles < 2
	return ok()
}

func massStatus(p *Platform, x *exchange) answer {
	var req struct {
		MsgID scalarText `json:"msg_id"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	send := p.masses.find(string(req.MsgID))
	if send == nil {
		return failure(40097)
	}
	status := "SEND_SUCCESS"
	if send.deleted {
		status = "DELETE"
	}
	return object(map[string]any{"msg_id": send.id, "msg_status": status})
}

// massSpeeds are the real speeds of the levels, in 10,000 a minute.
var massSpeeds = []int{80, 60, 45, 30, 10}

func massSpeed(p *Platform, _ *exchange) answer {
	return object(map[string]any{"speed": p.masses.speed, "realspeed": massSpeeds[p.masses.speed]})
}

func setMassSpeed(p *Platform, x *exchange) answer {
	var req struct {
		Speed *int `json:"speed"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch {
	case req.Speed == nil:
		return failure(45084)
	case *req.Speed < 0 || *req.Speed >= len(massSpeeds):
		return failure(45083)
	}
	p.masses.speed = *req.Speed
	return ok()
}

// massVideo is media/uploadvideo: it makes a video ready for mass messages.
func massVideo(p *Platform, x *exchange) answer {
	var req wxapi.UploadMassVideoRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	m := p.media.get(req.MediaID, x.now)
	if m == nil || m.typ != "video" {
		return failure(40007)
	}
	id := newMediaID()
	p.media.put(id, &medium{typ: "mpvideo", data: m.data, expires: x.now.Add(p.cfg.MediaLife)}, x.now)
	return object(map[string]any{"type": "video", "media_id": id, "created_at": x.wall.Unix()})
}
