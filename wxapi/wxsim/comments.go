package wxsim

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	about := func(name, path string, run func(*Platform, *exchange) answer) {
		stateful(endpoint{name: name, method: "POST", path: "/cgi-bin/comment/" + path, body: bodyJSON, run: run})
	}
	about("open_comment", "open", openArticle(true))
	about("close_comment", "close", openArticle(false))
	about("get_comments", "list", onArticle(listComments))
	about("mark_comment", "markelect", electComment(elected))
	about("unmark_comment", "unmarkelect", electComment(ordinary))
	about("delete_comment", "delete", onArticle(deleteComment))
	about("reply_comment", "reply/add", onComment(replyComment))
	about("delete_comment_reply", "reply/delete", onComment(func(_ *exchange, c *wxapi.Comment, _ string) int {
		c.Reply = nil
		return 0
	}))
}

func openArticle(open bool) func(*Platform, *exchange) answer {
	return onArticle(func(_ *Platform, _ *exchange, article *commented, _ commentRequest) answer {
		article.open = open
		return ok()
	})
}

func electComment(to int) func(*Platform, *exchange) answer {
	return onComment(func(_ *exchange, c *wxapi.Comment, _ string) int {
		c.CommentType = to
		return 0
	})
}

// The errcodes of comments, and the types of one.
const (
	noArticleData   = 88001
	alreadyReplied  = 88005
	wrongReply      = 88007
	noComment       = 88008
	wrongCount      = 88010
	maxCommentReply = 600 // characters; a guess: WeChat tells none
	maxComments     = 50  // of one page, which must have fewer

	ordinary = 0
	elected  = 1
)

var commentErrors = map[int]string{
	alreadyReplied: "already reply", wrongReply: "reply content beyond max len or content len is zero",
	noComment: "comment is not exists", wrongCount: "count range error. cout <= 0 or count > 50",
}

func commentFailure(code int) answer {
	if text, own := commentErrors[code]; own {
		return failureText(code, text)
	}
	return failure(code)
}

// comments are what readers have written below articles, by msg_data_id and place. The platform's lock guards it.
type comments map[string]*commented

// commented is one article that may be commented on.
type commented struct {
	open bool
	list []*wxapi.Comment // the newest first
}

// commented finds an article of a mass message or a publication, nil when there is none.
func (p *Platform) commented(dataID string, index int) *commented {
	for _, pub := range p.library.published {
		if strconv.FormatInt(pub.dataID, 10) != dataID || index < 0 || index >= len(pub.items) {
			continue
		}
		key := dataID + "_" + strconv.Itoa(index)
		if p.comments == nil {
			p.comments = comments{}
		}
		if p.comments[key] == nil {
			p.comments[key] = &commented{open: pub.items[index].NeedOpenComment == 1}
		}
		return p.comments[key]
	}
	return nil
}

// Comment has a reader comment on an article that is open for it, and returns the comment's id. The article is named
// by the msg_data_id of its publication or mass message, and its place in it, from 0.
func (p *Platform) Comment(openID, msgDataID string, index int, content string) (userCommentID string, err error) {
	if !validOpenID(openID) {
		return "", wrong("the OpenID must be 1 to 64 letters, digits, _ or -, for example o_alice")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	article := p.commented(msgDataID, index)
	switch {
	case article == nil:
		return "", wrong("there is no article %d of msg_data_id %s", index, msgDataID)
	case !article.open:
		return "", wrong("the article can't be commented on: need_open_comment was not 1, or close_comment was called")
	case content == "":
		return "", wrong("a comment needs a content")
	}
	id := wxapi.ID(strconv.FormatInt(p.newJobID(), 10))
	article.list = slices.Insert(article.list, 0, &wxapi.Comment{
		UserCommentID: id, OpenID: openID, CreateTime: p.clock.wall().Unix(), Content: content,
	})
	return string(id), nil
}

// commentRequest is what all requests about comments have, and some of them.
type commentRequest struct {
	MsgDataID     wxapi.ID `json:"msg_data_id"`
	Index         int      `json:"index"`
	UserCommentID wxapi.ID `json:"user_comment_id"`
	Begin         int      `json:"begin"`
	Count         int      `json:"count"`
	Type          int      `json:"type"`
	Content       string   `json:"content"`
}

// onArticle is an endpoint about an article.
func onArticle(do func(*Platform, *exchange, *commented, commentRequest) answer) func(*Platform, *exchange) answer {
	return func(p *Platform, x *exchange) answer {
		var req commentRequest
		if a, ok := x.decode(&req); !ok {
			return a
		}
		article := p.commented(string(req.MsgDataID), req.Index)
		if article == nil {
			return failure(noArticleData)
		}
		return do(p, x, article, req)
	}
}

// onComment is an endpoint about a comment.
func onComment(do func(x *exchange, c *wxapi.Comment, content string) int) func(*Platform, *exchange) answer {
	return onArticle(func(_ *Platform, x *exchange, article *commented, req commentRequest) answer {
		i := article.find(req.UserCommentID)
		if i < 0 {
			return commentFailure(noComment)
		}
		if code := do(x, article.list[i], req.Content); code != 0 {
			return commentFailure(code)
		}
		return ok()
	})
}

func (a *commented) find(id wxapi.ID) int {
	return slices.IndexFunc(a.list, func(c *wxapi.Comment) bool { return c.UserCommentID == id })
}

// listComments is comment/list: type 0 is all, 1 the ordinary ones, 2 the elected ones.
// https://developers.weixin.qq.com/doc/offiaccount/Comments_management/Image_Comments_Management_Interface.html
func listComments(_ *Platform, _ *exchange, article *commented, req commentRequest) answer {
	if req.Count <= 0 || req.Count >= maxComments || req.Begin < 0 {
		return commentFailure(wrongCount)
	}
	list := []*wxapi.Comment{}
	for _, c := range article.list {
		if req.Type == 0 || req.Type == c.CommentType+1 {
			list = append(list, c)
		}
	}
	from := min(req.Begin, len(list))
	return object(map[string]any{
		"errcode": 0, "errmsg": "ok", "total": len(list), "comment": list[from:min(from+req.Count, len(list))],
	})
}

func deleteComment(_ *Platform, _ *exchange, article *commented, req commentRequest) answer {
	i := article.find(req.UserCommentID)
	if i < 0 {
		return commentFailure(noComment)
	}
	article.list = slices.Delete(article.list, i, i+1)
	return ok()
}

func replyComment(x *exchange, c *wxapi.Comment, content string) int {
	switch n := utf8.RuneCountInString(content); {
	case c.Reply != nil:
		return alreadyReplied
	case n == 0 || n > maxCommentReply:
		return wrongReply
	}
	c.Reply = &wxapi.CommentReply{Content: content, CreateTime: x.wall.Truncate(time.Second).Unix()}
	return 0
}
