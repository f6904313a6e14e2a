package wxsim

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
)

// TestSlips: what can't be meant is refused, and the text says what was meant.
func TestSlips(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	for data, want := range map[string]string{
		``:                                      "is empty",
		`[]`:                                    "no JSON object",
		`{"MsgType":"text"`:                     "no JSON object",
		`{"Content":"hi"}`:                      "MsgType is missing",
		`{"msgtype":"text"}`:                    `"msgtype" is written "MsgType"`,
		`{"MsgType":"text","content":"hi"}`:     `"content" is written "Content"`,
		`{"MsgType":"Text","Content":"hi"}`:     `MsgType "Text" is written "text"`,
		`{"MsgType":"event"}`:                   "needs its Event",
		`{"MsgType":"event","Event":"scan"}`:    `Event "scan" is written "SCAN"`,
		`{"MsgType":"text","FromUserName":"x"}`: "FromUserName",
		`{"MsgType":"text","MsgType":"text"}`:   "twice",
		`{"MsgType":"text","CreateTime":"now"}`: "CreateTime",
		`{"MsgType":"text","a b":"c"}`:          "a b",
	} {
		_, err := w.Push(t.Context(), alice, json.RawMessage(data))
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(input.Problem, want) {
			t.Errorf("%s: error = %v, want %q in it", data, err, want)
		}
	}
	if _, err := w.Push(t.Context(), "o alice", json.RawMessage(`{"MsgType":"text"}`)); err == nil {
		t.Error("an OpenID with a space passed")
	}
	if n := len(rec.all()); n != 0 {
		t.Errorf("%d pushes were made", n)
	}
	// What is merely unknown passes.
	d := w.push(alice, `{"Event":"brand_new","Something":{"Else":1}}`)
	if d.Tries[0].Error != "" || rec.all()[0].message.Value("Something", "Else") != "1" {
		t.Errorf("delivery = %+v", d)
	}
}

// TestQueryOfTheCallback: a callback URL with a query of its own keeps it.
func TestQueryOfTheCallback(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	query, err := url.ParseQuery(rec.all()[0].query)
	if err != nil || query.Get("shop") != "1" || query.Get("openid") != alice || query.Get("encrypt_type") != "aes" {
		t.Errorf("query = %v", query)
	}
}
