package wxapi_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

func message(msgtype, object string) string {
	return `{"touser":"` + openID + `","msgtype":"` + msgtype + `","` + msgtype + `":` + object + `}`
}

var goodData = map[string]string{
	"text":      message("text", `{"content":"hi"}`),
	"text 2048": message("text", `{"content":"`+strings.Repeat("好", 682)+`xx"}`),
	"image":     message("image", `{"media_id":"m"}`),
	"voice":     message("voice", `{"media_id":"m"}`),
	"video":     message("video", `{"media_id":"m","thumb_media_id":"t","title":"T","description":"D"}`),
	"music":     message("music", `{"title":"T","musicurl":"u","hqmusicurl":"h","thumb_media_id":"t"}`),
	"news":      message("news", `{"articles":[{"title":"T","url":"u"}]}`),
	"mpnews":    message("mpnews", `{"media_id":"m"}`),
	"article":   message("mpnewsarticle", `{"article_id":"a"}`),
	"menu":      message("msgmenu", `{"head_content":"?","list":[{"id":"101","content":"yes"}],"tail_content":"!"}`),
	"card":      message("wxcard", `{"card_id":"c"}`),
	"page":      message("miniprogrampage", `{"title":"T","appid":"wx1","pagepath":"p","thumb_media_id":"t"}`),
	"link":      message("link", `{"title":"T","url":"u"}`),
	"agent": `{"touser":"o","msgtype":"text","text":{"content":"hi"},"customservice":{"kf_account":"a@b"},` +
		`"aimsgcontext":{"is_ai_msg":1},"businessid":"b"}`,
	"escaped": `{"touser":"o","msgtype":"text","text":{"content":"a\u2028b\u0002"}}`,
	"null":    `{"touser":"o","msgtype":"text","text":{"content":"hi"},"customservice":null}`,
}

var badData = []struct{ name, data, path, problem string }{
	{"nothing", ``, "", "is empty"},
	{"null", `null`, "", "must be a JSON object"},
	{"list", `[]`, "", "must be a JSON object"},
	{"word", `NaN`, "", "must be a JSON object"},
	{"cut", `{"touser":`, "", "must be a JSON object"},
	{"two", `{}{}`, "", "must be a JSON object"},
	{"deep", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000), "", "depth"},
	{"rather deep", strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101), "", "100 levels"},
	{"bytes", "{\"touser\":\"o\xff\"}", "", "UTF-8"},
	{"key twice", `{"touser":"o","touser":"p"}`, "touser", "stands twice"},
	{"key twice below", `{"touser":"o","text":{"content":"a","content":"b"}}`, "text.content", "stands twice"},
	{"key twice in disguise", "{\"touser\":\"o\",\"to\\u0001user\":\"p\"}", "touser", "stands twice"},
	{"nobody", `{"msgtype":"text","text":{"content":"a"}}`, "touser", "is missing"},
	{"empty", `{"touser":"","msgtype":"text","text":{"content":"a"}}`, "touser", "is empty"},
	{"other case", `{"ToUser":"o","msgtype":"text","text":{"content":"a"}}`, "touser", "is missing"},
	{"number", `{"touser":1,"msgtype":"text","text":{"content":"a"}}`, "touser", "must be a string"},
	{"injected", `{"touser":"o&x=1","msgtype":"text","text":{"content":"a"}}`, "touser", "not an OpenID"},
	{"no type", `{"touser":"o","text":{"content":"a"}}`, "msgtype", "is missing"},
	{"wrong type", `{"touser":"o","msgtype":"txt","text":{"content":"a"}}`, "msgtype", `did you mean "text"?`},
	{"odd type", `{"touser":"o","msgtype":"hologram"}`, "msgtype", "known are text, image"},
	{"not there", `{"touser":"o","msgtype":"text"}`, "text", "is missing"},
	{"null there", `{"touser":"o","msgtype":"text","text":null}`, "text", "is missing"},
	{"no object", `{"touser":"o","msgtype":"text","text":"hi"}`, "text", "must be an object"},
	{"no content", message("text", `{}`), "text.content", "is missing"},
	{"empty content", message("text", `{"content":""}`), "text.content", "is empty"},
	{"only control characters", message("text", `{"content":"\u0001"}`), "text.content", "is empty"},
	{"long", message("text", `{"content":"`+strings.Repeat("好", 683)+`"}`), "text.content", "2049 bytes"},
	{"no articles", message("news", `{"articles":[]}`), "news.articles", "is empty"},
	{"two articles", message("news", `{"articles":[{},{}]}`), "news.articles", "exactly 1"},
	{"null article", message("news", `{"articles":[null]}`), "news.articles[0]", "is null"},
	{"no list", message("news", `{"articles":{}}`), "news.articles", "must be a list"},
	{"menu entry", message("msgmenu", `{"list":[{"id":"1","content":"a"},{"id":"2"}]}`), "msgmenu.list[1].content", "is missing"},
	{"agent", `{"touser":"o","msgtype":"text","text":{"content":"a"},"customservice":{}}`, "customservice.kf_account", "is missing"},
	{"fraction", `{"touser":"o","msgtype":"text","text":{"content":"a"},"aimsgcontext":{"is_ai_msg":0.5}}`, "aimsgcontext.is_ai_msg", "whole number"},
	{"appid", `{"appid":"wx1","touser":"o"}`, "appid", "configuration"},
	{"secret", `{"secret":"x","touser":"o"}`, "secret", "configuration"},
	{"token", `{"Access_Token":"x","touser":"o"}`, "access_token", "configuration"},
}

func TestCheck(t *testing.T) {
	row := wxapi.SendCustomMessage.Row
	for name, data := range goodData {
		if warnings, err := row.Check([]byte(data)); err != nil || warnings != nil {
			t.Errorf("%s: %v %v", name, warnings, err)
		}
	}
	for _, test := range badData {
		_, err := row.Check([]byte(test.data))
		refused, isRequest := errors.AsType[*wxapi.RequestError](err)
		if !isRequest || refused.Path != test.path || !strings.Contains(refused.Problem, test.problem) || refused.Verb != row.Name {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestCheckOfOtherVerbs(t *testing.T) {
	for _, test := range []struct{ verb, data, path string }{
		{"get_user_info", `{"openid":"o","lang":"de"}`, "lang"},
		{"get_user_info", `{"openid":"` + strings.Repeat("o", 65) + `"}`, "openid"},
		{"create_group", `{"group":{"name":"` + strings.Repeat("组", 31) + `"}}`, "group.name"},
		{"update_group", `{"group":{"name":"x"}}`, "group.id"},
		{"update_group", `{"group":{"id":"107","name":"x"}}`, "group.id"},
		{"update_group", `{"group":{"id":99999999999999999999,"name":"x"}}`, "group.id"},
		{"update_group_of_user", `{"openid":"o"}`, "to_groupid"},
		{"get_media", `{}`, "media_id"},
	} {
		row, _ := wxapi.Lookup(test.verb)
		_, err := row.Check([]byte(test.data))
		if refused, isRequest := errors.AsType[*wxapi.RequestError](err); !isRequest || refused.Path != test.path {
			t.Errorf("%s %s: %v", test.verb, test.data, err)
		}
	}
}

func TestUnknownFieldsPassWithAWarning(t *testing.T) {
	p := newPlatform(t, ok)
	data := `{"touser":"o","msgtype":"text","text":{"content":"hi","colour":"red"},"later":{"id":12345678901234567890}}`
	result, err := p.client(t).CallJSON(t.Context(), wxapi.SendCustomMessage.Row, []byte(data))
	if err != nil || !slices.Equal(result.Warnings, []string{"text.colour", "later"}) {
		t.Errorf("%v, %v", result.Warnings, err)
	}
	if calls, _ := p.seen(); string(calls[0].Body) != data {
		t.Errorf("sent %s", calls[0].Body)
	}
}

// WeChat refuses \u escapes (40033) or shows them to the follower.
func TestRequestsAreRawUTF8(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t)
	_, err := client.SendCustomMessage(t.Context(), &wxapi.SendCustomMessageRequest{
		ToUser: "o", MsgType: "text",
		Text: &wxapi.Text{Content: "<a href=\"x\">好</a> & 😀\u2028line\x00\x1b[31m\tend\n\\u0041"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"touser":"o","msgtype":"text","text":{"content":"<a href=\"x\">好</a> & 😀\nline[31m\tend\n\\u0041"}}`
	calls, _ := p.seen()
	if got := string(calls[0].Body); got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	if calls[0].Length != int64(len(want)) {
		t.Errorf("Content-Length %d", calls[0].Length)
	}
}

func TestRefusedDataCallsNobody(t *testing.T) {
	p := newPlatform(t, ok)
	result, err := p.client(t).CallJSON(t.Context(), wxapi.SendCustomMessage.Row, []byte(`{}`))
	if calls, tokens := p.seen(); err == nil || len(calls)+tokens+result.Requests != 0 || string(result.Response) != "{}" {
		t.Errorf("%d calls, %d tokens, %v", len(calls), tokens, err)
	}
}

// FuzzCheck: whatever the data, Check answers; what it lets pass is JSON that
// every verb's own type can hold.
func FuzzCheck(f *testing.F) {
	for _, data := range goodData {
		f.Add(0, []byte(data))
	}
	for _, test := range badData {
		f.Add(0, []byte(test.data))
	}
	for i := range wxapi.Verbs() {
		f.Add(i, []byte(`{"type":"image","media":{"base64":"/9j/2Q=="},"openid":"o","media_id":"m","group":{"id":1,"name":"n"}}`))
	}
	f.Fuzz(func(t *testing.T, verb int, data []byte) {
		rows := wxapi.Verbs()
		row := rows[((verb%len(rows))+len(rows))%len(rows)]
		warnings, err := row.Check(data)
		if err != nil {
			if _, isRequest := errors.AsType[*wxapi.RequestError](err); !isRequest {
				t.Errorf("%T", err)
			}
			return
		}
		if !json.Valid(data) || len(warnings) > 50 {
			t.Errorf("%q passed, %d warnings", data, len(warnings))
		}
	})
}
