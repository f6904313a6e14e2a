package wxapi

import "regexp"

const kfDoc = "https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html"

// GetKFList lists the account's customer service agents (客服).
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var GetKFList = define[GetKFListRequest, GetKFListResponse](Row{
	Name: "get_kf_list", Method: "GET", Path: "/cgi-bin/customservice/getkflist", Body: Query, Retry: Read,
	Proof: []string{"kf_list"}, Doc: kfDoc,
})

// GetKFListRequest is empty.
type GetKFListRequest struct{}

// GetKFListResponse has all agents.
type GetKFListResponse struct {
	KFList []KFAccount `json:"kf_list"`
}

// KFAccount is an agent. Who is behind it is KFWX, once they have accepted the
// invitation, which is waiting, rejected or expired until then.
type KFAccount struct {
	KFAccount        string `json:"kf_account"`
	KFHeadImgURL     string `json:"kf_headimgurl,omitempty"`
	KFID             string `json:"kf_id"`
	KFNick           string `json:"kf_nick"`
	KFWX             string `json:"kf_wx,omitempty"`
	InviteWX         string `json:"invite_wx,omitempty"`
	InviteExpireTime int64  `json:"invite_expire_time,omitempty"`
	InviteStatus     string `json:"invite_status,omitempty"`
}

// GetOnlineKFList lists the agents who are at work.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var GetOnlineKFList = define[GetOnlineKFListRequest, GetOnlineKFListResponse](Row{
	Name: "get_online_kf_list", Method: "GET", Path: "/cgi-bin/customservice/getonlinekflist", Body: Query, Retry: Read,
	Proof: []string{"kf_online_list"}, Doc: kfDoc,
})

// GetOnlineKFListRequest is empty.
type GetOnlineKFListRequest struct{}

// GetOnlineKFListResponse has the agents at work.
type GetOnlineKFListResponse struct {
	KFOnlineList []OnlineKF `json:"kf_online_list"`
}

// OnlineKF is an agent at work, with the number of open sessions. Status 1 is
// online on the web.
type OnlineKF struct {
	KFAccount    string `json:"kf_account"`
	Status       int    `json:"status"`
	KFID         string `json:"kf_id"`
	AcceptedCase int64  `json:"accepted_case"`
}

// AddKFAccount makes a customer service agent; an account can have 100. To be at
// work it must then be bound to somebody: [InviteKFWorker].
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var AddKFAccount = define[AddKFAccountRequest, AddKFAccountResponse](Row{
	Name: "add_kf_account", Method: "POST", Path: "/customservice/kfaccount/add", Doc: kfDoc, checks: checkKFAccount,
})

// AddKFAccountRequest has the agent's name for the API, a prefix of up to 10
// letters and digits and after an @ the account's WeChat id, and the one that
// followers see.
type AddKFAccountRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	Nickname  string `json:"nickname" wx:"required,runes=16"`
}

// AddKFAccountResponse is empty.
type AddKFAccountResponse struct{}

// kfAccount: 完整客服帐号，格式为：帐号前缀@公众号微信号，帐号前缀最多10个字符，必须是英文、数字字符或者下划线.
var kfAccount = regexp.MustCompile(`^[A-Za-z0-9_]{1,10}@[^@\s]+$`)

func checkKFAccount(in *object) *RequestError {
	if !kfAccount.MatchString(in.text("kf_account")) {
		return refuse("kf_account", "must be 1 to 10 letters or digits, an @ and the account's WeChat id, such as test1@test")
	}
	return nil
}

// UpdateKFAccount changes the name that followers see of an agent.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var UpdateKFAccount = define[UpdateKFAccountRequest, UpdateKFAccountResponse](Row{
	Name: "update_kf_account", Method: "POST", Path: "/customservice/kfaccount/update", Doc: kfDoc, checks: checkKFAccount,
})

// UpdateKFAccountRequest names the agent and has the new nickname.
type UpdateKFAccountRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	Nickname  string `json:"nickname" wx:"required,runes=16"`
}

// UpdateKFAccountResponse is empty.
type UpdateKFAccountResponse struct{}

// DeleteKFAccount removes an agent.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var DeleteKFAccount = define[DeleteKFAccountRequest, DeleteKFAccountResponse](Row{
	Name: "delete_kf_account", Method: "GET", Path: "/customservice/kfaccount/del", Body: Query, Doc: kfDoc, checks: checkKFAccount,
})

// DeleteKFAccountRequest names the agent.
type DeleteKFAccountRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
}

// DeleteKFAccountResponse is empty.
type DeleteKFAccountResponse struct{}

// InviteKFWorker invites somebody to work as an agent; they accept it on the
// phone.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var InviteKFWorker = define[InviteKFWorkerRequest, InviteKFWorkerResponse](Row{
	Name: "invite_kf_worker", Method: "POST", Path: "/customservice/kfaccount/inviteworker", Doc: kfDoc, checks: checkKFAccount,
})

// InviteKFWorkerRequest names the agent and somebody's WeChat id.
type InviteKFWorkerRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	InviteWX  string `json:"invite_wx" wx:"required"`
}

// InviteKFWorkerResponse is empty.
type InviteKFWorkerResponse struct{}

// UploadKFHeadImg uploads an agent's picture: a jpg, best of 640 by 640 points.
//
// https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Management.html
var UploadKFHeadImg = define[UploadKFHeadImgRequest, UploadKFHeadImgResponse](Row{
	Name: "upload_kf_headimg", Method: "POST", Path: "/customservice/kfaccount/uploadheadimg", Body: Upload,
	Query: []string{"kf_account"}, Doc: kfDoc, checks: checkKFAccount,
	// WeChat names no limit; 10 MB is what it takes of other pictures.
	attach: func(*object) mediaRule { return mediaRule{"media", 10 << 20, []string{".jpg"}} },
})

// UploadKFHeadImgRequest names the agent and has the picture.
type UploadKFHeadImgRequest struct {
	KFAccount string `json:"kf_account" wx:"required"`
	Filename  string `json:"filename,omitempty"` // its extension must fit; directories are cut off
	Media     Media  `json:"media" wx:"required"`
}

// UploadKFHeadImgResponse is empty.
type UploadKFHeadImgResponse struct{}
