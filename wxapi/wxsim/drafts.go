package wxsim

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "add_draft", method: "POST", path: "/cgi-bin/draft/add", body: bodyJSON, run: addDraft})
	stateful(endpoint{name: "get_draft", method: "POST", path: "/cgi-bin/draft/get", body: bodyJSON, run: getDraft})
	stateful(endpoint{name: "update_draft", method: "POST", path: "/cgi-bin/draft/update", body: bodyJSON, run: updateDraft})
	stateful(endpoint{name: "delete_draft", method: "POST", path: "/cgi-bin/draft/delete", body: bodyJSON, run: deleteDraft})
	stateful(endpoint{name: "get_draft_count", method: "GET", path: "/cgi-bin/draft/count", run: draftCount})
	stateful(endpoint{name: "batch_get_draft", method: "POST", path: "/cgi-bin/draft/batchget", body: bodyJSON, run: batchDraft})
}

// What an article may have, in characters.
const (
	maxArticles = 8
	maxTitle    = 32
	maxAuthor   = 16
	maxDigest   = 128
	maxContent  = 20_000
)

// draft is articles that wait to be published or sent.
type draft struct {
	id               string
	items            []wxapi.NewsItem
	created, updated int64
}

func (l *library) draft(id string) *draft {
	for _, d := range l.drafts {
		if d.id == id {
			return d
		}
	}
	return nil
}

func (l *library) removeDraft(id string) bool {
	before := len(l.drafts)
	l.drafts = slices.DeleteFunc(l.drafts, func(d *draft) bool { return d.id == id })
	return len(l.drafts) < before
}

// show is the draft in a list.
func (d *draft) show(noContent bool) any {
	return wxapi.DraftItem{
		MediaID: d.id, UpdateTime: d.updated,
		Content: wxapi.NewsContent{NewsItem: withContent(d.items, !noContent), CreateTime: d.created, UpdateTime: d.updated},
	}
}

func withContent(items []wxapi.NewsItem, content bool) []wxapi.NewsItem {
	if content {
		return items
	}
	items = slices.Clone(items)
	for i := range items {
		items[i].Content = ""
	}
	return items
}

// readArticle checks an article and returns 0 or the errcode. Its pictures have to be permanent material.
func (p *Platform) readArticle(in wxapi.DraftArticle, now time.Time) (wxapi.NewsItem, int) {
	out := wxapi.NewsItem{
		ArticleType: or(in.ArticleType, "news"), Title: in.Title, Author: in.Author, Digest: in.Digest, Content: in.Content,
		ContentSourceURL: in.ContentSourceURL, ThumbMediaID: in.ThumbMediaID, NeedOpenComment: in.NeedOpenComment,
		OnlyFansCanComment: in.OnlyFansCanComment, ImageInfo: in.ImageInfo, URL: "http://mp.weixin.qq.com/s?tempkey=" + newMediaID()[:16],
	}
	pictures := []string{in.ThumbMediaID}
	if out.ArticleType == "newspic" {
		pictures = nil
		if in.ImageInfo != nil {
			for _, item := range in.ImageInfo.ImageList {
				pictures = append(pictures, item.ImageMediaID)
			}
		}
	}
	code := articleErrcode(in)
	if code == 0 && len(pictures) == 0 {
		code = 40007
	}
	for _, id := range pictures {
		if m := p.media.get(id, now); code == 0 && (m == nil || !m.expires.IsZero() || m.typ != "image" && m.typ != "thumb") {
			code = 40007
		}
	}
	return out, code
}

func articleErrcode(in wxapi.DraftArticle) int {
	switch {
	case in.Title == "":
		return 40227
	case utf8.RuneCountInString(in.Title) > maxTitle:
		return 45003
	case utf8.RuneCountInString(in.Author) > maxAuthor:
		return 45110
	case utf8.RuneCountInString(in.Digest) > maxDigest:
		return 45004
	case in.Content == "":
		return 44004
	case utf8.RuneCountInString(in.Content) > maxContent:
		return 45002
	}
	return 0
}

func addDraft(p *Platform, x *exchange) answer {
	var req wxapi.AddDraftRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch n := len(req.Articles); {
	case n == 0:
		return failure(44003)
	case n > maxArticles:
		return failure(45008)
	}
	d := &draft{id: newMediaID(), created: x.wall.Unix(), updated: x.wall.Unix()}
	for _, article := range req.Articles {
		item, code := p.readArticle(article, x.now)
		if code != 0 {
			return failure(code)
		}
		d.items = append(d.items, item)
	}
	p.library.drafts = append(p.library.drafts, d)
	return object(map[string]any{"media_id": d.id})
}

func getDraft(p *Platform, x *exchange) answer {
	var req wxapi.GetDraftRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	d := p.library.draft(req.MediaID)
	if d == nil {
		return failure(40007)
	}
	return object(wxapi.GetDraftResponse{NewsItem: d.items, CreateTime: d.created, UpdateTime: d.updated})
}

func updateDraft(p *Platform, x *exchange) answer {
	var req wxapi.UpdateDraftRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	d := p.library.draft(req.MediaID)
	switch {
	case d == nil:
		return failure(40007)
	case req.Index < 0 || req.Index >= len(d.items):
		return failure(40060)
	}
	item, code := p.readArticle(req.Articles, x.now)
	if code != 0 {
		return failure(code)
	}
	d.items = slices.Clone(d.items)
	d.items[req.Index], d.updated = item, x.wall.Unix()
	return ok()
}

func deleteDraft(p *Platform, x *exchange) answer {
	var req wxapi.DeleteDraftRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if !p.library.removeDraft(req.MediaID) {
		return failure(40007)
	}
	return ok()
}

func draftCount(p *Platform, _ *exchange) answer {
	return object(map[string]any{"total_count": len(p.library.drafts)})
}

func batchDraft(p *Platform, x *exchange) answer {
	var req pageRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	return pageOf(p.library.drafts, req, func(d *draft) any { return d.show(req.NoContent == 1) })
}
