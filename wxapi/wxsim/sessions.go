package wxsim

import (
	"slices"
	"strconv"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func init() {
	stateful(endpoint{name: "create_kf_session", method: "POST", path: "/customservice/kfsession/create", body: bodyJSON, run: sessionCreate})
	stateful(endpoint{name: "close_kf_session", method: "POST", path: "/customservice/kfsession/close", body: bodyJSON, run: sessionClose})
	stateful(endpoint{name: "get_kf_session", method: "GET", path: "/customservice/kfsession/getsession", run: sessionGet})
	stateful(endpoint{name: "get_kf_session_list", method: "GET", path: "/customservice/kfsession/getsessionlist", run: sessionList})
	stateful(endpoint{name: "get_kf_wait_cases", method: "GET", path: "/customservice/kfsession/getwaitcase", run: waitCases})
	stateful(endpoint{name: "get_kf_messages", method: "POST", path: "/customservice/msgrecord/getmsglist", body: bodyJSON, run: kfMessages})
}

// session is a follower who is with an agent.
type session struct {
	openID, account string
	created         int64
}

// record is one message of a session, or one that the account sent in an agent's name.
type record struct {
	id int64
	wxapi.KFMessage
}

// What a record is of.
const (
	codeAgent    = 2002
	codeFollower = 2003
)

const (
	maxWaiting  = 100    // in one answer
	maxRecords  = 10_000 // likewise
	recordsKept = 100_000
)

func (d *desk) session(openID string) *session {
	for _, s := range d.sessions {
		if s.openID == openID {
			return s
		}
	}
	return nil
}

func (d *desk) notWaiting(openID string) {
	d.waiting = slices.DeleteFunc(d.waiting, func(w wxapi.KFWaitCase) bool { return w.OpenID == openID })
}

// handOver is the passive reply transfer_customer_service: with an agent who is at work the session begins, with
// none in particular the follower waits.
func (d *desk) handOver(openID, account string, at time.Time) {
	if d.session(openID) != nil {
		return
	}
	d.notWaiting(openID)
	if a := d.agent(account); a != nil && a.worker != "" {
		d.sessions = append(d.sessions, &session{openID, account, at.Unix()})
		return
	}
	d.waiting = append(d.waiting, wxapi.KFWaitCase{OpenID: openID, LatestTime: at.Unix()})
}

// heard notes what a follower says to an agent.
func (p *Platform) heard(in *callback.Message, at time.Time) {
	if s := p.desk.session(in.FromUserName); s != nil {
		p.desk.note(p.newJobID(), codeFollower, s.openID, or(in.Value("Content"), "["+in.MsgType+"]"), s.account, at)
	}
}

func (d *desk) note(id int64, code int, openID, text, account string, at time.Time) {
	d.records = append(d.records, record{id, wxapi.KFMessage{OpenID: openID, OperCode: code, Text: text, Time: at.Unix(), Worker: account}})
	if len(d.records) > recordsKept {
		d.records = slices.Clone(d.records[recordsKept/2:])
	}
}

type sessionRequest struct {
	KFAccount string `json:"kf_account"`
	OpenID    string `json:"openid"`
}

// sessionCreate is kfsession/create. kf_create_session follows the answer.
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Session_control.html
func sessionCreate(p *Platform, x *exchange) answer {
	var req sessionRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if code := p.mayServe(req); code != 0 {
		return failure(code)
	}
	if p.desk.session(req.OpenID) != nil {
		return ok()
	}
	p.desk.notWaiting(req.OpenID)
	p.desk.sessions = append(p.desk.sessions, &session{req.OpenID, req.KFAccount, x.wall.Unix()})
	x.announce(req.OpenID, struct{ MsgType, Event, KfAccount string }{"event", "kf_create_session", req.KFAccount})
	return ok()
}

// mayServe is 0 when the agent can have the follower.
func (p *Platform) mayServe(req sessionRequest) int {
	a, s := p.desk.agent(req.KFAccount), p.desk.session(req.OpenID)
	_, code := p.recipient(req.OpenID)
	switch {
	case a == nil:
		return 65401
	case code != 0:
		return code
	case s != nil && s.account != req.KFAccount:
		return 65414
	case a.worker == "":
		return 65415
	}
	return 0
}

// sessionClose is kfsession/close. kf_close_session follows the answer.
func sessionClose(p *Platform, x *exchange) answer {
	var req sessionRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	s := p.desk.session(req.OpenID)
	switch {
	case p.desk.agent(req.KFAccount) == nil:
		return failure(65401)
	case s == nil:
		return failure(65413)
	case s.account != req.KFAccount:
		return failure(65414)
	}
	p.desk.sessions = slices.DeleteFunc(p.desk.sessions, func(other *session) bool { return other == s })
	x.announce(req.OpenID, struct{ MsgType, Event, KfAccount, CloseType string }{"event", "kf_close_session", req.KFAccount, "KF"})
	return ok()
}

func sessionGet(p *Platform, x *exchange) answer {
	openID := x.query.Get("openid")
	if p.followers.all[openID] == nil {
		return failure(40003)
	}
	found := wxapi.GetKFSessionResponse{}
	if s := p.desk.session(openID); s != nil {
		found.CreateTime, found.KFAccount = s.created, s.account
	}
	return object(found)
}

func sessionList(p *Platform, x *exchange) answer {
	account := x.query.Get("kf_account")
	if p.desk.agent(account) == nil {
		return failure(65401)
	}
	list := []wxapi.KFSession{}
	for _, s := range p.desk.sessions {
		if s.account == account {
			list = append(list, wxapi.KFSession{CreateTime: s.created, OpenID: s.openID})
		}
	}
	return object(map[string]any{"sessionlist": list})
}

func waitCases(p *Platform, _ *exchange) answer {
	all := p.desk.waiting
	return object(map[string]any{
		"count": len(all), "waitcaselist": append([]wxapi.KFWaitCase{}, all[:min(maxWaiting, len(all))]...),
	})
}

// kfMessages is msgrecord/getmsglist: msgid 1 is the beginning, the answer's msgid the place to go on from.
func kfMessages(p *Platform, x *exchange) answer {
	var req wxapi.GetKFMessagesRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if req.EndTime < req.StartTime || req.EndTime-req.StartTime > 24*60*60 || req.Number < 1 || req.Number > maxRecords {
		return failure(65416)
	}
	after, err := strconv.ParseInt(string(req.MsgID), 10, 64)
	if err != nil {
		return failure(65416)
	}
	list, next := []wxapi.KFMessage{}, after
	for _, r := range p.desk.records {
		if r.id > after && r.Time >= req.StartTime && r.Time <= req.EndTime && len(list) < req.Number {
			list, next = append(list, r.KFMessage), r.id
		}
	}
	return object(map[string]any{"recordlist": list, "number": len(list), "msgid": next})
}
