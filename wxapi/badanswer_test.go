package wxapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

const page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body></html>"

// No row takes for a success what proves none, and none takes it for a refusal
// either: nobody can know.
func TestBadAnswersOfEveryRow(t *testing.T) {
	type bad struct {
		status int
		body   string
	}
	var now bad
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) { says(now.status, now.body)(w, r) })
	client := p.client(t)
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Local {
			continue
		}
		samples := samplesOf(t, row)
		good := string(bytes.TrimSpace(samples[0].answer))
		all := []bad{
			{200, ``},
			{200, ` `},
			{200, `null`},
			{200, `[]`},
			{200, `0`},
			{200, `"ok"`},
			{200, `true`},
			{200, `ok`},
			{200, page},
			{502, page},
			{500, ``},
			{200, `{"errcode":null}`},
			{200, `{"errcode":"yes"}`},
			{200, `{"errcode":0,"errcode":0}`},
			{200, good + good},
			{503, good},
			{302, good},
		}
		for cut := range 3 { // a broken answer, wherever it broke
			all = append(all, bad{200, good[:1+(len(good)-2)*cut/2]})
		}
		proof := row.Proof
		if !slices.Contains(proof, wxapi.NoKey) && !slices.Contains(proof, wxapi.AnyKey) {
			all = append(all, bad{200, `{}`}, bad{200, `{"errmsg":"ok"}`}, bad{200, `{"Errcode":0}`})
			for _, key := range proof {
				for _, nothing := range []string{`null`, `""`, `{}`} {
					all = append(all, bad{200, `{"` + key + `":` + nothing + `}`})
				}
				if nonsense := notOf(row.Response, key); nonsense != "" {
					all = append(all, bad{200, `{"` + key + `":` + nonsense + `}`})
				}
			}
		}
		for _, now = range all {
			result, err := client.CallJSON(t.Context(), row, samples[0].request)
			if _, doubtful := errors.AsType[*wxapi.AnswerError](err); !doubtful || string(result.Response) != "{}" || result.Requests != 1 {
				t.Errorf("%s: HTTP %d %.100q is %v with %s", row.Name, now.status, now.body, err, result.Response)
			}
		}
	}
}

// notOf is JSON that the field of a response at key cannot be made of.
func notOf(t reflect.Type, key string) string {
	if t.Kind() != reflect.Struct {
		return ""
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != key {
			continue
		}
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch of.Kind() {
		case reflect.Int, reflect.Int64, reflect.Struct, reflect.Slice:
			return `"nonsense"`
		case reflect.String:
			return `{"x":1}`
		}
	}
	return ""
}

// WeChat's answers mean the same with numbers as strings, strings as numbers, no
// errcode, a null more, another Content-Type or a BOM: each row's is then the
// same to the byte.
func TestOddAnswersOfEveryRow(t *testing.T) {
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Local || row.Body == wxapi.Download || row == wxapi.CallAPI.Row {
			continue
		}
		for _, s := range samplesOf(t, row) {
			var body []byte
			p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=gbk")
				_, _ = w.Write(body)
			})
			client := p.client(t)
			answered := func(form []byte) string {
				t.Helper()
				body = form
				result, err := client.CallJSON(t.Context(), row, s.request)
				if err != nil || len(result.Warnings) > 0 {
					t.Errorf("%s: %v, %v for %s", row.Name, err, result.Warnings, form)
				}
				into := reflect.New(row.Response).Interface()
				if err := json.Unmarshal(result.Response, into); err != nil {
					t.Errorf("%s: %s does not fit %T: %v", row.Name, result.Response, into, err)
				}
				return sorted(t, result.Response)
			}
			plain := decoded(t, s.answer).(map[string]any)
			want := answered(encoded(t, plain))
			odd := []any{change(plain, asText), change(plain, asNumber)}
			if len(row.Proof) > 0 && plain["errcode"] == json.Number("0") {
				without := maps.Clone(plain)
				delete(without, "errcode")
				if got := answered(encoded(t, without)); got != strings.Replace(want, `"errcode":0,`, "", 1) {
					t.Errorf("%s: %s without its errcode is %s", row.Name, want, got)
				}
			}
			for _, form := range odd {
				if got := answered(encoded(t, form)); got != want {
					t.Errorf("%s: %s\nas %s\nis %s", row.Name, want, encoded(t, form), got)
				}
			}
			if got := answered(append([]byte("\uFEFF \r\n"), s.answer...)); got != want {
				t.Errorf("%s: with a BOM it is %s", row.Name, got)
			}
		}
	}
}

// sorted is JSON with its keys in order.
func sorted(t *testing.T, data []byte) string {
	t.Helper()
	return string(encoded(t, decoded(t, data)))
}

// change is a copy of data with its scalars changed.
func change(data any, f func(any) any) any {
	switch data := data.(type) {
	case map[string]any:
		changed := map[string]any{}
		for key, v := range data {
			changed[key] = change(v, f)
			if key == "errmsg" || key == "err_msg" {
				changed[key] = v
			}
		}
		return changed
	case []any:
		changed := []any{}
		for _, v := range data {
			changed = append(changed, change(v, f))
		}
		return changed
	}
	return f(data)
}

func asText(v any) any {
	if n, isNumber := v.(json.Number); isNumber {
		return n.String()
	}
	return v
}

func asNumber(v any) any {
	if text, isText := v.(string); isText && json.Valid([]byte(text)) && strings.Trim(text, "0123456789") == "" {
		return json.Number(text)
	}
	return v
}

// What of an answer has no place in its form is left out and named, for that
// the call was executed is certain; what is as good as nothing is left out
// silently; what nobody knows stays as it is.
func TestAnswersOfAnotherForm(t *testing.T) {
	for _, test := range []struct {
		row        *wxapi.Row
		data       string
		says, want string
		warnings   []string
	}{
		{
			wxapi.GetTags.Row, `{}`, `{"tags":{"id":"127","name":广东,"count":5.0}}`,
			"", nil,
		},
		{
			wxapi.GetTags.Row, `{}`, `{"tags":{"id":"127","name":128,"count":5.0,"more":9007199254740993}}`,
			`{"tags":[{"id":127,"name":"128","count":5,"more":9007199254740993}]}`, nil,
		},
		{wxapi.GetTags.Row, `{}`, `{"errcode":0,"tags":{}}`, `{"errcode":0,"tags":[]}`, nil},
		{wxapi.GetTags.Row, `{}`, `{"tags":[null,{"id":1,"name":null}]}`, `{"tags":[{"id":1}]}`, nil},
		{
			wxapi.GetTags.Row, `{}`, `{"errcode":"0","tags":[{"id":"x","name":{},"count":1.5},7]}`, `{"errcode":0,"tags":[{}]}`,
			[]string{
				"response.tags[0].id is not what WeChat documents, and is left out",
				"response.tags[0].name is not what WeChat documents, and is left out",
				"response.tags[0].count is not what WeChat documents, and is left out",
				"response.tags[1] is not what WeChat documents, and is left out",
			},
		},
		{wxapi.GetUserList.Row, `{}`, `{"total":"0","count":"","data":[],"next_openid":null}`, `{"total":0}`, nil},
		{
			wxapi.SendMassMessage.Row, `{"filter":{"is_to_all":true},"msgtype":"text","text":{"content":"hi"}}`,
			`{"errcode":0,"msg_id":{"a":1},"msg_data_id":"9007199254740993"}`, `{"errcode":0,"msg_data_id":"9007199254740993"}`,
			[]string{"response.msg_id is not what WeChat documents, and is left out"},
		},
		{
			wxapi.GetPublishedArticle.Row, `{"article_id":"A"}`,
			`{"news_item":[{"title":true,"is_deleted":"1","need_open_comment":true,"show_cover_pic":false}]}`,
			`{"news_item":[{"title":"true","is_deleted":true,"need_open_comment":1,"show_cover_pic":0}]}`, nil,
		},
		{wxapi.GetUserInfo.Row, `{"openid":"o"}`, `{"subscribe":1e0,"qr_scene":"4294967295","tagid_list":""}`, `{"subscribe":1,"qr_scene":4294967295,"tagid_list":[]}`, nil},
	} {
		p := newPlatform(t, says(200, test.says))
		result, err := p.client(t).CallJSON(t.Context(), test.row, []byte(test.data))
		if test.want == "" {
			if err == nil {
				t.Errorf("%s is taken for an answer: %s", test.says, result.Response)
			}
			continue
		}
		if err != nil || string(result.Response) != test.want || !slices.Equal(result.Warnings, test.warnings) {
			t.Errorf("%s\nis %s %q, %v\nnot %s %q", test.says, result.Response, result.Warnings, err, test.want, test.warnings)
		}
		if err := json.Unmarshal(result.Response, reflect.New(test.row.Response).Interface()); err != nil {
			t.Error(err)
		}
	}
}

// A refusal's answer has the same form.
func TestRefusalsOfAnotherForm(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":"45009","errmsg":"quota","msg_id":""}`))
	result, err := p.client(t).CallJSON(t.Context(), wxapi.GetMassMessageStatus.Row, []byte(`{"msg_id":1}`))
	if _, refused := errors.AsType[*wxapi.Error](err); !refused || string(result.Response) != `{"errcode":45009,"errmsg":"quota","msg_id":""}` {
		t.Errorf("%s, %v", result.Response, err)
	}
}
