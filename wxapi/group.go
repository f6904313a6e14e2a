package wxapi

// GetGroups lists the account's groups (分组). Groups are the predecessor of
// tags; WeChat still answers.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var GetGroups = define[GetGroupsRequest, GetGroupsResponse](Row{
	Name: "get_groups", Method: "GET", Path: "/cgi-bin/groups/get", Body: Query, Retry: Read,
	Proof: []string{"groups"}, Doc: groupDoc,
})

// groupDoc is the page of today: WeChat took the groups' own page down when
// tags took their place.
const groupDoc = "https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html"

// GetGroupsRequest is empty.
type GetGroupsRequest struct{}

// GetGroupsResponse has all groups, the reserved 0, 1 and 2 (未分组, 黑名单,
// 星标组) among them.
type GetGroupsResponse struct {
	Groups []Group `json:"groups"`
}

// Group is a set of followers; each follower is in exactly one.
type Group struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Count int64  `json:"count,omitempty"` // followers
}

// CreateGroup makes a group; an account can have 100.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var CreateGroup = define[CreateGroupRequest, CreateGroupResponse](Row{
	Name: "create_group", Method: "POST", Path: "/cgi-bin/groups/create",
	Proof: []string{"group"}, Doc: groupDoc,
})

// CreateGroupRequest names the new group.
type CreateGroupRequest struct {
	Group NewGroup `json:"group" wx:"required"`
}

// NewGroup is a group that has no id yet.
type NewGroup struct {
	Name string `json:"name" wx:"required,runes=30"`
}

// CreateGroupResponse has the new group's id.
type CreateGroupResponse struct {
	Group Group `json:"group"`
}

// UpdateGroup renames a group. The reserved ones, 0 to 2, can't be (45016).
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var UpdateGroup = define[UpdateGroupRequest, UpdateGroupResponse](Row{
	Name: "update_group", Method: "POST", Path: "/cgi-bin/groups/update", Doc: groupDoc,
	checks: notReserved("group"),
})

// UpdateGroupRequest has the group's id and its new name.
type UpdateGroupRequest struct {
	Group NamedGroup `json:"group" wx:"required"`
}

// NamedGroup is a group and the name it shall have.
type NamedGroup struct {
	ID   int64  `json:"id" wx:"required"`
	Name string `json:"name" wx:"required,runes=30"`
}

// UpdateGroupResponse is empty.
type UpdateGroupResponse struct{}

// UpdateGroupOfUser moves a follower to another group.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var UpdateGroupOfUser = define[UpdateGroupOfUserRequest, UpdateGroupOfUserResponse](Row{
	Name: "update_group_of_user", Method: "POST", Path: "/cgi-bin/groups/members/update",
	Lane: "openid", Doc: groupDoc,
})

// UpdateGroupOfUserRequest says who goes where.
type UpdateGroupOfUserRequest struct {
	OpenID    string `json:"openid" wx:"required,openid"`
	ToGroupID int64  `json:"to_groupid" wx:"required"`
}

// UpdateGroupOfUserResponse is empty.
type UpdateGroupOfUserResponse struct{}

// GetGroupOfUser tells in which group a follower is.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var GetGroupOfUser = define[GetGroupOfUserRequest, GetGroupOfUserResponse](Row{
	Name: "get_group_of_user", Method: "POST", Path: "/cgi-bin/groups/getid", Retry: Read,
	Lane: "openid", Proof: []string{"groupid"}, Doc: groupDoc,
})

// GetGroupOfUserRequest names the follower.
type GetGroupOfUserRequest struct {
	OpenID string `json:"openid" wx:"required,openid"`
}

// GetGroupOfUserResponse has the group's id.
type GetGroupOfUserResponse struct {
	GroupID int64 `json:"groupid"`
}

// UpdateGroupOfUsers moves up to 50 followers to another group.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var UpdateGroupOfUsers = define[UpdateGroupOfUsersRequest, UpdateGroupOfUsersResponse](Row{
	Name: "update_group_of_users", Method: "POST", Path: "/cgi-bin/groups/members/batchupdate", Doc: groupDoc,
})

// UpdateGroupOfUsersRequest says who go where.
type UpdateGroupOfUsersRequest struct {
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=50"`
	ToGroupID  int64    `json:"to_groupid" wx:"required"`
}

// UpdateGroupOfUsersResponse is empty.
type UpdateGroupOfUsersResponse struct{}

// DeleteGroup deletes a group; who was in it is in group 0 afterwards. The
// reserved ones, 0 to 2, can't be deleted (45016).
//
// WeChat's old page shows an empty object as the answer, so one is believed.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var DeleteGroup = define[DeleteGroupRequest, DeleteGroupResponse](Row{
	Name: "delete_group", Method: "POST", Path: "/cgi-bin/groups/delete",
	Proof: []string{NoKey}, Doc: groupDoc, checks: notReserved("group"),
})

// DeleteGroupRequest names the group.
type DeleteGroupRequest struct {
	Group GroupID `json:"group" wx:"required"`
}

// GroupID is a group by its id alone.
type GroupID struct {
	ID int64 `json:"id" wx:"required"`
}

// DeleteGroupResponse is empty.
type DeleteGroupResponse struct{}
