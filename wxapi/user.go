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

// GetUserList lists who follows the account (获取用户列表), at most 10,000
// OpenIDs at a time; [Client.AllUsers] walks all pages.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html
var GetUserList = define[GetUserListRequest, OpenIDPage](Row{
	Name: "get_user_list", Method: "GET", Path: "/cgi-bin/user/get", Body: Query, Retry: Read,
	Proof: []string{"total", "count"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html",
})

// GetUserListRequest asks for the followers after NextOpenID, which is the
// former page's; without it for the first.
type GetUserListRequest struct {
	NextOpenID string `json:"next_openid,omitempty" wx:"openid"`
}

// OpenIDPage is a part of a list. The next part begins after NextOpenID; the
// list ends with a page whose Count is 0.
type OpenIDPage struct {
	Total      int64      `json:"total,omitempty"` // of the whole list, where WeChat tells
	Count      int64      `json:"count"`           // of this page
	Data       OpenIDData `json:"data"`            // WeChat leaves it out of an empty page
	NextOpenID string     `json:"next_openid"`
}

// OpenIDData has the OpenIDs of a page.
type OpenIDData struct {
	OpenID []string `json:"openid"`
}

// BatchGetUserInfo tells what WeChat knows about up to 100 users
// (批量获取用户基本信息); of those who do not follow, only Subscribe 0.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html
var BatchGetUserInfo = define[BatchGetUserInfoRequest, BatchGetUserInfoResponse](Row{
	Name: "batch_get_user_info", Method: "POST", Path: "/cgi-bin/user/info/batchget", Retry: Read,
	Proof: []string{"user_info_list"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Get_users_basic_information_UnionID.html",
})

// BatchGetUserInfoRequest names the users.
type BatchGetUserInfoRequest struct {
	UserList []GetUserInfoRequest `json:"user_list" wx:"required,items=100"`
}

// BatchGetUserInfoResponse has the users in the order of the request.
type BatchGetUserInfoResponse struct {
	UserInfoList []UserInfo `json:"user_info_list"`
}

// UpdateUserRemark sets the account's own name for a follower (设置用户备注名).
// It takes a verified service account.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Configuring_user_notes.html
var UpdateUserRemark = define[UpdateUserRemarkRequest, UpdateUserRemarkResponse](Row{
	Name: "update_user_remark", Method: "POST", Path: "/cgi-bin/user/info/updateremark", Lane: "openid",
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Configuring_user_notes.html",
	checks: checkUserRemark,
})

// UpdateUserRemarkRequest has the follower and the name, of fewer than 30
// characters; an empty one removes it.
type UpdateUserRemarkRequest struct {
	OpenID string `json:"openid" wx:"required,openid"`
	Remark string `json:"remark" wx:"runes=29"`
}

// UpdateUserRemarkResponse is empty.
type UpdateUserRemarkResponse struct{}

// checkUserRemark: the remark may be empty, but one that was forgotten must
// not remove the follower's.
func checkUserRemark(in *object) *RequestError {
	if v, _ := in.get("remark"); v == nil {
		return refuse("remark", "is missing; send an empty one to remove it")
	}
	return nil
}

// ChangeOpenID tells the OpenIDs that the followers of another account have with
// this one, to which that one was moved (帐号迁移), up to 100 at a time.
//
// It works for 15 days after the move.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html
var ChangeOpenID = define[ChangeOpenIDRequest, ChangeOpenIDResponse](Row{
	Name: "change_openid", Method: "POST", Path: "/cgi-bin/changeopenid", Retry: Read,
	Proof: []string{"result_list"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Getting_a_User_List.html",
})

// ChangeOpenIDRequest names the old account and its followers.
type ChangeOpenIDRequest struct {
	FromAppID  string   `json:"from_appid" wx:"required"`
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=100"`
}

// ChangeOpenIDResponse has the followers in the order of the request.
type ChangeOpenIDResponse struct {
	ResultList []ChangedOpenID `json:"result_list"`
}

// ChangedOpenID is one follower. ErrMsg is ok, or why there is no NewOpenID.
type ChangedOpenID struct {
	OriOpenID string `json:"ori_openid"`
	NewOpenID string `json:"new_openid"`
	ErrMsg    string `json:"err_msg"`
}
