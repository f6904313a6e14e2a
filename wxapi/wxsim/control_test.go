package wxsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestWholeStoryOverHTTP does what a test in another language would, with curl alone.
func TestWholeStoryOverHTTP(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RetryEvery = -1 })
	rec := w.listen(testAESKey, replyWith(callback.Text{Content: "hello"}))
	to := w.callbackURL()
	if status, body := w.do("PUT", "/_sim/callback", `{"url":"`+to+`"}`); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := w.do("POST", "/_sim/check", ""); status != 200 || strings.TrimSpace(body) != `{"ok":true}` {
		t.Errorf("check: %d %s", status, body)
	}
	status, body := w.do("POST", "/_sim/followers/o_alice/push", `{"MsgType":"image"}`)
	var d Delivery
	if err := json.Unmarshal([]byte(body), &d); err != nil || status != 200 || d.Fault || len(d.Tries) != 1 || !strings.Contains(string(d.Reply), `"Content":"hello"`) {
		t.Fatalf("push: %d %s", status, body)
	}
	// The picture is where PicUrl says.
	pic := rec.all()[0].message.Value("PicUrl")
	if status, _ := w.do("GET", strings.TrimPrefix(pic, w.url), ""); status != 200 || !strings.HasPrefix(pic, w.url) {
		t.Errorf("PicUrl %q: %d", pic, status)
	}
	if status, body := w.do("POST", "/_sim/followers/o_alice/push?mode=plain", `{"MsgType":"text","Content":"hi"}`); status != 200 || !strings.Contains(body, `"status":403`) {
		t.Errorf("push in plain mode: %d %s", status, body)
	}
	w.sendText(alice, "later")
	var inbox []Seen
	_, body = w.do("GET", "/_sim/followers/o_alice/inbox?after=1", "")
	if err := json.Unmarshal([]byte(body), &inbox); err != nil || len(inbox) != 2 || inbox[0].Kind != SeenFault || string(inbox[1].Message) != `{"msgtype":"text","text":{"content":"later"}}` {
		t.Errorf("inbox: %s", body)
	}
	if _, body := w.do("GET", "/_sim/followers", ""); !strings.Contains(body, `"openid":"o_alice","following":true`) {
		t.Errorf("followers: %s", body)
	}
	if status, body := w.do("POST", "/_sim/faults", `{"verb":"get_groups","times":2,"errcode":45009}`); status != 200 || !strings.Contains(body, `"times":2`) {
		t.Errorf("faults: %d %s", status, body)
	}
	if code, _ := w.api("GET", "/cgi-bin/groups/get", ""); code != 45009 {
		t.Errorf("errcode %d", code)
	}
	if _, body := w.do("GET", "/_sim/faults", ""); !strings.Contains(body, `"times":1`) {
		t.Errorf("faults: %s", body)
	}
	if status, _ := w.do("DELETE", "/_sim/faults", ""); status != 204 || len(w.Faults()) != 0 {
		t.Errorf("delete faults: %d", status)
	}
	if _, body := w.do("GET", "/_sim/calls?verb=get_groups", ""); strings.Count(body, `"verb":"get_groups"`) != 1 || strings.Contains(body, "send_custom") {
		t.Errorf("calls: %s", body)
	}
	old := w.token()
	if status, _ := w.do("POST", "/_sim/token/expire", ""); status != 204 || w.with(old) != 42001 {
		t.Errorf("expire: %d", status)
	}
	if status, body := w.do("POST", "/_sim/clock", `{"advance_ms":172800000}`); status != 200 || !strings.Contains(body, "2026-11-25T12:00:00Z") {
		t.Errorf("clock: %d %s", status, body)
	}
	if code := w.sendText(alice, "too late"); code != 45015 {
		t.Errorf("errcode %d", code)
	}
	if status, body := w.do("PUT", "/_sim/limits", `{"get_groups":{"per_day":1}}`); status != 200 || !strings.Contains(body, `"get_groups":{"per_day":1}`) {
		t.Errorf("limits: %d %s", status, body)
	}
	if status, _ := w.do("DELETE", "/_sim/calls", ""); status != 204 || len(w.Calls()) != 0 {
		t.Errorf("delete calls: %d", status)
	}
	_, body = w.do("GET", "/", "") // which leads to the index
	for _, want := range []string{`"appid":"wx0123456789abcdef"`, "/_sim/followers/{openid}/push", "send_custom_message", "reset_before"} {
		if !strings.Contains(body, want) {
			t.Errorf("the index lacks %s: %s", want, body)
		}
	}
	if strings.Contains(body, testSecret) || strings.Contains(body, testToken) || strings.Contains(body, testAESKey) {
		t.Error("the index shows a secret")
	}
}

// TestControlMistakes: each is answered with a text that says what is wrong.
func TestControlMistakes(t *testing.T) {
	w := newWorld(t, nil)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/_sim/followers/o_alice/push", `{"MsgType":"text","Content":"hi"}`, 409, "no callback URL is set"},
		{"PUT", "/_sim/callback", `{"url":"127.0.0.1:1/wx"}`, 400, "http://127.0.0.1:8080/wx"},
		{"PUT", "/_sim/callback", `{"url":"http://127.0.0.1:1/wx"}`, 204, ""},
		{"POST", "/_sim/followers/o_alice/push", ``, 400, `{\"MsgType\":\"text\",\"Content\":\"hi\"}`},
		{"POST", "/_sim/followers/o_alice/push?mode=loud", `{"MsgType":"text"}`, 400, "plain, compatible or safe"},
		{"POST", "/_sim/followers/o_alice/push?modus=safe", `{"MsgType":"text"}`, 400, "there is mode"},
		{"POST", "/_sim/followers/o%20alice/push", `{"MsgType":"text"}`, 400, "OpenID"},
		{"GET", "/_sim/followers/o_alice/push", ``, 405, "takes POST"},
		{"GET", "/_sim/followers/o_alice/inbox?after=x", ``, 400, "whole number"},
		{"GET", "/_sim/nothing", ``, 404, "GET /_sim/ lists"},
		{"POST", "/_sim/faults", `{"verb":"send_custom_mesage","errcode":1}`, 400, `no API is called \"send_custom_mesage\"`},
		{"POST", "/_sim/faults", `{"errcod":1}`, 400, `unknown field \"errcod\"; the fields are verb, times, kind`},
		{"POST", "/_sim/faults", `{}`, 400, `needs \"errcode\"`},
		{"POST", "/_sim/faults", ``, 400, "it is empty"},
		{"POST", "/_sim/faults", `{"errcode":1}{"errcode":2}`, 400, "more after the end"},
		{"POST", "/_sim/faults", `{"kind":"sulk"}`, 400, "use one of [errcode timeout"},
		{"POST", "/_sim/faults", `{"kind":"slow"}`, 400, "delay_ms"},
		{"POST", "/_sim/faults", `{"kind":"status","status":99}`, 400, "status 99"},
		{"POST", "/_sim/faults", `{"kind":"reset","errcode":1}`, 400, "errcode goes with"},
		{"POST", "/_sim/faults", `{"kind":"reset","status":500}`, 400, "status goes with"},
		{"POST", "/_sim/faults", `{"errcode":1,"times":-2}`, 400, "times"},
		{"POST", "/_sim/clock", `{"advance_ms":-1}`, 400, "only goes forward"},
		{"PUT", "/_sim/limits", `{"dance":{"per_day":1}}`, 400, `no API is called`},
		{"PUT", "/_sim/limits", `{"get_groups":{"per_day":-1}}`, 400, `negative`},
		{"DELETE", "/_sim/clock", ``, 405, "takes POST, not DELETE"},
		{"POST", "/_sim/check", ``, 200, `"ok":false`},
	} {
		status, body := w.do(test.method, test.path, test.body)
		if status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", test.method, test.path, test.body, status, body, test.status, test.want)
		}
		if status >= 400 && !strings.HasPrefix(body, `{"error":"`) {
			t.Errorf("%s %s: no JSON error: %s", test.method, test.path, body)
		}
	}
	if len(w.Faults()) != 0 {
		t.Errorf("faults = %+v", w.Faults())
	}
}

// TestLongPoll: asking for an inbox waits until something arrives.
func TestLongPoll(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	got := make(chan []Seen)
	go func() { got <- w.WaitInbox(t.Context(), alice, 0) }()
	if code := w.sendText(alice, "here it is"); code != 0 {
		t.Fatal(code)
	}
	if seen := <-got; len(seen) != 1 || seen[0].Text != "here it is" {
		t.Errorf("seen = %+v", seen)
	}
	if _, body := w.do("GET", "/_sim/followers/o_alice/inbox?after=1&wait_ms=1", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("an inbox without anything new: %s", body)
	}
}

// TestManyAtOnce: pushes, calls, faults and the control side don't disturb each other.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MessageWindow.Count, c.MessageWindow.For = 1000, 1<<40 })
	w.listen(testAESKey, replyWith(callback.Text{Content: "hello"}))
	client := w.client()
	const people, times = 8, 10
	var all sync.WaitGroup
	for i := range people {
		openID := "o_" + string(rune('a'+i))
		all.Go(func() {
			for range times {
				if d, err := w.Push(t.Context(), openID, json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil || d.Fault || d.Reply == nil {
					t.Errorf("push: %+v, %v", d, err)
				}
				_, err := client.SendCustomMessage(t.Context(), &wxapi.SendCustomMessageRequest{ToUser: openID, MsgType: "text", Text: &wxapi.Text{Content: "x"}})
				if err != nil {
					t.Error(err)
				}
				w.Followers()
				w.Calls()
				w.Faults()
			}
		})
	}
	all.Wait()
	for i := range people {
		if n := len(w.Inbox("o_" + string(rune('a'+i)))); n != 2*times {
			t.Errorf("%d messages in an inbox, want %d", n, 2*times)
		}
	}
}

// TestLogsKeepQuiet: at the default level there is no OpenID, text or secret in the log.
func TestLogsKeepQuiet(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(c *Config) { c.Logger, c.RetryEvery = slog.New(slog.NewTextHandler(&log, nil)), -1 })
	w.listen(testAESKey, replyWith(callback.Text{Content: "hello"}))
	w.push(alice, `{"MsgType":"text","Content":"my secret"}`)
	w.SetCallback("http://127.0.0.1:1/wx")
	w.push(alice, `{"MsgType":"text","Content":"my secret"}`)
	token := w.token()
	w.raw("POST", "/cgi-bin/message/custom/send?access_token="+token, `{"touser":"o_nobody","msgtype":"text"}`)
	w.raw("GET", "/cgi-bin/user/info?openid=o_nobody&access_token="+token, "")
	w.Close()
	if strings.Count(log.String(), "\n") != 4 {
		t.Errorf("log = %s", log.String())
	}
	for _, private := range []string{alice, "o_nobody", "my secret", "hello", token, testSecret, testToken, testAESKey, "signature"} {
		if strings.Contains(log.String(), private) {
			t.Errorf("%q is in the log: %s", private, log.String())
		}
	}
}

// TestInboxIsBounded: the oldest go first, and the numbers go on.
func TestInboxIsBounded(t *testing.T) {
	f := &follower{}
	for range 5 * inboxKept {
		f.see(Seen{})
	}
	if n := len(f.inbox); n > inboxKept || n < inboxKept/2 || f.inbox[n-1].N != 5*inboxKept {
		t.Errorf("%d kept, the last is number %d", n, f.inbox[n-1].N)
	}
}

// TestConfigMistakes: all of them at once, and no secret in the text.
func TestConfigMistakes(t *testing.T) {
	_, err := New(Config{AppID: "wx 1", AESKey: "tooshort", Mode: "loud", Callback: "nowhere", Limits: map[string]Limit{"dance": {}}})
	if err == nil {
		t.Fatal("it passed")
	}
	for _, want := range []string{"AppID", "AppSecret", "Token", "AESKey", `"loud"`, "Callback", `"dance"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "tooshort") {
		t.Errorf("the error shows a secret: %v", err)
	}
	var field *callback.ConfigError
	if !errors.As(err, &field) {
		t.Errorf("no *callback.ConfigError in %v", err)
	}
	if _, err := New(Config{AppID: "wx1", AppSecret: "s", Token: "t", Mode: callback.ModeSafe}); err == nil {
		t.Error("safe mode without a key passed")
	}
}

// TestAccountWithoutKey: the default of an account without a key is plaintext, and it can't do better.
func TestAccountWithoutKey(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.AESKey = "" })
	rec := w.listen("", success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	if !strings.Contains(string(rec.all()[0].body), "<Content><![CDATA[hi]]></Content>") {
		t.Errorf("pushed %s", rec.all()[0].body)
	}
	if status, body := w.do("POST", "/_sim/followers/o_alice/push?mode=safe", `{"MsgType":"text","Content":"hi"}`); status != http.StatusBadRequest || !strings.Contains(body, "AES key") {
		t.Errorf("%d %s", status, body)
	}
}
