package wxsim

import (
	"strconv"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "get_current_autoreply", method: "GET", path: "/cgi-bin/get_current_autoreply_info", run: autoreply})
	stateful(endpoint{name: "switch_draft_box", method: "POST", path: "/cgi-bin/draft/switch", body: bodyJSON, run: draftSwitch})
	stateful(endpoint{name: "get_subscribe_categories", method: "GET", path: "/wxaapi/newtmpl/getcategory", run: noticeCategories})
	stateful(endpoint{name: "get_subscribe_template_titles", method: "GET", path: "/wxaapi/newtmpl/getpubtemplatetitles", run: noticeTitles})
	stateful(endpoint{name: "get_subscribe_template_keywords", method: "GET", path: "/wxaapi/newtmpl/getpubtemplatekeywords", run: noticeKeywords})
	stateful(endpoint{name: "change_openid", method: "POST", path: "/cgi-bin/changeopenid", body: bodyJSON, run: changeOpenIDs})
}

// autoreply: on the simulator's console nobody has set a rule.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Getting_Rules_for_Auto_Replies.html
func autoreply(*Platform, *exchange) answer {
	return object(map[string]any{"is_add_friend_reply_open": 0, "is_autoreply_open": 0})
}

// draftSwitch: the draft box is on from the start, and there is no way back.
func draftSwitch(_ *Platform, x *exchange) answer {
	if only := x.query.Get("checkonly"); only != "" && only != "0" && only != "1" {
		return failure(40097)
	}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "is_open": 1})
}

// The library of notifications: one category with two templates.
var (
	libraryCategories = []wxapi.SubscribeCategory{{ID: 616, Name: "公交"}}
	libraryTitles     = []wxapi.SubscribeTemplateTitle{
		{TID: 99, Title: "付款成功通知", Type: 2, CategoryID: "616"}, {TID: 401, Title: "到站提醒", Type: 3, CategoryID: "616"},
	}
	libraryKeywords = []wxapi.SubscribeKeyword{
		{KID: 1, Name: "物品名称", Example: "名称", Rule: "thing"},
		{KID: 2, Name: "时间", Example: "2019年8月8日", Rule: "time"},
		{KID: 3, Name: "备注", Example: "备注", Rule: "thing"},
	}
)

func noticeCategories(*Platform, *exchange) answer {
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "data": libraryCategories})
}

// wrongLibrary are WeChat's errcodes for the library's parameters.
func wrongLibrary(code int, what string) answer { return failureText(code, "invalid "+what) }

func noticeTitles(_ *Platform, x *exchange) answer {
	start, err1 := strconv.Atoi(x.query.Get("start"))
	limit, err2 := strconv.Atoi(x.query.Get("limit"))
	switch {
	case x.query.Get("ids") == "":
		return wrongLibrary(200018, "ids")
	case err1 != nil || start < 0:
		return wrongLibrary(200016, "start")
	case err2 != nil || limit < 1 || limit > 30:
		return wrongLibrary(200017, "limit")
	}
	found := []wxapi.SubscribeTemplateTitle{}
	for _, t := range libraryTitles {
		if strings.Contains(","+x.query.Get("ids")+",", ","+t.CategoryID+",") {
			found = append(found, t)
		}
	}
	from := min(start, len(found))
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "count": len(found), "data": found[from:min(from+limit, len(found))]})
}

func noticeKeywords(_ *Platform, x *exchange) answer {
	for _, t := range libraryTitles {
		if strconv.FormatInt(t.TID, 10) == x.query.Get("tid") {
			return object(map[string]any{"errcode": 0, "errmsg": "ok", "count": len(libraryKeywords), "data": libraryKeywords})
		}
	}
	return wrongLibrary(200014, "tid")
}

// changeOpenIDs: the other account had the same followers, by the same OpenIDs.
func changeOpenIDs(p *Platform, x *exchange) answer {
	var req wxapi.ChangeOpenIDRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch n := len(req.OpenIDList); {
	case req.FromAppID == "" || req.FromAppID == p.cfg.AppID:
		return failure(40013)
	case n == 0 || n > 100:
		return failure(40032)
	}
	list := []wxapi.ChangedOpenID{}
	for _, openID := range req.OpenIDList {
		changed := wxapi.ChangedOpenID{OriOpenID: openID, NewOpenID: openID, ErrMsg: "ok"}
		if p.followers.all[openID] == nil {
			changed.NewOpenID, changed.ErrMsg = "", "ori_openid error"
		}
		list = append(list, changed)
	}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "result_list": list})
}
