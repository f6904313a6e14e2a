package wxsim

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi"
)

func init() {
	stateful(endpoint{name: "add_material", method: "POST", path: "/cgi-bin/material/add_material", body: bodyFile, run: addMaterial})
	stateful(endpoint{name: "get_material", method: "POST", path: "/cgi-bin/material/get_material", body: bodyJSON, run: getMaterial})
	stateful(endpoint{name: "delete_material", method: "POST", path: "/cgi-bin/material/del_material", body: bodyJSON, run: deleteMaterial})
	stateful(endpoint{name: "get_material_count", method: "GET", path: "/cgi-bin/material/get_materialcount", run: materialCount})
	stateful(endpoint{name: "batch_get_material", method: "POST", path: "/cgi-bin/material/batchget_material", body: bodyJSON, run: batchMaterial})
	stateful(endpoint{name: "upload_article_image", method: "POST", path: "/cgi-bin/media/uploadimg", body: bodyFile, run: uploadArticleImage})
	stateful(endpoint{name: "get_jssdk_voice", method: "GET", path: "/cgi-bin/media/get/jssdk", run: jssdkVoice})
}

// library is what the account has made: permanent files, drafts, published articles. The oldest come first. The
// platform's lock guards it.
type library struct {
	files     []*material
	drafts    []*draft
	published []*publication
}

// material is a permanent file; its bytes are in the mediaStore, so that its id is good wherever a temporary one is.
type material struct {
	id, typ, name, url  string
	title, introduction string // of a video
	updated             int64
}

func (l *library) file(id string) *material {
	for _, m := range l.files {
		if m.id == id {
			return m
		}
	}
	return nil
}

// permanentTypes is what add_material takes as one type.
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
var permanentTypes = map[string]mediaType{
	"image": {10 << 20, 40009, []string{".bmp", ".png", ".jpg", ".jpeg", ".gif"}, []string{"image/bmp", "image/png", "image/jpeg", "image/gif"}},
	"voice": {2 << 20, 40010, []string{".mp3", ".wma", ".wav", ".amr"}, []string{"audio/mp3", "audio/wma", "audio/wav", "audio/amr"}},
	"video": mediaTypes["video"],
	"thumb": mediaTypes["thumb"],
}

// takes checks an uploaded file and returns 0 or the errcode.
func (kind mediaType) takes(file upload) int {
	content, _ := sniff(file.data)
	switch {
	case len(file.data) == 0:
		return 44001
	case len(file.data) > kind.max:
		return kind.tooLarge
	case !slices.Contains(kind.extensions, strings.ToLower(path.Ext(file.name))), !slices.Contains(kind.contents, content):
		return 40005
	}
	return 0
}

// addMaterial is material/add_material. A video comes with a second part, description.
func addMaterial(p *Platform, x *exchange) answer {
	typ := x.query.Get("type")
	kind, known := permanentTypes[typ]
	if !known {
		return failure(40004)
	}
	file, err := x.file()
	if err != nil {
		return failure(41005)
	}
	if code := kind.takes(file); code != 0 {
		return failure(code)
	}
	m := &material{id: newMediaID(), typ: typ, name: path.Base(file.name), updated: x.wall.Unix()}
	if typ == "video" {
		var words wxapi.VideoDescription
		if json.Unmarshal([]byte(file.fields["description"]), &words) != nil || words.Title == "" {
			return failure(47001)
		}
		m.title, m.introduction = words.Title, words.Introduction
	}
	p.media.put(m.id, &medium{typ: typ, data: file.data}, x.now)
	p.library.files = append(p.library.files, m)
	made := map[string]any{"media_id": m.id}
	if typ == "image" {
		m.url = fileURL(x, m.id)
		made["url"] = m.url
	}
	return object(made)
}

// fileURL is where anybody can fetch a file.
func fileURL(x *exchange, id string) string { return x.base + "/_sim/files/" + url.PathEscape(id) }

// getMaterial is material/get_material: a file's bytes, or for a video a link and words. A draft's id gets its
// articles.
func getMaterial(p *Platform, x *exchange) answer {
	var req wxapi.GetMaterialRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if d := p.library.draft(req.MediaID); d != nil {
		return object(map[string]any{"news_item": d.items})
	}
	m := p.library.file(req.MediaID)
	switch {
	case m == nil:
		return failure(40007)
	case m.typ == "video":
		return object(map[string]any{"title": m.title, "description": m.introduction, "down_url": fileURL(x, m.id)})
	}
	return fileAnswer(m.id, p.media.get(m.id, x.now))
}

func deleteMaterial(p *Platform, x *exchange) answer {
	var req wxapi.DeleteMaterialRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	if p.library.removeDraft(req.MediaID) {
		return ok()
	}
	if p.library.file(req.MediaID) == nil {
		return failure(40007)
	}
	delete(p.media, req.MediaID)
	p.library.files = slices.DeleteFunc(p.library.files, func(m *material) bool { return m.id == req.MediaID })
	return ok()
}

func materialCount(p *Platform, _ *exchange) answer {
	counts := map[string]int{}
	for _, m := range p.library.files {
		counts[m.typ]++
	}
	return object(map[string]any{
		"voice_count": counts["voice"], "video_count": counts["video"], "image_count": counts["image"], "news_count": len(p.library.drafts),
	})
}

// pageRequest is what all lists of the library are asked with.
type pageRequest struct {
	Type      string `json:"type"`
	Offset    int    `json:"offset"`
	Count     int    `json:"count"`
	NoContent int    `json:"no_content"`
}

// pageOf answers one page of a list, the newest first.
func pageOf[T any](oldestFirst []T, req pageRequest, show func(T) any) answer {
	if req.Offset < 0 || req.Count < 1 || req.Count > 20 {
		return failure(40097)
	}
	all := slices.Clone(oldestFirst)
	slices.Reverse(all)
	items := []any{}
	for _, one := range all[min(req.Offset, len(all)):min(req.Offset+req.Count, len(all))] {
		items = append(items, show(one))
	}
	return object(map[string]any{"total_count": len(all), "item_count": len(items), "item": items})
}

func batchMaterial(p *Platform, x *exchange) answer {
	var req pageRequest
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch req.Type {
	case "news":
		return pageOf(p.library.drafts, req, func(d *draft) any { return d.show(false) })
	case "image", "voice", "video":
	default:
		return failure(40004)
	}
	ofType := slices.DeleteFunc(slices.Clone(p.library.files), func(m *material) bool { return m.typ != req.Type })
	return pageOf(ofType, req, func(m *material) any {
		return wxapi.MaterialItem{MediaID: m.id, Name: m.name, UpdateTime: m.updated, URL: m.url}
	})
}

// articleImage is what media/uploadimg takes: jpg and png below 1 MB.
var articleImage = mediaType{1<<20 - 1, 40009, []string{".png", ".jpg", ".jpeg"}, []string{"image/png", "image/jpeg"}}

func uploadArticleImage(p *Platform, x *exchange) answer {
	file, err := x.file()
	if err != nil {
		return failure(41005)
	}
	if code := articleImage.takes(file); code != 0 {
		return failure(code)
	}
	id := newMediaID()
	p.media.put(id, &medium{typ: "article", data: file.data}, x.now)
	return object(map[string]any{"url": fileURL(x, id)})
}

// jssdkVoice is media/get/jssdk. Nothing but a voice can be got there.
func jssdkVoice(p *Platform, x *exchange) answer {
	id := x.query.Get("media_id")
	m := p.media.get(id, x.now)
	if m == nil || m.typ != "voice" || m.expires.IsZero() {
		a := failure(40007)
		a.contentType = "text/plain"
		return a
	}
	return fileAnswer(id, m)
}
