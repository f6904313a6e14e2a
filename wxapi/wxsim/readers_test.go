package wxsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// TestComments: readers comment on an article that was sent to all, over HTTP, and each mistake earns its errcode.
func TestComments(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	client, ctx := w.client(), t.Context()
	cover, err := client.AddMaterial(ctx, &wxapi.AddMaterialRequest{Type: "image", Media: wxapi.Media{Base64: pixel}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.AddDraft(ctx, &wxapi.AddDraftRequest{Articles: []wxapi.DraftArticle{
		{Title: "closed", Content: "c", ThumbMediaID: cover.MediaID},
		{Title: "open", Content: "c", ThumbMediaID: cover.MediaID, NeedOpenComment: 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := client.SendMassMessage(ctx, &wxapi.SendMassMessageRequest{
		Filter: wxapi.MassFilter{IsToAll: true}, MsgType: "mpnews", MPNews: &wxapi.MediaID{MediaID: made.MediaID},
	})
	if err != nil {
		t.Fatal(err)
	}
	comment := func(index int, content string) (int, map[string]string) {
		t.Helper()
		status, body := w.do("POST", "/_sim/followers/o_bob/comment", fmt.Sprintf(`{"msg_data_id":%q,"index":%d,"content":%q}`, sent.MsgDataID, index, content))
		var answer map[string]string
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err, body)
		}
		return status, answer
	}
	for _, refused := range []struct {
		index   int
		content string
	}{{0, "closed"}, {2, "no such article"}, {1, ""}} {
		if status, answer := comment(refused.index, refused.content); status != 400 || answer["error"] == "" {
			t.Errorf("%v: %d %v", refused, status, answer)
		}
	}
	var ids []string
	for i := range 3 {
		status, answer := comment(1, fmt.Sprintf("n%d", i))
		if status != 200 || len(answer["user_comment_id"]) < 17 {
			t.Fatalf("%d %v", status, answer)
		}
		ids = append(ids, answer["user_comment_id"])
	}
	about := func(more string) string { return fmt.Sprintf(`{"msg_data_id":%s,"index":1%s}`, sent.MsgDataID, more) }
	on := func(id string) string { return about(`,"user_comment_id":` + id) }
	page, err := client.GetComments(ctx, &wxapi.GetCommentsRequest{MsgDataID: sent.MsgDataID, Index: 1, Begin: 1, Count: 1})
	if err != nil || page.Total != 3 || len(page.Comment) != 1 || page.Comment[0].Content != "n1" || page.Comment[0].OpenID != "o_bob" {
		t.Errorf("%+v, %v", page, err)
	}
	for _, step := range []struct {
		path, body string
		want       int
	}{
		{"comment/open", `{"msg_data_id":1}`, 88001},
		{"comment/list", about(`,"begin":0,"count":50`), 88010},
		{"comment/list", about(`,"begin":0,"count":0`), 88010},
		{"comment/markelect", on("1"), 88008},
		{"comment/markelect", on(ids[0]), 0},
		{"comment/reply/add", about(`,"user_comment_id":` + ids[0] + `,"content":""`), 88007},
		{"comment/reply/add", about(`,"user_comment_id":` + ids[0] + `,"content":"thanks"`), 0},
		{"comment/reply/add", about(`,"user_comment_id":` + ids[0] + `,"content":"again"`), 88005},
		{"comment/reply/delete", on(ids[0]), 0},
		{"comment/reply/add", about(`,"user_comment_id":` + ids[0] + `,"content":"again"`), 0},
		{"comment/delete", on(ids[1]), 0},
		{"comment/delete", on(ids[1]), 88008},
		{"comment/close", about(""), 0},
	} {
		if got := w.post(step.path, step.body); got != step.want {
			t.Errorf("%s %s: %d, not %d", step.path, step.body, got, step.want)
		}
	}
	if status, _ := comment(1, "closed now"); status != 400 {
		t.Error("a closed article takes a comment")
	}
}

// TestDataCube: days are counted in China, today is not told, and each API has its span.
func TestDataCube(t *testing.T) {
	w := newWorld(t, nil) // at 20:00 in China on 2026-11-23
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"event","Event":"subscribe"}`)
	ask := func(api, begin, end string) int {
		code, _ := w.api("POST", "/datacube/"+api, fmt.Sprintf(`{"begin_date":%q,"end_date":%q}`, begin, end))
		return code
	}
	for _, test := range []struct {
		api, begin, end string
		want            int
	}{
		{"getusersummary", "2026-11-16", "2026-11-22", 0},
		{"getusersummary", "2026-11-15", "2026-11-22", 61501},
		{"getusersummary", "2026-11-22", "2026-11-23", 61501},
		{"getusersummary", "2026-11-22", "2026-11-21", 61501},
		{"getusersummary", "22.11.2026", "2026-11-22", 61500},
		{"getarticletotal", "2026-11-21", "2026-11-22", 61501},
		{"getupstreammsgdist", "2026-11-08", "2026-11-22", 0},
		{"getinterfacesummary", "2026-10-24", "2026-11-22", 0},
		{"getinterfacesummary", "2026-10-23", "2026-11-22", 61501},
	} {
		if got := ask(test.api, test.begin, test.end); got != test.want {
			t.Errorf("%v: %d", test, got)
		}
	}
	w.hand.forward(4 * time.Hour) // midnight in China
	got, err := w.client().GetUserCumulate(t.Context(), &wxapi.DateRange{BeginDate: "2026-11-22", EndDate: "2026-11-23"})
	if err != nil || len(got.List) != 2 || got.List[0].CumulateUser != 0 || got.List[1].CumulateUser != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSmallMistakes: those of the smaller APIs.
func TestSmallMistakes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Templates = []string{"T"} })
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	code := func(method, path, body string) int {
		code, _ := w.api(method, path, body)
		return code
	}
	once := func(who, template, scene, title, value string) int {
		return w.post("message/template/subscribe", fmt.Sprintf(`{"touser":%q,"template_id":%q,"scene":%q,"title":%q,"data":{"content":{"value":%q}}}`,
			who, template, scene, title, value))
	}
	library := "/wxaapi/newtmpl/getpubtemplate"
	voice := "/cgi-bin/media/voice/"
	for want, got := range map[string]int{
		"40003 stranger":       once("o_nobody", "T", "1", "t", "v"),
		"40037 template":       once(alice, "X", "1", "t", "v"),
		"40097 scene":          once(alice, "T", "10001", "t", "v"),
		"45003 title":          once(alice, "T", "1", long(16), "v"),
		"45002 value":          once(alice, "T", "1", "t", long(201)),
		"0 once":               once(alice, "T", "1", "t", "v"),
		"200018 ids":           code("GET", library+"titles?start=0&limit=30", ""),
		"200016 start":         code("GET", library+"titles?ids=616&start=x&limit=30", ""),
		"200017 limit":         code("GET", library+"titles?ids=616&start=0&limit=31", ""),
		"200014 tid":           code("GET", library+"keywords?tid=1", ""),
		"40013 the same":       w.post("changeopenid", `{"from_appid":"`+testAppID+`","openid_list":["o"]}`),
		"40032 nobody":         w.post("changeopenid", `{"from_appid":"wx1","openid_list":[]}`),
		"40097 checkonly":      code("POST", "/cgi-bin/draft/switch?checkonly=2", "{}"),
		"40097 voice":          code("POST", voice+"queryrecoresultfortext?voice_id=1", ""),
		"41005 no voice":       code("POST", voice+"addvoicetorecofortext?voice_id=1&format=mp3", "x"),
		"40097 no id":          code("POST", voice+"addvoicetorecofortext?format=mp3", "x"),
		"40097 same language":  code("POST", voice+"translatecontent?lfrom=zh_CN&lto=zh_CN", "x"),
		"44002 no text":        code("POST", voice+"translatecontent?lfrom=zh_CN&lto=en_US", ""),
		"45002 text of 601":    code("POST", voice+"translatecontent?lfrom=zh_CN&lto=en_US", strings.Repeat("x", 601)),
		"43002 GET for a POST": code("GET", "/datacube/getusersummary", ""),
	} {
		if !strings.HasPrefix(want, fmt.Sprint(got)+" ") {
			t.Errorf("%d, want %s", got, want)
		}
	}
	if inbox := w.Inbox(alice); len(inbox) != 1 || inbox[0].Text != "t\nv" {
		t.Errorf("%+v", inbox)
	}
}
