package wxsim

import "slices"

func init() {
	stateful(endpoint{name: "get_user_info", method: "GET", path: "/cgi-bin/user/info", run: userInfo})
	stateful(endpoint{name: "get_user_list", method: "GET", path: "/cgi-bin/user/get", run: userList})
}

// userInfo is user/info. Since 2021-12-27 it tells nothing about the person behind the OpenID: the fields are
// there and empty.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
func userInfo(p *Platform, x *exchange) answer {
	openID := x.query.Get("openid")
	if openID == "" {
		return failure(41009)
	}
	lang := x.query.Get("lang")
	if lang == "" {
		lang = "zh_CN"
	}
	if !slices.Contains([]string{"zh_CN", "zh_TW", "en"}, lang) {
		return failure(40035)
	}
	f := p.followers.all[openID]
	switch {
	case f == nil:
		return failure(40003)
	case !f.following:
		return object(map[string]any{"subscribe": 0, "openid": openID})
	}
	return object(struct {
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
		Subscribe: 1, OpenID: f.openID, Language: lang, SubscribeTime: f.since.Unix(), GroupID: f.group,
		TagIDList: []int64{}, SubscribeScene: f.scene, QRScene: sceneNumber(f.qrScene), QRSceneStr: sceneText(f.qrScene),
	})
}

// userList is user/get: who follows, in the order in which they came, a page at a time. next_openid is the last
// OpenID of the page, and empty when the page is.
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html
func userList(p *Platform, x *exchange) answer {
	all := p.followers.sorted()
	start := 0
	if after := x.query.Get("next_openid"); after != "" {
		i := slices.IndexFunc(all, func(f *follower) bool { return f.openID == after })
		if i < 0 {
			return failure(40003)
		}
		start = i + 1
	}
	page := all[start:min(start+p.cfg.PageSize, len(all))]
	list := map[string]any{"total": len(all), "count": len(page), "next_openid": ""}
	if len(page) > 0 {
		ids := make([]string, len(page))
		for i, f := range page {
			ids[i] = f.openID
		}
		list["data"] = map[string]any{"openid": ids}
		list["next_openid"] = ids[len(ids)-1]
	}
	return object(list)
}
