package events

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// replyCase is one message of testdata/replies.
type replyCase struct {
	Name    string  `json:"name"`
	Headers Header  `json:"headers"`
	Body    string  `json:"body"`
	MsgType string  `json:"msgtype"`
	Text    *string `json:"text"`
	Source  string  `json:"source"`
	Error   string  `json:"error"`
}

func TestParseReplyValid(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range readCases[replyCase](t, "testdata/replies/valid.json") {
		seen[c.MsgType] = true
		r, err := ParseReply(c.Headers, []byte(c.Body))
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if r.MsgType != c.MsgType || r.Source != c.Source {
			t.Errorf("%s: msgtype %q of %q", c.Name, r.MsgType, r.Source)
		}
		if c.Text != nil && (r.Text == nil || r.Text.Content != *c.Text) {
			t.Errorf("%s: text %+v instead of %q", c.Name, r.Text, *c.Text)
		}
		checkAccepted(t, r)
	}
	for msgtype := range required {
		if !seen[msgtype] {
			t.Errorf("no case for msgtype %s", msgtype)
		}
	}
}

// checkAccepted checks what must hold for every reply that was taken.
func checkAccepted(t *testing.T, r Reply) {
	t.Helper()
	if _, known := required[r.MsgType]; !known {
		t.Errorf("msgtype %q", r.MsgType)
	}
	if r.MsgType == "text" && (len(r.Text.Content) > MaxText || !utf8.ValidString(r.Text.Content)) {
		t.Errorf("text %q", r.Text.Content)
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(r.Data, &data); err != nil || string(data["msgtype"]) == "" {
		t.Errorf("data %q: %v", r.Data, err)
	}
	form := r.Form(MaxArticles)
	if (form != nil) != r.Passive() {
		t.Errorf("%s: passive %t, form %v", r.MsgType, r.Passive(), form)
	}
	if form == nil {
		return
	}
	// What decides a hold can be delivered.
	if _, err := callback.FormatReply("o", "gh_1", time.Unix(1, 0), form); err != nil {
		t.Errorf("%s is accepted and cannot be delivered: %v", r.Data, err)
	}
}

func TestParseReplyInvalid(t *testing.T) {
	t.Parallel()
	for _, c := range readCases[replyCase](t, "testdata/replies/invalid.json") {
		r, err := ParseReply(c.Headers, []byte(c.Body))
		if err == nil || !strings.Contains(err.Error(), c.Error) {
			t.Errorf("%s: %v, not about %q (%+v)", c.Name, err, c.Error, r)
		}
	}
}

// Each field that a check can be about has a name that the sender knows.
func TestFaultsNameTheFieldAsSent(t *testing.T) {
	t.Parallel()
	for _, form := range []any{callback.Text{}, callback.Image{}, callback.Voice{}, callback.Video{}, callback.Music{}, callback.News{}, callback.Article{}} {
		for field := range reflect.TypeOf(form).Fields() {
			if sentAs[field.Name] == "" && field.Name != "Description" { // which may be anything
				t.Errorf("%T.%s has no name", form, field.Name)
			}
		}
	}
	bad := &callback.ReplyError{MsgType: "news", Field: "Articles[7].PicURL", Problem: "is bad"}
	if err := asSent(bad); err.Error() != "news.articles[7].picurl is bad" {
		t.Error(err)
	}
	if err := asSent(nil); err != nil {
		t.Error(err)
	}
}

// What no JSON file can hold, and what is too long for one.
func TestParseReplyBytes(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", MaxText)
	quoted := func(content string) string {
		whole, err := json.Marshal(Reply{MsgType: "text", Text: &Text{Content: content}})
		if err != nil {
			t.Fatal(err)
		}
		return string(whole)
	}
	for name, c := range map[string]struct {
		body  string
		about string
	}{
		"2048 bytes":                    {long, ""},
		"2048 bytes in JSON":            {quoted(long), ""},
		"2048 bytes of Chinese":         {strings.Repeat("中", 682) + "ab", ""},
		"2048 escaped":                  {`{"msgtype":"text","text":{"content":"` + strings.Repeat(`\u0061`, MaxText) + `"}}`, ""},
		"2049 bytes":                    {long + "a", "2049 bytes"},
		"2049 bytes in JSON":            {quoted(long + "a"), "2049 bytes"},
		"2049 bytes of Chinese":         {strings.Repeat("中", 683), "2049 bytes"},
		"1 MiB":                         {strings.Repeat("a", 1<<20), "at most 2048"},
		"invalid UTF-8":                 {"a\xff", "UTF-8"},
		"a cut character":               {"中"[:2], "UTF-8"},
		"invalid UTF-8 in JSON":         {"{\"msgtype\":\"text\",\"text\":{\"content\":\"a\xff\"}}", "UTF-8"},
		"invalid UTF-8 in an event":     {"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":{\"msgtype\":\"text\",\"text\":{\"content\":\"a\xff\"}}}", "UTF-8"},
		"invalid UTF-8 by base64":       {`{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"/w=="}`, "UTF-8"},
		"10,001 deep":                   {`{"msgtype":"wait","x":` + strings.Repeat("[", 10001) + strings.Repeat("]", 10001) + "}", "depth"},
		"a reply of 2048 in an unasked": {`{"msgtype":"wait","text":{"content":"` + long + long + `"}}`, ""},
	} {
		_, err := ParseReply(nil, []byte(c.body))
		if (err == nil) != (c.about == "") || err != nil && !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFormCutsArticles(t *testing.T) {
	t.Parallel()
	r, err := ParseReply(nil, []byte(`{"msgtype":"news","news":{"articles":[{"title":"1","url":"https://x/"},{"title":"2"},{"title":"3"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := callback.News{Articles: []callback.Article{{Title: "1", URL: "https://x/"}}}
	if got := r.Form(1); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func FuzzParseReply(f *testing.F) {
	for _, file := range []string{"valid", "invalid"} {
		for _, c := range readCases[replyCase](f, "testdata/replies/"+file+".json") {
			f.Add(c.Headers.Get("ce-specversion"), c.Headers.Get("ce-type"), c.Headers.Get(contentTypeHeader), []byte(c.Body))
		}
	}
	f.Fuzz(func(t *testing.T, version, eventType, contentType string, body []byte) {
		header := Header{
			"ce-specversion": {version}, "ce-type": {eventType}, "ce-id": {"1"}, "ce-source": {"/s"},
			contentTypeHeader: {contentType},
		}
		before := bytes.Clone(body)
		r, err := ParseReply(header, body)
		if !bytes.Equal(before, body) {
			t.Fatal("the message was changed")
		}
		again, errAgain := ParseReply(header, before)
		if !reflect.DeepEqual(r, again) || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("two verdicts: %v and %v", err, errAgain)
		}
		if err == nil {
			checkAccepted(t, r)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, file := range []string{"structured", "binary", "bare", "bad"} {
		for _, c := range readCases[bindingCase](f, "testdata/binding/"+file+".json") {
			f.Add(c.Headers.Get("ce-specversion"), c.Headers.Get("ce-subject"), c.Headers.Get(contentTypeHeader), []byte(c.Body))
		}
	}
	f.Fuzz(func(t *testing.T, version, subject, contentType string, body []byte) {
		header := Header{
			"ce-specversion": {version}, "ce-subject": {subject}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"},
			contentTypeHeader: {contentType},
		}
		e, isEvent, err := Decode(header, body)
		if err != nil && !isEvent {
			t.Fatal("a bare message has no fault")
		}
		if err != nil || !isEvent {
			return
		}
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		// What was read can be written and read again, unless its data break the
		// promise of their type, which only binary mode and base64 can.
		header, body, err = EncodeStructured(e)
		if err != nil {
			if isJSON(e) && (!json.Valid(e.Data()) || !utf8.Valid(e.Data())) {
				return
			}
			t.Fatal(err)
		}
		got, _, err := Decode(header, body)
		if err != nil || got.ID() != e.ID() || got.Source() != e.Source() || got.Type() != e.Type() {
			t.Fatalf("%v: %q becomes %q", err, e, got)
		}
		was := e.Data()
		if isJSON(e) && !e.DataBase64 { // white space around a value is none of it
			was = bytes.TrimSpace(was)
		}
		if !bytes.Equal(got.Data(), was) && (!isNull(was) || len(got.Data()) != 0) {
			t.Fatalf("data %q becomes %q", e.Data(), got.Data())
		}
	})
}
