package wxsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

const jpg = "\xff\xd8\xff\xe0 picture"

// TestPublishing: a picture becomes the cover of a draft, the draft an article, and the article a custom message.
func TestPublishing(t *testing.T) {
	w := newWorld(t, nil)
	pushed := w.events()
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	client, ctx := w.client(), t.Context()
	cover, err := client.AddMaterial(ctx, &wxapi.AddMaterialRequest{Type: "image", Media: wxapi.Media{Base64: pixel}})
	if err != nil || !strings.HasPrefix(cover.URL, w.url) {
		t.Fatalf("%+v, %v", cover, err)
	}
	article := wxapi.DraftArticle{Title: "T", Content: "<p>好</p>", ThumbMediaID: cover.MediaID}
	post := wxapi.DraftArticle{
		ArticleType: "newspic", Title: "P", Content: "c",
		ImageInfo: &wxapi.ImageInfo{ImageList: []wxapi.ImageListItem{{ImageMediaID: cover.MediaID}}},
	}
	made, err := client.AddDraft(ctx, &wxapi.AddDraftRequest{Articles: []wxapi.DraftArticle{article, post}})
	if err != nil {
		t.Fatal(err)
	}
	article.Title = "T2"
	if _, err := client.UpdateDraft(ctx, &wxapi.UpdateDraftRequest{MediaID: made.MediaID, Index: 0, Articles: article}); err != nil {
		t.Fatal(err)
	}
	if d, err := client.GetDraft(ctx, &wxapi.GetDraftRequest{MediaID: made.MediaID}); err != nil || len(d.NewsItem) != 2 || d.NewsItem[0].Title != "T2" || d.NewsItem[0].URL == "" {
		t.Errorf("%+v, %v", d, err)
	}
	if m, err := client.GetMaterial(ctx, &wxapi.GetMaterialRequest{MediaID: made.MediaID}); err != nil || m.NewsItem[0].Content != "<p>好</p>" {
		t.Errorf("%+v, %v", m, err)
	}
	if list, err := client.BatchGetDraft(ctx, &wxapi.BatchGetDraftRequest{Count: 20, NoContent: 1}); err != nil || list.TotalCount != 1 || list.Item[0].Content.NewsItem[0].Content != "" {
		t.Errorf("%+v, %v", list, err)
	}
	published, err := client.PublishDraft(ctx, &wxapi.PublishDraftRequest{MediaID: made.MediaID})
	if err != nil {
		t.Fatal(err)
	}
	done := event(t, pushed, "PUBLISHJOBFINISH")
	id := done.Value("PublishEventInfo", "article_id")
	if done.Value("PublishEventInfo", "publish_id") != published.PublishID || id == "" {
		t.Fatalf("%s", done.JSON())
	}
	status, err := client.GetPublishStatus(ctx, &wxapi.GetPublishStatusRequest{PublishID: published.PublishID})
	if err != nil || status.PublishStatus != 0 || status.ArticleID != id || status.ArticleDetail.Count != 2 {
		t.Errorf("%+v, %v", status, err)
	}
	if n, err := client.GetDraftCount(ctx, nil); err != nil || n.TotalCount != 0 {
		t.Errorf("the draft is still there: %+v, %v", n, err)
	}
	custom := &wxapi.SendCustomMessageRequest{ToUser: alice, MsgType: "mpnewsarticle", MPNewsArticle: &wxapi.MPNewsArticle{ArticleID: id}}
	if _, err := client.SendCustomMessage(ctx, custom); err != nil || !strings.HasPrefix(w.Inbox(alice)[0].Text, "T2 [mpnewsarticle http") {
		t.Errorf("%+v, %v", w.Inbox(alice), err)
	}
	if _, err := client.DeletePublishedArticle(ctx, &wxapi.DeletePublishedArticleRequest{ArticleID: id, Index: 2}); err != nil {
		t.Error(err)
	}
	if got, err := client.GetPublishedArticle(ctx, &wxapi.GetPublishedArticleRequest{ArticleID: id}); err != nil || got.NewsItem[0].IsDeleted || !got.NewsItem[1].IsDeleted {
		t.Errorf("%+v, %v", got, err)
	}
	if list, err := client.BatchGetPublishedArticle(ctx, &wxapi.BatchGetPublishedArticleRequest{Count: 1}); err != nil || list.Item[0].ArticleID != id {
		t.Errorf("%+v, %v", list, err)
	}
	if code := w.post("freepublish/delete", `{"article_id":"`+id+`"}`); code != 0 {
		t.Error(code)
	}
	if status, err := client.GetPublishStatus(ctx, &wxapi.GetPublishStatusRequest{PublishID: published.PublishID}); err != nil || status.PublishStatus != 5 {
		t.Errorf("%+v, %v", status, err)
	}
	if code := w.post("message/custom/send", `{"touser":"o_alice","msgtype":"mpnewsarticle","mpnewsarticle":{"article_id":"`+id+`"}}`); code != 53600 {
		t.Errorf("a deleted article: %d", code)
	}
}

// TestDraftMistakes: each earns WeChat's errcode.
func TestDraftMistakes(t *testing.T) {
	w := newWorld(t, nil)
	_, temporary := w.upload("image", "media", "a.png", pixel)
	add := func(article string) int { return w.post("draft/add", `{"articles":[`+article+`]}`) }
	for want, got := range map[string]int{
		"44003 empty":      add(""),
		"45008 nine":       add(strings.Repeat(`{},`, 8) + `{}`),
		"40227 no title":   add(`{"content":"c"}`),
		"45003 title":      add(`{"title":"` + long(33) + `","content":"c"}`),
		"45110 author":     add(`{"title":"t","author":"` + long(17) + `","content":"c"}`),
		"45004 digest":     add(`{"title":"t","digest":"` + long(129) + `","content":"c"}`),
		"44004 no content": add(`{"title":"t"}`),
		"45002 content":    add(`{"title":"t","content":"` + long(20_001) + `"}`),
		"40007 no cover":   add(`{"title":"t","content":"c"}`),
		"40007 temporary":  add(fmt.Sprintf(`{"title":"t","content":"c","thumb_media_id":%q}`, temporary["media_id"])),
		"40007 no picture": add(`{"article_type":"newspic","title":"t","content":"c"}`),
		"40007 get":        w.post("draft/get", `{"media_id":"M"}`),
		"40007 update":     w.post("draft/update", `{"media_id":"M"}`),
		"40007 delete":     w.post("draft/delete", `{"media_id":"M"}`),
		"40007 publish":    w.post("freepublish/submit", `{"media_id":"M"}`),
		"40097 status":     w.post("freepublish/get", `{"publish_id":1}`),
		"53600 article":    w.post("freepublish/getarticle", `{"article_id":"A"}`),
		"53600 unpublish":  w.post("freepublish/delete", `{"article_id":"A"}`),
		"40097 page":       w.post("draft/batchget", `{"offset":0,"count":21}`),
	} {
		if !strings.HasPrefix(want, fmt.Sprint(got)+" ") {
			t.Errorf("%d, want %s", got, want)
		}
	}
}

// TestMaterial: permanent files stay, can be counted, listed, got and deleted, and stand for temporary ones.
func TestMaterial(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	client, ctx := w.client(), t.Context()
	add := func(typ string, data []byte) string {
		req := &wxapi.AddMaterialRequest{Type: typ, Media: wxapi.Media{Base64: data}}
		if typ == "video" {
			req.Description = &wxapi.VideoDescription{Title: "T", Introduction: "I"}
		}
		made, err := client.AddMaterial(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return made.MediaID
	}
	image, second := add("image", pixel), add("image", []byte(jpg))
	voice, video := add("voice", samples["voice"]), add("video", samples["video"])
	w.Advance(30 * 24 * time.Hour)
	if n, err := client.GetMaterialCount(ctx, nil); err != nil || *n != (wxapi.GetMaterialCountResponse{ImageCount: 2, VoiceCount: 1, VideoCount: 1}) {
		t.Errorf("%+v, %v", n, err)
	}
	list, err := client.BatchGetMaterial(ctx, &wxapi.BatchGetMaterialRequest{Type: "image", Offset: 1, Count: 20})
	if err != nil || list.TotalCount != 2 || list.ItemCount != 1 || list.Item[0].MediaID != image || list.Item[0].Name != "media.png" {
		t.Errorf("%+v, %v", list, err)
	}
	for id, size := range map[string]int{image: len(pixel), second: len(jpg), voice: len(samples["voice"])} {
		if got, err := client.GetMaterial(ctx, &wxapi.GetMaterialRequest{MediaID: id}); err != nil || got.Media == nil || got.Media.Size != int64(size) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	got, err := client.GetMaterial(ctx, &wxapi.GetMaterialRequest{MediaID: video})
	if err != nil || got.Title != "T" || got.Description != "I" || string(got.Media.Base64) != string(samples["video"]) {
		t.Errorf("%+v, %v", got, err)
	}
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	if code := w.post("message/custom/send", `{"touser":"o_alice","msgtype":"image","image":{"media_id":"`+image+`"}}`); code != 0 {
		t.Errorf("as a message: %d", code)
	}
	if code, _ := w.api("GET", "/cgi-bin/media/get?media_id="+image, ""); code != 40007 {
		t.Errorf("as temporary media: %d", code)
	}
	codes := []int{
		w.post("material/del_material", `{"media_id":"`+image+`"}`), w.post("material/del_material", `{"media_id":"`+image+`"}`),
		w.post("material/get_material", `{"media_id":"`+image+`"}`), w.post("material/batchget_material", `{"type":"thumb","count":1}`),
	}
	if want := "[0 40007 40007 40004]"; fmt.Sprint(codes) != want {
		t.Errorf("%v, want %s", codes, want)
	}
	if status, _ := w.do("GET", "/_sim/files/"+image, ""); status != http.StatusNotFound {
		t.Errorf("the deleted picture: %d", status)
	}
}

// TestArticleImagesAndVoices: the two small relatives of uploading and downloading.
func TestArticleImagesAndVoices(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	made, err := client.UploadArticleImage(ctx, &wxapi.UploadArticleImageRequest{Media: wxapi.Media{Base64: pixel}})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := w.do("GET", strings.TrimPrefix(made.URL, w.url), ""); status != http.StatusOK || body != string(pixel) {
		t.Errorf("%d", status)
	}
	_, voice := w.upload("voice", "media", "a.amr", samples["voice"])
	_, image := w.upload("image", "media", "a.png", pixel)
	if got, err := client.GetJSSDKVoice(ctx, &wxapi.GetJSSDKVoiceRequest{MediaID: fmt.Sprint(voice["media_id"])}); err != nil || got.Media.Size != int64(len(samples["voice"])) {
		t.Errorf("%+v, %v", got, err)
	}
	if code, _ := w.api("GET", fmt.Sprintf("/cgi-bin/media/get/jssdk?media_id=%s", image["media_id"]), ""); code != 40007 {
		t.Errorf("a picture: %d", code)
	}
}
