package wxsim

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func init() {
	stateful(endpoint{name: "create_conditional_menu", method: "POST", path: "/cgi-bin/menu/addconditional", body: bodyJSON, run: addConditional})
	stateful(endpoint{name: "delete_conditional_menu", method: "POST", path: "/cgi-bin/menu/delconditional", body: bodyJSON, run: deleteConditional})
	stateful(endpoint{name: "match_menu", method: "POST", path: "/cgi-bin/menu/trymatch", body: bodyJSON, run: tryMatch})
}

// conditionalMenu is a personalised menu, written as menu/get lists it.
type conditionalMenu struct {
	Button []menuButton `json:"button"`
	Rule   appliedRule  `json:"matchrule"`
	ID     int64        `json:"menuid"`
}

// appliedRule says whose menu it is. menu/get tells the tag by the older name.
type appliedRule struct {
	Tag      int64  `json:"group_id,omitempty"`
	Platform int64  `json:"client_platform_type,omitempty"`
	Language string `json:"language,omitempty"`
}

// All followers' phones are alike, but for their tags.
const phonePlatform = 1 // iOS

func (r appliedRule) fits(f *follower) bool {
	return (r.Tag == 0 || f.tagged(r.Tag)) &&
		(r.Platform == 0 || r.Platform == phonePlatform) &&
		(r.Language == "" || r.Language == defaultLanguage)
}

const (
	maxConditional        = 100 // WeChat has a limit (65305), and doesn't tell how many
	maxConditionalDomains = 3   // to which all of them together may lead
)

// anyNumber is a JSON number, in quotes or not: WeChat documents matchrule with, and answers it without.
type anyNumber int64

func (n *anyNumber) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "" || text == "null" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	*n = anyNumber(v)
	return err
}

// addConditional is menu/addconditional.
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Personalized_menu_interface.html
func addConditional(p *Platform, x *exchange) answer {
	var req struct {
		Button    []menuButton `json:"button"`
		MatchRule struct {
			TagID              anyNumber `json:"tag_id"`
			GroupID            anyNumber `json:"group_id"`
			ClientPlatformType anyNumber `json:"client_platform_type"`
			Language           string    `json:"language"`
		} `json:"matchrule"`
	}
	if a, ok := x.menu(&req); !ok {
		return a
	}
	rule := appliedRule{int64(max(req.MatchRule.TagID, req.MatchRule.GroupID)), int64(req.MatchRule.ClientPlatformType), req.MatchRule.Language}
	switch {
	case p.menus.buttons == nil:
		return failure(65303)
	case rule == appliedRule{}:
		return failure(65304)
	case len(p.menus.conditional) >= maxConditional:
		return failure(65305)
	}
	if code := checkMenu(req.Button); code != 0 {
		return failure(code)
	}
	made := conditionalMenu{req.Button, rule, p.menus.nextID()}
	if domains(append(slices.Clone(p.menus.conditional), made)) > maxConditionalDomains {
		return failure(65316)
	}
	p.menus.conditional = append(p.menus.conditional, made)
	return object(map[string]any{"menuid": strconv.FormatInt(made.ID, 10)})
}

// domains counts the hosts to which menus lead.
func domains(all []conditionalMenu) int {
	hosts := map[string]bool{}
	note := func(b menuButton) {
		if u, err := url.Parse(b.URL); err == nil && b.Type == "view" {
			hosts[u.Host] = true
		}
	}
	for _, menu := range all {
		for _, b := range menu.Button {
			note(b)
			for _, sub := range b.SubButton {
				note(sub)
			}
		}
	}
	return len(hosts)
}

func deleteConditional(p *Platform, x *exchange) answer {
	var req struct {
		MenuID anyNumber `json:"menuid"`
	}
	if json.Unmarshal(x.body, &req) != nil {
		return failure(65301)
	}
	i := slices.IndexFunc(p.menus.conditional, func(m conditionalMenu) bool { return m.ID == int64(req.MenuID) })
	if i < 0 {
		return failure(65301)
	}
	p.menus.conditional = slices.Delete(p.menus.conditional, i, i+1)
	return ok()
}

// tryMatch tells whose menu somebody sees: the newest personalised one that fits, else the default one. Nobody here
// has a WeChat id (微信号), so user_id is an OpenID.
func tryMatch(p *Platform, x *exchange) answer {
	var req struct {
		UserID string `json:"user_id"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.UserID]
	switch {
	case f == nil || !f.following:
		return failure(65302)
	case p.menus.buttons == nil:
		return failure(46003)
	}
	buttons := p.menus.buttons
	for _, menu := range slices.Backward(p.menus.conditional) {
		if menu.Rule.fits(f) {
			buttons = menu.Button
			break
		}
	}
	return object(map[string]any{"button": buttons})
}
