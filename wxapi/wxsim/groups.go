package wxsim

import (
	"slices"
	"unicode/utf8"
)

func init() {
	stateful(endpoint{name: "get_groups", method: "GET", path: "/cgi-bin/groups/get", run: getGroups})
	stateful(endpoint{name: "create_group", method: "POST", path: "/cgi-bin/groups/create", body: bodyJSON, run: createGroup})
	stateful(endpoint{name: "update_group", method: "POST", path: "/cgi-bin/groups/update", body: bodyJSON, run: updateGroup})
	stateful(endpoint{name: "update_group_of_user", method: "POST", path: "/cgi-bin/groups/members/update", body: bodyJSON, run: updateGroupOfUser})
	stateful(endpoint{name: "get_group_of_user", method: "POST", path: "/cgi-bin/groups/getid", body: bodyJSON, run: getGroupOfUser})
	stateful(endpoint{name: "update_group_of_users", method: "POST", path: "/cgi-bin/groups/members/batchupdate", body: bodyJSON, run: updateGroupOfUsers})
	stateful(endpoint{name: "delete_group", method: "POST", path: "/cgi-bin/groups/delete", body: bodyJSON, run: deleteGroup})
}

// Groups 0 to 2 are WeChat's own and can't be changed; an account's begin at 100.
const (
	groupNone         = 0
	groupBlacklist    = 1
	lastReservedGroup = 2
	firstOwnGroup     = 100
	maxGroupName      = 30 // characters
)

// groups are the account's groups, and its tags, which took their place and share their ids, in the order they were
// made, the reserved ones first. The platform's lock guards them. Who is in which is a field of each follower, so
// that the counts can't disagree.
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

// create makes a group or a tag; nil when there are enough.
func (g *groups) create(name string, most int) *group {
	if len(g.list)-lastReservedGroup-1 >= most {
		return nil
	}
	made := &group{ID: g.next, Name: name}
	g.next++
	g.list = append(g.list, made)
	return made
}

// dissolve deletes a group or a tag, and takes it from all who have it.
func (p *Platform) dissolve(id int64) {
	p.groups.list = slices.DeleteFunc(p.groups.list, func(g *group) bool { return g.ID == id })
	for _, f := range p.followers.all {
		f.tags = without(f.tags, id)
	}
}

func without(tags []int64, id int64) []int64 {
	return slices.DeleteFunc(tags, func(tag int64) bool { return tag == id })
}

// move puts a follower into another group, out of the one they are in.
func (p *Platform) move(f *follower, id int64) {
	if id == groupBlacklist {
		p.block(f)
		return
	}
	f.blocked = false
	f.tags = without(f.tags, f.group())
	if id != groupNone {
		f.tags = append([]int64{id}, without(f.tags, id)...)
	}
}

func getGroups(p *Platform, _ *exchange) answer {
	counts := map[int64]int{}
	for _, f := range p.followers.all {
		if f.following {
			counts[f.group()]++
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
	g := p.groups.create(req.Group.Name, p.cfg.MaxGroups)
	if g == nil {
		return failure(45018)
	}
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
	p.move(f, *req.ToGroupID)
	return ok()
}

// maxOpenIDs is how many followers one call can tag or move.
const maxOpenIDs = 50

func updateGroupOfUsers(p *Platform, x *exchange) answer {
	var req struct {
		OpenIDList []string `json:"openid_list"`
		ToGroupID  *int64   `json:"to_groupid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	list, code := p.following(req.OpenIDList, maxOpenIDs)
	switch {
	case code != 0:
		return failure(code)
	case req.ToGroupID == nil || p.groups.get(*req.ToGroupID) == nil:
		return failure(40050)
	}
	for _, f := range list {
		p.move(f, *req.ToGroupID)
	}
	return ok()
}

func getGroupOfUser(p *Platform, x *exchange) answer {
	var req struct {
		OpenID string `json:"openid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.OpenID]
	if f == nil || !f.following {
		return failure(40003)
	}
	return object(map[string]any{"groupid": f.group()})
}

func deleteGroup(p *Platform, x *exchange) answer {
	var req groupRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch id := req.Group.ID; {
	case id == nil || p.groups.get(*id) == nil:
		return failure(40050)
	case *id <= lastReservedGroup:
		return failure(45016)
	default:
		p.dissolve(*id)
	}
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
