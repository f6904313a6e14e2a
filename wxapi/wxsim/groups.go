package wxsim

import "unicode/utf8"

func init() {
	stateful(endpoint{name: "get_groups", method: "GET", path: "/cgi-bin/groups/get", run: getGroups})
	stateful(endpoint{name: "create_group", method: "POST", path: "/cgi-bin/groups/create", body: bodyJSON, run: createGroup})
	stateful(endpoint{name: "update_group", method: "POST", path: "/cgi-bin/groups/update", body: bodyJSON, run: updateGroup})
	stateful(endpoint{name: "update_group_of_user", method: "POST", path: "/cgi-bin/groups/members/update", body: bodyJSON, run: updateGroupOfUser})
}

// Groups 0 to 2 are WeChat's own and can't be changed; an account's begin at 100.
const (
	lastReservedGroup = 2
	firstOwnGroup     = 100
	maxGroupName      = 30 // characters
)

// groups are the account's groups in the order they were made, the reserved ones first. The platform's lock
// guards them. Who is in which is a field of each follower, so that the counts can't disagree.
type groups struct {
	list []*group
	next int64
}

type group struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func newGroups() groups {
	return groups{
		list: []*group{{ID: 0, Name: "未分组"}, {ID: 1, Name: "黑名单"}, {ID: 2, Name: "星标组"}},
		next: firstOwnGroup,
	}
}

func (g *groups) get(id int64) *group {
	for _, one := range g.list {
		if one.ID == id {
			return one
		}
	}
	return nil
}

func getGroups(p *Platform, _ *exchange) answer {
	counts := map[int64]int{}
	for _, f := range p.followers.all {
		if f.following {
			counts[f.group]++
		}
	}
	list := make([]group, 0, len(p.groups.list))
	for _, g := range p.groups.list {
		list = append(list, group{ID: g.ID, Name: g.Name, Count: counts[g.ID]})
	}
	return object(map[string]any{"groups": list})
}

// groupRequest is the body of create and update.
type groupRequest struct {
	Group struct {
		ID   *int64 `json:"id"`
		Name string `json:"name"`
	} `json:"group"`
}

func createGroup(p *Platform, x *exchange) answer {
	var req groupRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if code := groupName(req.Group.Name); code != 0 {
		return failure(code)
	}
	if len(p.groups.list)-lastReservedGroup-1 >= p.cfg.MaxGroups {
		return failure(45018)
	}
	g := &group{ID: p.groups.next, Name: req.Group.Name}
	p.groups.next++
	p.groups.list = append(p.groups.list, g)
	return object(map[string]any{"group": map[string]any{"id": g.ID, "name": g.Name}})
}

func updateGroup(p *Platform, x *exchange) answer {
	var req groupRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if req.Group.ID == nil {
		return failure(40050)
	}
	g := p.groups.get(*req.Group.ID)
	switch {
	case g == nil:
		return failure(40050)
	case g.ID <= lastReservedGroup:
		return failure(45016)
	}
	if code := groupName(req.Group.Name); code != 0 {
		return failure(code)
	}
	g.Name = req.Group.Name
	return ok()
}

func updateGroupOfUser(p *Platform, x *exchange) answer {
	var req struct {
		OpenID    string `json:"openid"`
		ToGroupID *int64 `json:"to_groupid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.OpenID]
	switch {
	case f == nil || !f.following:
		return failure(40003)
	case req.ToGroupID == nil || p.groups.get(*req.ToGroupID) == nil:
		return failure(40050)
	}
	f.group = *req.ToGroupID
	return ok()
}

func groupName(name string) int {
	switch {
	case name == "":
		return 40051
	case utf8.RuneCountInString(name) > maxGroupName:
		return 45017
	}
	return 0
}
