package wxapi

// blacklistDoc is WeChat's page about all of this file.
const blacklistDoc = "https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html"

// GetBlacklist lists whom the account has blocked (黑名单), at most 10,000
// OpenIDs at a time; [Client.AllBlockedUsers] walks all pages.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
var GetBlacklist = define[GetBlacklistRequest, OpenIDPage](Row{
	Name: "get_blacklist", Method: "POST", Path: "/cgi-bin/tags/members/getblacklist", Retry: Read,
	Proof: []string{"total", "count"}, Doc: blacklistDoc,
})

// GetBlacklistRequest asks for those after BeginOpenID, which is the former
// page's NextOpenID; without it for the first.
type GetBlacklistRequest struct {
	BeginOpenID string `json:"begin_openid" wx:"openid"`
}

// BlockUsers puts up to 20 users on the blacklist. They can't be written to
// (43019) until they are off it.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
var BlockUsers = define[BlockUsersRequest, BlockUsersResponse](Row{
	Name: "block_users", Method: "POST", Path: "/cgi-bin/tags/members/batchblacklist", Doc: blacklistDoc,
})

// BlockUsersRequest names the users.
type BlockUsersRequest struct {
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=20"`
}

// BlockUsersResponse is empty.
type BlockUsersResponse struct{}

// UnblockUsers takes up to 20 users off the blacklist.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/Manage_blacklist.html
var UnblockUsers = define[UnblockUsersRequest, UnblockUsersResponse](Row{
	Name: "unblock_users", Method: "POST", Path: "/cgi-bin/tags/members/batchunblacklist", Doc: blacklistDoc,
})

// UnblockUsersRequest names the users.
type UnblockUsersRequest struct {
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=20"`
}

// UnblockUsersResponse is empty.
type UnblockUsersResponse struct{}
