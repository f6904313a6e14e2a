package wxsim

import (
	"slices"
	"unicode/utf8"
)

func init() {
	stateful(endpoint{name: "get_user_info", method: "GET", path: "/cgi-bin/user/info", run: userInfo})
	stateful(endpoint{name: "batch_get_user_info", method: "POST", path: "/cgi-bin/user/info/batchget", body: bodyJSON, run: batchUserInfo})
	stateful(endpoint{name: "update_user_remark", method: "POST", path: "/cgi-bin/user/info/updateremark", body: bodyJSON, run: updateRemark})
	stateful(endpoint{name: "get_user_list", method: "GET", path: "/cgi-bin/user/get", run: userList})
}

func userInfo(p *Platform, x *exchange) answer {
	info, code := p.info(x.query.Get("openid"), x.query.Get("lang"))
	if code != 0 {
		return failure(code)
	}
	return object(info)
}

// maxUserInfos is how many users one call of user/info/batchget can ask for.
const maxUserInfos = 100

func batchUserInfo(p *Platform, x *exchange) answer {
	var req struct {
		UserList []struct {
			OpenID string `json:"openid"`
			Lang   string `json:"lang"`
		} `json:"user_list"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if n := len(req.UserList); n == 0 || n > maxUserInfos {
		return failure(40032)
	}
	list := make([]any, len(req.UserList))
	for i, one := range req.UserList {
		info, code := p.info(one.OpenID, one.Lang)
		if code != 0 {
			return failure(code)
		}
		list[i] = info
	}
	return object(map[string]any{"user_info_list": list})
}

// info is what WeChat tells about somebody, or the errcode. Since 2021-12-27 that is nothing about the person behind
// the OpenID: the fields are there and empty.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
func (p *Platform) info(openID, lang string) (any, int) {
	if openID == "" {
		return nil, 41009
	}
	if lang == "" {
		lang = defaultLanguage
	}
	if !slices.Contains([]string{defaultLanguage, "zh_TW", "en"}, lang) {
		return nil, 40035
	}
	f := p.followers.all[openID]
	switch {
	case f == nil:
		return nil, 40003
	case !f.following:
		return map[string]any{"subscribe": 0, "openid": openID}, 0
	}
	return struct {
		Subscribe      int     `json:"subscribe"`
		OpenID         string  `json:"openid"`
		Nickname       string  `json:"nickname"`
		Sex            int     `json:"sex"`
		Language       string  `json:"language"`
		City           string  `json:"city"`
		Province       string  `json:"province"`
		Country        string  `json:"country"`
		HeadImgURL     string  `json:"headimgurl"`
		SubscribeTime  int64   `json:"subscribe_time"`
		Remark         string  `json:"remark"`
		GroupID        int64   `json:"groupid"`
		TagIDList      []int64 `json:"tagid_list"`
		SubscribeScene string  `json:"subscribe_scene"`
		QRScene        int64   `json:"qr_scene"`
		QRSceneStr     string  `json:"qr_scene_str"`
	}{
		Subscribe: 1, OpenID: f.openID, Language: lang, SubscribeTime: f.since.Unix(), Remark: f.remark, GroupID: f.group(),
		TagIDList: append([]int64{}, f.tags...), SubscribeScene: f.scene, QRScene: sceneNumber(f.qrScene), QRSceneStr: sceneText(f.qrScene),
	}, 0
}

// defaultLanguage is what places are named in, and what followers' phones are set to.
const defaultLanguage = "zh_CN"

// maxRemark is in characters; a remark must be shorter than 30.
const maxRemark = 29

func updateRemark(p *Platform, x *exchange) answer {
	var req struct {
		OpenID string `json:"openid"`
		Remark string `json:"remark"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	f := p.followers.all[req.OpenID]
	switch {
	case f == nil || !f.following:
		return failure(40003)
	case utf8.RuneCountInString(req.Remark) > maxRemark:
		return failure(40035)
	}
	f.remark = req.Remark
	return ok()
}

// userList is user/get: who follows, in the order in which they came, a page at a time.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html
func userList(p *Platform, x *exchange) answer {
	list, code := p.page(p.followers.sorted(), x.query.Get("next_openid"), came)
	if code != 0 {
		return failure(code)
	}
	list["total"] = len(p.followers.sorted())
	return object(list)
}

// came is the place of a follower in lists of followers.
func came(f *follower) int { return f.order }

// page cuts one page out of a list: what comes after the OpenID, which may have left the list since it was told.
// next_openid is the last OpenID of the page, and empty when the page is; then data is missing.
func (p *Platform) page(all []*follower, after string, place func(*follower) int) (map[string]any, int) {
	start := 0
	if after != "" {
		last := p.followers.all[after]
		if last == nil {
			return nil, 40003
		}
		start = len(all)
		if i := slices.IndexFunc(all, func(f *follower) bool { return place(f) > place(last) }); i >= 0 {
			start = i
		}
	}
	page := all[start:min(start+p.cfg.PageSize, len(all))]
	list := map[string]any{"count": len(page), "next_openid": ""}
	if len(page) > 0 {
		ids := make([]string, len(page))
		for i, f := range page {
			ids[i] = f.openID
		}
		list["data"] = map[string]any{"openid": ids}
		list["next_openid"] = ids[len(ids)-1]
	}
	return list, 0
}

// following finds the followers of a list, or the errcode: 40032 for a list that is empty or too long, 40003 for
// one who doesn't follow.
func (p *Platform) following(openIDs []string, most int) ([]*follower, int) {
	if n := len(openIDs); n == 0 || n > most {
		return nil, 40032
	}
	list := make([]*follower, len(openIDs))
	for i, openID := range openIDs {
		list[i] = p.followers.all[openID]
		if list[i] == nil || !list[i].following {
			return nil, 40003
		}
	}
	return list, 0
}
