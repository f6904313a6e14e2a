package wxapi

// GetUserInfo tells what WeChat knows about one follower (用户基本信息).
//
// Since 2021-12-27 that is no longer the nickname and the picture. Of somebody
// who does not follow only Subscribe 0 and the OpenID come back.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
var GetUserInfo = define[GetUserInfoRequest, UserInfo](Row{
	Name: "get_user_info", Method: "GET", Path: "/cgi-bin/user/info", Body: Query, Retry: Read,
	Lane: "openid", Proof: []string{"subscribe"},
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html",
})

// GetUserInfoRequest names the follower. Lang is the language of the places'
// names; WeChat's default is zh_CN.
type GetUserInfoRequest struct {
	OpenID string `json:"openid" wx:"required,openid"`
	Lang   string `json:"lang,omitempty" wx:"one=zh_CN|zh_TW|en"`
}

// UserInfo is one follower. WeChat leaves out or empties what it no longer
// tells (Nickname to HeadImgURL).
type UserInfo struct {
	Subscribe      int     `json:"subscribe"` // 1 follows, 0 does not
	OpenID         string  `json:"openid"`
	UnionID        string  `json:"unionid,omitempty"` // only of accounts bound to an open platform
	SubscribeTime  int64   `json:"subscribe_time,omitempty"`
	SubscribeScene string  `json:"subscribe_scene,omitempty"` // ADD_SCENE_QR_CODE, ADD_SCENE_SEARCH, …
	QRScene        int64   `json:"qr_scene,omitempty"`
	QRSceneStr     string  `json:"qr_scene_str,omitempty"`
	Remark         string  `json:"remark,omitempty"`
	GroupID        int64   `json:"groupid,omitempty"`
	TagIDList      []int64 `json:"tagid_list,omitempty"`
	Language       string  `json:"language,omitempty"`

	Nickname   string `json:"nickname,omitempty"`
	Sex        int    `json:"sex,omitempty"`
	City       string `json:"city,omitempty"`
	Province   string `json:"province,omitempty"`
	Country    string `json:"country,omitempty"`
	HeadImgURL string `json:"headimgurl,omitempty"`
}
