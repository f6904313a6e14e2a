package wxapi

// tagDoc is WeChat's page about all of this file.
const tagDoc = "https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html"

// CreateTag makes a tag (标签); an account can have 100 (45056).
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var CreateTag = define[CreateTagRequest, CreateTagResponse](Row{
	Name: "create_tag", Method: "POST", Path: "/cgi-bin/tags/create",
	Proof: []string{"tag"}, Doc: tagDoc,
})

// CreateTagRequest names the new tag.
type CreateTagRequest struct {
	Tag NewTag `json:"tag" wx:"required"`
}

// NewTag is a tag that has no id yet.
type NewTag struct {
	Name string `json:"name" wx:"required,runes=30"`
}

// CreateTagResponse has the new tag's id.
type CreateTagResponse struct {
	Tag Tag `json:"tag"`
}

// Tag is a set of followers; each follower can have 20.
type Tag struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Count int64  `json:"count,omitempty"` // followers
}

// GetTags lists the account's tags.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var GetTags = define[GetTagsRequest, GetTagsResponse](Row{
	Name: "get_tags", Method: "GET", Path: "/cgi-bin/tags/get", Body: Query, Retry: Read,
	Proof: []string{"tags"}, Doc: tagDoc,
})

// GetTagsRequest is empty.
type GetTagsRequest struct{}

// GetTagsResponse has all tags.
type GetTagsResponse struct {
	Tags []Tag `json:"tags"`
}

// UpdateTag renames a tag. The reserved ones, 0 to 2, can't be (45058).
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var UpdateTag = define[UpdateTagRequest, UpdateTagResponse](Row{
	Name: "update_tag", Method: "POST", Path: "/cgi-bin/tags/update", Doc: tagDoc,
	checks: notReserved("tag"),
})

// UpdateTagRequest has the tag's id and its new name.
type UpdateTagRequest struct {
	Tag NamedTag `json:"tag" wx:"required"`
}

// NamedTag is a tag and the name it shall have.
type NamedTag struct {
	ID   int64  `json:"id" wx:"required"`
	Name string `json:"name" wx:"required,runes=30"`
}

// UpdateTagResponse is empty.
type UpdateTagResponse struct{}

// DeleteTag removes a tag from all who have it, and the tag itself. One that
// more than 100,000 followers have must be taken from some of them first
// (45057).
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var DeleteTag = define[DeleteTagRequest, DeleteTagResponse](Row{
	Name: "delete_tag", Method: "POST", Path: "/cgi-bin/tags/delete", Doc: tagDoc,
	checks: notReserved("tag"),
})

// DeleteTagRequest names the tag.
type DeleteTagRequest struct {
	Tag TagID `json:"tag" wx:"required"`
}

// TagID is a tag by its id alone.
type TagID struct {
	ID int64 `json:"id" wx:"required"`
}

// DeleteTagResponse is empty.
type DeleteTagResponse struct{}

// GetTagUsers lists the followers with a tag, at most 10,000 OpenIDs at a
// time; [Client.AllTagUsers] walks all pages.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var GetTagUsers = define[GetTagUsersRequest, OpenIDPage](Row{
	Name: "get_tag_users", Method: "POST", Path: "/cgi-bin/user/tag/get", Retry: Read,
	Proof: []string{"count"}, Doc: tagDoc,
})

// GetTagUsersRequest asks for those after NextOpenID, which is the former
// page's; without it for the first.
type GetTagUsersRequest struct {
	TagID      int64  `json:"tagid" wx:"required"`
	NextOpenID string `json:"next_openid,omitempty" wx:"openid"`
}

// TagUsers gives up to 50 followers a tag. A follower can have 20 (45059).
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var TagUsers = define[TagUsersRequest, TagUsersResponse](Row{
	Name: "tag_users", Method: "POST", Path: "/cgi-bin/tags/members/batchtagging", Doc: tagDoc,
})

// TagUsersRequest says who gets which tag.
type TagUsersRequest struct {
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=50"`
	TagID      int64    `json:"tagid" wx:"required"`
}

// TagUsersResponse is empty.
type TagUsersResponse struct{}

// UntagUsers takes a tag from up to 50 followers.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var UntagUsers = define[UntagUsersRequest, UntagUsersResponse](Row{
	Name: "untag_users", Method: "POST", Path: "/cgi-bin/tags/members/batchuntagging", Doc: tagDoc,
})

// UntagUsersRequest says who loses which tag.
type UntagUsersRequest struct {
	OpenIDList []string `json:"openid_list" wx:"required,openid,items=50"`
	TagID      int64    `json:"tagid" wx:"required"`
}

// UntagUsersResponse is empty.
type UntagUsersResponse struct{}

// GetUserTags lists the tags of a follower.
//
// https://developers.weixin.qq.com/doc/offiaccount/User_Management/User_Tag_Management.html
var GetUserTags = define[GetUserTagsRequest, GetUserTagsResponse](Row{
	Name: "get_user_tags", Method: "POST", Path: "/cgi-bin/tags/getidlist", Retry: Read,
	Lane: "openid", Proof: []string{"tagid_list"}, Doc: tagDoc,
})

// GetUserTagsRequest names the follower.
type GetUserTagsRequest struct {
	OpenID string `json:"openid" wx:"required,openid"`
}

// GetUserTagsResponse has the ids of the follower's tags.
type GetUserTagsResponse struct {
	TagIDList []int64 `json:"tagid_list"`
}
