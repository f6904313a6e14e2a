package wxsim

import (
	"net/url"
	"slices"
)

// What WeChat documents about menus.
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html
const (
	maxButtons    = 3
	maxSubButtons = 5
	maxKey        = 128
	maxButtonURL  = 1024
)

// buttonRule is how one level of a menu is checked: the longest name, and the errcodes that differ by level.
type buttonRule struct {
	maxName                               int
	kind, name, key, url, domain, mediaID int
}

var (
	firstLevel  = buttonRule{16, 40017, 40018, 40019, 40020, 40055, 40117}
	secondLevel = buttonRule{60, 40024, 40025, 40026, 40027, 40054, 40118}
)

// checkMenu returns 0 or the errcode of the first mistake, and gives every entry its sub_button.
func checkMenu(buttons []menuButton) int {
	if n := len(buttons); n == 0 || n > maxButtons {
		return 40016
	}
	for i := range buttons {
		b := &buttons[i]
		if len(b.SubButton) == 0 {
			b.SubButton = []menuButton{}
			if code := firstLevel.check(b); code != 0 {
				return code
			}
			continue
		}
		switch {
		case len(b.SubButton) > maxSubButtons:
			return 40023
		case b.Name == "" || len(b.Name) > firstLevel.maxName:
			return firstLevel.name
		}
		for j := range b.SubButton {
			sub := &b.SubButton[j]
			if len(sub.SubButton) > 0 {
				return 40022
			}
			sub.SubButton = []menuButton{}
			if code := secondLevel.check(sub); code != 0 {
				return code
			}
		}
	}
	return 0
}

// check looks at an entry that does something.
func (r *buttonRule) check(b *menuButton) int {
	if b.Name == "" || len(b.Name) > r.maxName {
		return r.name
	}
	switch b.Type {
	case "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select":
		if b.Key == "" || len(b.Key) > maxKey {
			return r.key
		}
	case "view":
		return r.checkURL(b.URL)
	case "miniprogram":
		switch code := r.checkURL(b.URL); {
		case code != 0:
			return code
		case b.AppID == "":
			return 40013
		case b.PagePath == "":
			return 40165
		}
	case "media_id", "view_limited":
		if b.MediaID == "" {
			return r.mediaID
		}
	case "article_id", "article_view_limited":
		if b.ArticleID == "" {
			return 47003
		}
	default:
		return r.kind
	}
	return 0
}

func (r *buttonRule) checkURL(address string) int {
	if address == "" || len(address) > maxButtonURL {
		return r.url
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return r.domain
	}
	return 0
}
