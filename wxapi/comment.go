package wxapi

const commentDoc = "https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html"

// OpenComment lets readers comment on an article that has been sent (打开留言).
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var OpenComment = define[OpenCommentRequest, OpenCommentResponse](Row{
	Name: "open_comment", Method: "POST", Path: "/cgi-bin/comment/open", Doc: commentDoc,
	checks: articlePlace,
})

// OpenCommentRequest names an article: by the msg_data_id of the mass message
// or publication, and its place in it, from 0.
type OpenCommentRequest struct {
	MsgDataID ID  `json:"msg_data_id" wx:"required,id"`
	Index     int `json:"index"`
}

// OpenCommentResponse is empty.
type OpenCommentResponse struct{}

// CloseComment ends commenting on an article.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var CloseComment = define[CloseCommentRequest, CloseCommentResponse](Row{
	Name: "close_comment", Method: "POST", Path: "/cgi-bin/comment/close", Doc: commentDoc,
	checks: articlePlace,
})

// CloseCommentRequest names an article as [OpenCommentRequest] does.
type CloseCommentRequest struct {
	MsgDataID ID  `json:"msg_data_id" wx:"required,id"`
	Index     int `json:"index"`
}

// CloseCommentResponse is empty.
type CloseCommentResponse struct{}

// GetComments lists the comments on an article, fewer than 50 at a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var GetComments = define[GetCommentsRequest, GetCommentsResponse](Row{
	Name: "get_comments", Method: "POST", Path: "/cgi-bin/comment/list", Retry: Read,
	Proof: []string{"comment", "total"}, Doc: commentDoc,
	checks: all(articlePlace, within("begin", 0, 1<<53), within("count", 1, 49)),
})

// GetCommentsRequest names an article and the page: Begin 0 is the first
// comment. Type 0 is all, 1 the ordinary ones, 2 the elected ones.
type GetCommentsRequest struct {
	MsgDataID ID  `json:"msg_data_id" wx:"required,id"`
	Index     int `json:"index"`
	Begin     int `json:"begin"`
	Count     int `json:"count" wx:"required"`
	Type      int `json:"type" wx:"one=0|1|2"`
}

// GetCommentsResponse has one page.
type GetCommentsResponse struct {
	Total   int64     `json:"total"` // on all pages
	Comment []Comment `json:"comment"`
}

// Comment is what a reader has written. CommentType 1 is elected.
type Comment struct {
	UserCommentID ID            `json:"user_comment_id"`
	OpenID        string        `json:"openid"`
	CreateTime    int64         `json:"create_time"`
	Content       string        `json:"content"`
	CommentType   int           `json:"comment_type"`
	Reply         *CommentReply `json:"reply,omitempty"`
}

// CommentReply is the account's reply to a comment.
type CommentReply struct {
	Content    string `json:"content"`
	CreateTime int64  `json:"create_time"`
}

// MarkComment elects a comment: all readers see it (精选).
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var MarkComment = define[MarkCommentRequest, MarkCommentResponse](Row{
	Name: "mark_comment", Method: "POST", Path: "/cgi-bin/comment/markelect", Doc: commentDoc,
	checks: articlePlace,
})

// MarkCommentRequest names an article as [OpenCommentRequest] does, and one of
// its comments.
type MarkCommentRequest struct {
	MsgDataID     ID  `json:"msg_data_id" wx:"required,id"`
	Index         int `json:"index"`
	UserCommentID ID  `json:"user_comment_id" wx:"required,id"`
}

// MarkCommentResponse is empty.
type MarkCommentResponse struct{}

// UnmarkComment takes an election back.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var UnmarkComment = define[UnmarkCommentRequest, UnmarkCommentResponse](Row{
	Name: "unmark_comment", Method: "POST", Path: "/cgi-bin/comment/unmarkelect", Doc: commentDoc,
	checks: articlePlace,
})

// UnmarkCommentRequest names a comment as [MarkCommentRequest] does.
type UnmarkCommentRequest struct {
	MsgDataID     ID  `json:"msg_data_id" wx:"required,id"`
	Index         int `json:"index"`
	UserCommentID ID  `json:"user_comment_id" wx:"required,id"`
}

// UnmarkCommentResponse is empty.
type UnmarkCommentResponse struct{}

// DeleteComment deletes a comment.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var DeleteComment = define[DeleteCommentRequest, DeleteCommentResponse](Row{
	Name: "delete_comment", Method: "POST", Path: "/cgi-bin/comment/delete", Doc: commentDoc,
	checks: articlePlace,
})

// DeleteCommentRequest names a comment as [MarkCommentRequest] does.
type DeleteCommentRequest struct {
	MsgDataID     ID  `json:"msg_data_id" wx:"required,id"`
	Index         int `json:"index"`
	UserCommentID ID  `json:"user_comment_id" wx:"required,id"`
}

// DeleteCommentResponse is empty.
type DeleteCommentResponse struct{}

// ReplyComment replies to a comment.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var ReplyComment = define[ReplyCommentRequest, ReplyCommentResponse](Row{
	Name: "reply_comment", Method: "POST", Path: "/cgi-bin/comment/reply/add", Doc: commentDoc,
	checks: articlePlace,
})

// ReplyCommentRequest names a comment as [MarkCommentRequest] does, and has the
// reply.
type ReplyCommentRequest struct {
	MsgDataID     ID     `json:"msg_data_id" wx:"required,id"`
	Index         int    `json:"index"`
	UserCommentID ID     `json:"user_comment_id" wx:"required,id"`
	Content       string `json:"content" wx:"required"`
}

// ReplyCommentResponse is empty.
type ReplyCommentResponse struct{}

// DeleteCommentReply takes the account's reply to a comment back.
//
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
var DeleteCommentReply = define[DeleteCommentReplyRequest, DeleteCommentReplyResponse](Row{
	Name: "delete_comment_reply", Method: "POST", Path: "/cgi-bin/comment/reply/delete", Doc: commentDoc,
	checks: articlePlace,
})

// DeleteCommentReplyRequest names a comment as [MarkCommentRequest] does.
type DeleteCommentReplyRequest struct {
	MsgDataID     ID  `json:"msg_data_id" wx:"required,id"`
	Index         int `json:"index"`
	UserCommentID ID  `json:"user_comment_id" wx:"required,id"`
}

// DeleteCommentReplyResponse is empty.
type DeleteCommentReplyResponse struct{}
