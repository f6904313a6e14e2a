package wxsim

import (
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "get_kf_list", method: "GET", path: "/cgi-bin/customservice/getkflist", run: kfList})
	stateful(endpoint{name: "get_online_kf_list", method: "GET", path: "/cgi-bin/customservice/getonlinekflist", run: kfOnline})
	stateful(endpoint{name: "add_kf_account", method: "POST", path: "/customservice/kfaccount/add", body: bodyJSON, run: kfAdd})
	stateful(endpoint{name: "update_kf_account", method: "POST", path: "/customservice/kfaccount/update", body: bodyJSON, run: kfUpdate})
	stateful(endpoint{name: "delete_kf_account", method: "GET", path: "/customservice/kfaccount/del", run: kfDelete})
	stateful(endpoint{name: "invite_kf_worker", method: "POST", path: "/customservice/kfaccount/inviteworker", body: bodyJSON, run: kfInvite})
	stateful(endpoint{name: "upload_kf_headimg", method: "POST", path: "/customservice/kfaccount/uploadheadimg", body: bodyFile, run: kfHeadImg})
}

const (
	maxAgents    = 100
	maxAgentNick = 16
	firstAgentID = 1001
)

// desk is the account's customer service: agents, their sessions with followers, who waits for one, and what was
// said. The platform's lock guards it.
type desk struct {
	agents   []*agent
	made     int64 // agents ever made
	sessions []*session
	waiting  []wxapi.KFWaitCase
	records  []record
}

// agent is one kf_account. In the simulator whoever is invited accepts at once, and is then at work.
type agent struct {
	account, nick, picture string
	id                     int64
	worker                 string // the WeChat id of who is behind it; "" while nobody is
}

func (d *desk) agent(account string) *agent {
	for _, a := range d.agents {
		if a.account == account {
			return a
		}
	}
	return nil
}

// agentName: up to 10 letters, digits or underscores, an @ and the account's WeChat id.
var agentName = regexp.MustCompile(`^[A-Za-z0-9_]{1,10}@[^@\s]+$`)

type agentRequest struct {
	KFAccount string `json:"kf_account"`
	Nickname  string `json:"nickname"`
	InviteWX  string `json:"invite_wx"`
}

func (r agentRequest) errcode() int {
	switch n := utf8.RuneCountInString(r.Nickname); {
	case !agentName.MatchString(r.KFAccount):
		return 65404
	case n == 0 || n > maxAgentNick:
		return 65403
	}
	return 0
}

// kfAdd is kfaccount/add.
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
func kfAdd(p *Platform, x *exchange) answer {
	var req agentRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch code := req.errcode(); {
	case code != 0:
		return failure(code)
	case p.desk.agent(req.KFAccount) != nil:
		return failure(65406)
	case len(p.desk.agents) >= maxAgents:
		return failure(65405)
	}
	p.desk.agents = append(p.desk.agents, &agent{account: req.KFAccount, nick: req.Nickname, id: firstAgentID + p.desk.made})
	p.desk.made++
	return ok()
}

func kfUpdate(p *Platform, x *exchange) answer {
	var req agentRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	one := p.desk.agent(req.KFAccount)
	switch code := req.errcode(); {
	case one == nil:
		return failure(65401)
	case code != 0:
		return failure(code)
	}
	one.nick = req.Nickname
	return ok()
}

// kfDelete is kfaccount/del. The agent's sessions end with it.
func kfDelete(p *Platform, x *exchange) answer {
	account := x.query.Get("kf_account")
	if p.desk.agent(account) == nil {
		return failure(65401)
	}
	p.desk.agents = slices.DeleteFunc(p.desk.agents, func(a *agent) bool { return a.account == account })
	p.desk.sessions = slices.DeleteFunc(p.desk.sessions, func(s *session) bool { return s.account == account })
	return ok()
}

// kfInvite is kfaccount/inviteworker.
func kfInvite(p *Platform, x *exchange) answer {
	var req agentRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	one := p.desk.agent(req.KFAccount)
	switch {
	case one == nil:
		return failure(65401)
	case one.worker != "":
		return failure(65412)
	case req.InviteWX == "":
		return failure(65409)
	case slices.ContainsFunc(p.desk.agents, func(a *agent) bool { return a.worker == req.InviteWX }):
		return failure(65407)
	}
	one.worker = req.InviteWX
	return ok()
}

// headImg is what kfaccount/uploadheadimg takes.
var headImg = mediaType{10 << 20, 40009, []string{".jpg", ".jpeg"}, []string{"image/jpeg"}}

func kfHeadImg(p *Platform, x *exchange) answer {
	one := p.desk.agent(x.query.Get("kf_account"))
	if one == nil {
		return failure(65401)
	}
	file, err := x.file()
	if err != nil {
		return failure(41005)
	}
	switch code := headImg.takes(file); code {
	case 0:
	case 40005:
		return failure(61457)
	default:
		return failure(code)
	}
	id := newMediaID()
	p.media.put(id, &medium{typ: "headimg", data: file.data}, x.now)
	one.picture = fileURL(x, id)
	return ok()
}

func kfList(p *Platform, _ *exchange) answer {
	list := []wxapi.KFAccount{}
	for _, a := range p.desk.agents {
		list = append(list, wxapi.KFAccount{
			KFAccount: a.account, KFHeadImgURL: a.picture, KFID: strconv.FormatInt(a.id, 10), KFNick: a.nick, KFWX: a.worker,
		})
	}
	return object(map[string]any{"kf_list": list})
}

func kfOnline(p *Platform, _ *exchange) answer {
	list := []wxapi.OnlineKF{}
	for _, a := range p.desk.agents {
		if a.worker == "" {
			continue
		}
		cases := int64(0)
		for _, s := range p.desk.sessions {
			if s.account == a.account {
				cases++
			}
		}
		list = append(list, wxapi.OnlineKF{KFAccount: a.account, Status: 1, KFID: strconv.FormatInt(a.id, 10), AcceptedCase: cases})
	}
	return object(map[string]any{"kf_online_list": list})
}
