package wxsim

import "slices"

func init() {
	stateful(endpoint{name: "get_blacklist", method: "POST", path: "/cgi-bin/tags/members/getblacklist", body: bodyJSON, run: getBlacklist})
	stateful(endpoint{name: "block_users", method: "POST", path: "/cgi-bin/tags/members/batchblacklist", body: bodyJSON, run: blockUsers})
	stateful(endpoint{name: "unblock_users", method: "POST", path: "/cgi-bin/tags/members/batchunblacklist", body: bodyJSON, run: unblockUsers})
}

// maxBlocked is how many one call can put on the blacklist.
const maxBlocked = 20

// block puts a follower on the blacklist: messages to them are answered 43019. Leaving doesn't take them off it.
func (p *Platform) block(f *follower) {
	if !f.blocked {
		p.followers.shut++
		f.blocked, f.blockedAs = true, p.followers.shut
	}
}

// getBlacklist lists the blacklist in the order in which people came on it.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
func getBlacklist(p *Platform, x *exchange) answer {
	var req struct {
		BeginOpenID string `json:"begin_openid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	place := func(f *follower) int { return f.blockedAs }
	all := []*follower{}
	for _, f := range p.followers.all {
		if f.blocked {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *follower) int { return place(a) - place(b) })
	list, code := p.page(all, req.BeginOpenID, place)
	if code != 0 {
		return failure(code)
	}
	list["total"] = len(all)
	return object(list)
}

func blockUsers(p *Platform, x *exchange) answer {
	return p.eachKnown(x, p.block)
}

func unblockUsers(p *Platform, x *exchange) answer {
	return p.eachKnown(x, func(f *follower) { f.blocked = false })
}

// eachKnown does something to everybody in the body's list, or to nobody: it may name those who once followed.
func (p *Platform) eachKnown(x *exchange, do func(*follower)) answer {
	var req struct {
		OpenIDList []string `json:"openid_list"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if n := len(req.OpenIDList); n == 0 || n > maxBlocked {
		return failure(40032)
	}
	for _, openID := range req.OpenIDList {
		if p.followers.all[openID] == nil {
			return failure(40003)
		}
	}
	for _, openID := range req.OpenIDList {
		do(p.followers.all[openID])
	}
	return ok()
}
