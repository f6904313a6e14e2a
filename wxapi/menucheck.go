package wxapi

import "fmt"

// buttonNeeds are the fields that a button's type needs.
//
// https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html
var buttonNeeds = map[string][]string{
	"click":                {"key"},
	"view":                 {"url"},
	"miniprogram":          {"url", "appid", "pagepath"},
	"scancode_push":        {"key"},
	"scancode_waitmsg":     {"key"},
	"pic_sysphoto":         {"key"},
	"pic_photo_or_album":   {"key"},
	"pic_weixin":           {"key"},
	"location_select":      {"key"},
	"media_id":             {"media_id"},
	"view_limited":         {"media_id"},
	"article_id":           {"article_id"},
	"article_view_limited": {"article_id"},
}

// checkMenu checks what depends on the buttons' types. The shape has seen to
// it that everything is of its own kind.
func checkMenu(in *object) *RequestError {
	return eachButton("button", in, func(path string, b *object) *RequestError {
		subs, _ := b.get("sub_button")
		if isEmpty(subs) {
			return checkButton(path, b)
		}
		if b.text("type") != "" {
			return refuse(path+".type", "is %q, but an entry with a sub_button does nothing of its own; leave it out", b.text("type"))
		}
		return eachButton("sub_button", b, func(sub string, b *object) *RequestError {
			if v, _ := b.get("sub_button"); !isEmpty(v) {
				return refuse(path+"."+sub+".sub_button", "is a third level, and a menu has two")
			}
			return checkButton(path+"."+sub, b)
		})
	})
}

func eachButton(key string, in *object, check func(path string, b *object) *RequestError) *RequestError {
	list, _ := in.get(key)
	for i, b := range list.([]any) {
		if problem := check(fmt.Sprintf("%s[%d]", key, i), b.(*object)); problem != nil {
			return problem
		}
	}
	return nil
}

func checkButton(path string, b *object) *RequestError {
	kind := b.text("type")
	if kind == "" {
		return refuse(path+".type", "is missing: without it an entry needs a sub_button")
	}
	for _, field := range buttonNeeds[kind] {
		if b.text(field) == "" {
			return refuse(path+"."+field, "is missing: the type is %s", kind)
		}
	}
	return nil
}

// checkConditionalMenu: a menu for everybody is refused with 65304.
func checkConditionalMenu(in *object) *RequestError {
	rule, _ := in.get("matchrule")
	for _, field := range []string{"tag_id", "client_platform_type", "language"} {
		if v, _ := rule.(*object).get(field); !isEmpty(v) {
			return checkMenu(in)
		}
	}
	return refuse("matchrule", "needs a tag_id, client_platform_type or language")
}
