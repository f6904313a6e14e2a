package wxsim

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "publish_draft", method: "POST", path: "/cgi-bin/freepublish/submit", body: bodyJSON, run: publishDraft})
	stateful(endpoint{name: "get_publish_status", method: "POST", path: "/cgi-bin/freepublish/get", body: bodyJSON, run: publishStatus})
	stateful(endpoint{name: "delete_published_article", method: "POST", path: "/cgi-bin/freepublish/delete", body: bodyJSON, run: deletePublished})
	stateful(endpoint{name: "get_published_article", method: "POST", path: "/cgi-bin/freepublish/getarticle", body: bodyJSON, run: getPublished})
	stateful(endpoint{name: "batch_get_published_article", method: "POST", path: "/cgi-bin/freepublish/batchget", body: bodyJSON, run: batchPublished})
}

// The publish_status of a publication.
const (
	published   = 0
	allDeleted  = 5
	noSuchIndex = 40060
)

// noArticle is WeChat's answer to an article_id that doesn't exist.
func noArticle() answer { return failureText(53600, "invalid article_id") }

// publication is articles with lasting URLs. The simulator publishes at once, and refuses nothing.
type publication struct {
	articleID        string
	publishID        int64
	dataID           int64 // by which comments name it
	items            []wxapi.NewsItem
	created, updated int64
}

func (l *library) article(id string) *publication {
	for _, pub := range l.published {
		if pub.articleID == id {
			return pub
		}
	}
	return nil
}

// publish takes a draft out of the box and gives it an article_id and URLs.
func (p *Platform) publish(x *exchange, d *draft) *publication {
	pub := &publication{articleID: newTemplateID(), publishID: p.newJobID(), dataID: p.newJobID(), items: slices.Clone(d.items), created: d.created, updated: x.wall.Unix()}
	for i := range pub.items {
		pub.items[i].URL = "http://mp.weixin.qq.com/s/" + newTemplateID()[:22]
	}
	p.library.removeDraft(d.id)
	p.library.published = append(p.library.published, pub)
	return pub
}

// status is 0, or 5 once all articles are deleted.
func (pub *publication) status() int {
	if slices.ContainsFunc(pub.items, func(item wxapi.NewsItem) bool { return !item.IsDeleted }) {
		return published
	}
	return allDeleted
}

func (pub *publication) detail() wxapi.ArticleDetail {
	detail := wxapi.ArticleDetail{Count: int64(len(pub.items)), Item: []wxapi.PublishedArticle{}}
	for i, item := range pub.items {
		detail.Item = append(detail.Item, wxapi.PublishedArticle{Idx: i + 1, ArticleURL: item.URL})
	}
	return detail
}

// publishDraft is freepublish/submit. PUBLISHJOBFINISH follows the answer; WeChat sends it in the name of whoever
// runs the account.
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Publish.html
func publishDraft(p *Platform, x *exchange) answer {
	var req wxapi.PublishDraftRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	d := p.library.draft(req.MediaID)
	if d == nil {
		return failure(40007)
	}
	pub := p.publish(x, d)
	type finished struct {
		PublishID     string              `json:"publish_id"`
		PublishStatus int                 `json:"publish_status"`
		ArticleID     string              `json:"article_id"`
		Detail        wxapi.ArticleDetail `json:"article_detail"`
	}
	x.announce(operator, struct {
		MsgType, Event   string
		PublishEventInfo finished
	}{"event", "PUBLISHJOBFINISH", finished{fmt.Sprint(pub.publishID), published, pub.articleID, pub.detail()}})
	return object(map[string]any{
		"errcode": 0, "errmsg": "ok", "publish_id": strconv.FormatInt(pub.publishID, 10), "msg_data_id": pub.dataID,
	})
}

// operator is the OpenID of whoever runs the account: job results come in that name.
const operator = "o_operator"

func publishStatus(p *Platform, x *exchange) answer {
	var req struct {
		PublishID scalarText `json:"publish_id"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	for _, pub := range p.library.published {
		if fmt.Sprint(pub.publishID) == string(req.PublishID) {
			return object(map[string]any{
				"publish_id": string(req.PublishID), "publish_status": pub.status(), "article_id": pub.articleID,
				"article_detail": pub.detail(), "fail_idx": []int{},
			})
		}
	}
	return failure(40097)
}

func deletePublished(p *Platform, x *exchange) answer {
	var req wxapi.DeletePublishedArticleRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	pub := p.library.article(req.ArticleID)
	switch {
	case pub == nil:
		return noArticle()
	case req.Index < 0 || req.Index > len(pub.items):
		return failure(noSuchIndex)
	}
	for i := range pub.items {
		if req.Index == 0 || req.Index == i+1 {
			pub.items[i].IsDeleted = true
		}
	}
	return ok()
}

func getPublished(p *Platform, x *exchange) answer {
	var req wxapi.GetPublishedArticleRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	pub := p.library.article(req.ArticleID)
	if pub == nil {
		return noArticle()
	}
	return object(wxapi.GetPublishedArticleResponse{NewsItem: pub.items, CreateTime: pub.created, UpdateTime: pub.updated})
}

func batchPublished(p *Platform, x *exchange) answer {
	var req pageRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	return pageOf(p.library.published, req, func(pub *publication) any {
		return wxapi.PublicationItem{
			ArticleID: pub.articleID, UpdateTime: pub.updated,
			Content: wxapi.NewsContent{NewsItem: withContent(pub.items, req.NoContent != 1), CreateTime: pub.created, UpdateTime: pub.updated},
		}
	})
}
