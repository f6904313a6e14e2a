package wxsim

import (
	"slices"
	"unicode/utf8"
)

func init() {
	stateful(endpoint{name: "create_tag", method: "POST", path: "/cgi-bin/tags/create", body: bodyJSON, run: createTag})
	stateful(endpoint{name: "get_tags", method: "GET", path: "/cgi-bin/tags/get", run: getTags})
	stateful(endpoint{name: "update_tag", method: "POST", path: "/cgi-bin/tags/update", body: bodyJSON, run: updateTag})
	stateful(endpoint{name: "delete_tag", method: "POST", path: "/cgi-bin/tags/delete", body: bodyJSON, run: deleteTag})
	stateful(endpoint{name: "get_tag_users", method: "POST", path: "/cgi-bin/user/tag/get", body: bodyJSON, run: getTagUsers})
	stateful(endpoint{name: "tag_users", method: "POST", path: "/cgi-bin/tags/members/batchtagging", body: bodyJSON, run: tagUsers})
	stateful(endpoint{name: "untag_users", method: "POST", path: "/cgi-bin/tags/members/batchuntagging", body: bodyJSON, run: untagUsers})
	stateful(endpoint{name: "get_user_tags", method: "POST", path: "/cgi-bin/tags/getidlist", body: bodyJSON, run: getUserTags})
}

// What WeChat documents about tags. An account may have Config.MaxGroups of them.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
const (
	maxTagName  = 30 // characters
	maxUserTags = 20
	maxTagFans  = 100_000 // a tag with more can't be deleted
)

// tag finds what can be given to followers: an own tag, or 星标组, which is WeChat's.
func (p *Platform) tag(id int64) *group {
	if id <= groupBlacklist {
		return nil
	}
	return p.groups.get(id)
}

// tagged lists the followers with a tag.
func (p *Platform) tagged(id int64) []*follower {
	return slices.DeleteFunc(p.followers.sorted(), func(f *follower) bool { return !f.tagged(id) })
}

// tagName checks a name for the tag called id, 0 for a new one.
func (p *Platform) tagName(name string, id int64) int {
	switch {
	case name == "", slices.ContainsFunc(p.groups.list, func(g *group) bool { return g.Name == name && g.ID != id }):
		return 45157
	case utf8.RuneCountInString(name) > maxTagName:
		return 45158
	}
	return 0
}

type tagRequest struct {
	Tag struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"tag"`
}

func createTag(p *Platform, x *exchange) answer {
	var req tagRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if code := p.tagName(req.Tag.Name, 0); code != 0 {
		return failure(code)
	}
	made := p.groups.create(req.Tag.Name, p.cfg.MaxGroups)
	if made == nil {
		return failure(45056)
	}
	return object(map[string]any{"tag": map[string]any{"id": made.ID, "name": made.Name}})
}

func getTags(p *Platform, _ *exchange) answer {
	list := []group{}
	for _, g := range p.groups.list {
		if p.tag(g.ID) != nil {
			list = append(list, group{ID: g.ID, Name: g.Name, Count: len(p.tagged(g.ID))})
		}
	}
	return object(map[string]any{"tags": list})
}

func updateTag(p *Platform, x *exchange) answer {
	var req tagRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if code := p.ownTag(req.Tag.ID); code != 0 {
		return failure(code)
	}
	if code := p.tagName(req.Tag.Name, req.Tag.ID); code != 0 {
		return failure(code)
	}
	p.groups.get(req.Tag.ID).Name = req.Tag.Name
	return ok()
}

func deleteTag(p *Platform, x *exchange) answer {
	var req tagRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if code := p.ownTag(req.Tag.ID); code != 0 {
		return failure(code)
	}
	if len(p.tagged(req.Tag.ID)) > maxTagFans {
		return failure(45057)
	}
	p.dissolve(req.Tag.ID)
	return ok()
}

// ownTag is 0 for a tag that the account may change: 45058 for WeChat's own, 45159 for none at all.
func (p *Platform) ownTag(id int64) int {
	switch {
	case p.groups.get(id) == nil:
		return 45159
	case id <= lastReservedGroup:
		return 45058
	}
	return 0
}

func getTagUsers(p *Platform, x *exchange) answer {
	var req struct {
		TagID      int64  `json:"tagid"`
		NextOpenID string `json:"next_openid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if p.tag(req.TagID) == nil {
		return failure(45159)
	}
	list, code := p.page(p.tagged(req.TagID), req.NextOpenID, came)
	if code != 0 {
		return failure(code)
	}
	return object(list)
}

type taggingRequest struct {
	OpenIDList []string `json:"openid_list"`
	TagID      int64    `json:"tagid"`
}

func tagUsers(p *Platform, x *exchange) answer {
	var req taggingRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	list, code := p.following(req.OpenIDList, maxOpenIDs)
	switch {
	case code != 0:
		return failure(code)
	case p.tag(req.TagID) == nil:
		return failure(45159)
	}
	full := func(f *follower) bool { return len(f.tags) >= maxUserTags && !f.tagged(req.TagID) }
	if slices.ContainsFunc(list, full) {
		return failure(45059)
	}
	for _, f := range list {
		if !f.tagged(req.TagID) {
			f.tags = append(f.tags, req.TagID)
		}
	}
	return ok()
}

func untagUsers(p *Platform, x *exchange) answer {
	var req taggingRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	list, code := p.following(req.OpenIDList, maxOpenIDs)
	switch {
	case code != 0:
		return failure(code)
	case p.tag(req.TagID) == nil:
		return failure(45159)
	}
	for _, f := range list {
		f.tags = without(f.tags, req.TagID)
	}
	return ok()
}

func getUserTags(p *Platform, x *exchange) answer {
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
	return object(map[string]any{"tagid_list": append([]int64{}, f.tags...)})
}
