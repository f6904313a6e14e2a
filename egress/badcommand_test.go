package egress

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Row 46: whatever is published as a command and is none gets one result that says why,
// and one dead letter with the original; WeChat hears nothing of it.
func TestBadCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.cfg.MaxCommand = 2000 })
	alice := w.follower("alice")
	structured := func(attributes, data string) string {
		return `{"specversion":"1.0","id":"%s","source":"s",` + attributes + `"data":` + data + `}`
	}
	cases := map[string]struct {
		verb, body string
		says       string
	}{
		"garbage":          {"get_groups", "\x00\xff\xfe\x80", "not a JSON object"},
		"empty":            {"get_groups", "", "empty"},
		"blank":            {"get_groups", " \n", "empty"},
		"null":             {"get_groups", "null", "not a JSON object"},
		"array":            {"get_groups", "[]", "not a JSON object"},
		"text":             {"get_groups", `"hello"`, "not a JSON object"},
		"NaN":              {"get_user_info", `{"openid":NaN}`, "not a JSON object"},
		"cut off":          {"get_user_info", `{"openid":"o`, "not a JSON object"},
		"two objects":      {"get_groups", `{}{}`, "not a JSON object"},
		"deep":             {"get_groups", `{"a":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `}`, "JSON object"},
		"a key twice":      {"get_user_info", `{"openid":"` + alice + `","openid":"o_bob"}`, "twice"},
		"too large":        {"get_groups", `{"x":"` + strings.Repeat("x", 2000) + `"}`, "WX_MAX_COMMAND"},
		"unknown verb":     {"send_custom_mesage", `{}`, "did you mean send_custom_message"},
		"no verb at all":   {"frobnicate", `{}`, "unknown"},
		"odd verb":         {"sänd#%zz", `{}`, "unknown"},
		"missing field":    {"get_user_info", `{}`, "openid: is missing"},
		"wrong type":       {"get_user_info", `{"openid":1}`, "must be a string"},
		"strange OpenID":   {"get_user_info", `{"openid":"../../etc"}`, "not an OpenID"},
		"our secret":       {"get_groups", `{"secret":"x"}`, "configuration"},
		"our appid":        {"get_groups", `{"appid":"` + testApp + `"}`, "configuration"},
		"somebody's token": {"get_groups", `{"access_token":"x"}`, "configuration"},
		"foreign dataref":  {"upload_media", `{"type":"image","media":{"dataref":"nats-object://OTHER/x"}}`, "WX_MEDIA"},
		"no dataref":       {"upload_media", `{"type":"image","media":{"dataref":"/etc/passwd"}}`, "nats-object://"},
		"nothing there":    {"upload_media", `{"type":"image","media":{"dataref":"nats-object://WX_MEDIA/x"}}`, "no such file"},
		"no event":         {"get_groups", `{"specversion":"0.3","id":"%s","source":"s","type":"t"}`, "specversion"},
		"no type":          {"get_groups", structured("", "{}"), "type"},
		"a reply's type":   {"get_groups", structured(`"type":"com.qq.weixin.mp.reply",`, "{}"), "does not belong"},
		"another verb's":   {"get_groups", structured(`"type":"com.qq.weixin.mp.cmd.get_user_info",`, "{}"), "does not belong"},
		"expiry no time":   {"get_groups", structured(`"type":"t","expirytime":"soon",`, "{}"), "expirytime"},
		"expiry too far":   {"get_groups", structured(`"type":"t","expirytime":"2199-01-01T00:00:00Z",`, "{}"), "6 days"},
		"a third way":      {"get_groups", structured(`"type":"t","wxonunknown":"drop",`, "{}"), "report or resend"},
		"a list as data":   {"get_groups", structured(`"type":"t",`, "[]"), "not a JSON object"},
		"long partition":   {"get_groups", structured(`"type":"t","partitionkey":"`+strings.Repeat("k", 256)+`",`, "{}"), "partitionkey"},
	}
	i := 0
	for name, c := range cases {
		id := fmt.Sprintf("bad-%d", i)
		i++
		if strings.Contains(c.body, `"id":"%s"`) {
			c.body = fmt.Sprintf(c.body, id)
		}
		w.bare(c.verb, id, c.body)
		r := w.ends(id, events.ResultRejected)
		if !strings.Contains(r.ErrMsg, c.says) || r.Class != "bug" || r.Attempts != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		letter, event := w.letter(id + ".res")
		original := []byte(letter.Body)
		if letter.BodyBase64 != nil {
			original = letter.BodyBase64
		}
		if string(original) != c.body || letter.Reason != r.ErrMsg || letter.Class != "bug" || letter.Subject != "wx.cmd."+c.verb || extensionOf(event, "causationid") != id {
			t.Errorf("%s: letter %+v", name, letter)
		}
	}
	w.emptied()
	if n := len(w.sim.Calls()); n != 0 {
		t.Errorf("WeChat was called: %+v", w.sim.Calls())
	}
	if r, d := w.stored("WX_RESULT"), w.stored("WX_DLQ"); r != len(cases) || d != len(cases) {
		t.Errorf("%d results and %d dead letters of %d bad commands", r, d, len(cases))
	}
}

// What comes after its time is not sent.
func TestExpiredCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	w.event("send_custom_message", "late", text(alice, "late"), extensions{"expirytime": "2020-01-01T00:00:00Z", "partitionkey": alice})
	r, event := w.result("late.res")
	if r.Outcome != events.ResultExpired || r.Class != "expired" || event.Event.Subject() != alice {
		t.Errorf("%+v", r)
	}
	if letter, _ := w.letter("late.res"); letter.Class != "expired" || !strings.Contains(letter.Body, alice) {
		t.Errorf("%+v", letter)
	}
	if n := len(w.sim.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// A field that the row does not know is passed on and named; WX_STRICT=1
// rejects it.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	for strict, outcome := range map[bool]string{false: events.ResultDone, true: events.ResultRejected} {
		w := newWorld(t)
		w.start(func(e *Egress) { e.cfg.Strict = strict })
		w.bare("create_group", "new", `{"group":{"name":"n","color":"red"},"dry_run":false}`)
		switch r := w.ends("new", outcome); {
		case strict && !strings.Contains(r.ErrMsg, "WX_STRICT"):
			t.Errorf("%+v", r)
		case !strict && !slices.Equal(r.Warnings, []string{"group.color", "dry_run"}):
			t.Errorf("warnings %q", r.Warnings)
		}
	}
}

// Headers that instruct the server must not act on our streams, whoever set them.
func TestServerHeadersAreNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	m := nats.NewMsg("wx.cmd.get_user_info")
	m.Header = nats.Header{"Nats-Msg-Id": {"h"}, "Nats-Trace-Dest": {"wx.cmd.get_groups"}, "X-Mine": {"kept"}}
	m.Data = []byte(`{}`)
	w.publish(m)
	w.ends("h", "rejected")
	letter, event := w.letter("h.res")
	if letter.Headers.Get("X-Mine") != "kept" || len(letter.Headers) != 1 || event.Header.Get("Nats-Trace-Dest") != "" {
		t.Errorf("%+v %+v", letter.Headers, event.Header)
	}
}

// The largest commands, of the characters that JSON writes longest, with
// attributes as long as they get: each ends, and no worker is lost to it.
func TestLargeBadCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	const limit = 512 << 10
	long := strings.Repeat("q", 200_000)
	bodies := map[string]string{
		"quotes":      strings.Repeat(`"`, limit),
		"controls":    strings.Repeat("\x01", limit),
		"bytes":       strings.Repeat("\xff", 1_000_000),
		"over":        strings.Repeat("x", 1_000_000),
		"long key":    `{"` + long + `":1,"` + long + `2":2}`,
		"long lane":   `{"openid":"` + long + `"}`,
		"long msg":    `{"openid":"o","lang":"` + long + `"}`,
		"long trace":  `{"specversion":"1.0","id":"long trace","source":"s","type":"t","traceparent":"` + long + `","tracestate":"` + long + `","data":{}}`,
		"long type":   `{"specversion":"1.0","id":"long type","source":"s","type":"com.qq.weixin.mp.` + long + `","data":{}}`,
		"long source": `{"specversion":"1.0","id":"long source","source":"` + long + `","type":"t","data":{}}`,
	}
	for id, body := range bodies {
		w.bare("get_user_info", id, body)
	}
	moved := map[bool]int{}
	for id, body := range bodies {
		w.ends(id, events.ResultRejected)
		letter, _ := w.letter(id + ".res")
		_, original, err := bus.App{JetStream: w.js}.Original(w.within(), letter)
		if err != nil || string(original) != body || letter.Outcome != events.ResultRejected {
			t.Errorf("%s: not all of it is kept: %.300s, %v", id, letter.Reason, err)
		}
		moved[letter.BodyRef != ""]++
	}
	if moved[true] == 0 || moved[false] == 0 {
		t.Errorf("moved: %v", moved)
	}
	w.emptied()
	w.bare("get_groups", "after", `{}`)
	w.ends("after", "done")
}

// Credentials stand in no dead letter, whatever else is wrong with their command.
func TestCredentialsAreInNoLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.cfg.MaxCommand = 1000 }).ready()
	bare := func(letter events.DeadLetter) {
		t.Helper()
		if letter.Class != classCallOnly && letter.Class != classIDConflict || letter.Body != "" || letter.BodyBase64 != nil || len(letter.Headers) != 0 {
			t.Errorf("%+v", letter)
		}
	}
	w.event("get_oauth_access_token", "malformed", `{"code":"SECRET"}`, extensions{"wxonunknown": "never"})
	w.event("get_oauth_access_token", "large", `{"code":"SECRET`+strings.Repeat("x", 2000)+`"}`, nil)
	w.bare("get_access_token", "no JSON", `SECRET`)
	for _, id := range []string{"malformed", "large", "no JSON"} {
		w.ends(id, events.ResultRejected)
		letter, _ := w.letter(events.ResultID(id))
		bare(letter)
	}
	w.event("get_groups", "used", `{}`, nil)
	w.ends("used", events.ResultDone)
	sequence := w.event("refresh_oauth_access_token", "used", `{"refresh_token":"SECRET"}`, nil)
	letter, _ := w.letter(events.ResultID(fmt.Sprint("used-", sequence)))
	bare(letter)
}

// A verb that carries credentials is refused as a command, and what it carried
// stands in no dead letter. Not parallel: it borrows a row while no other test runs.
func TestCallOnlyVerb(t *testing.T) {
	row, _ := wxapi.Lookup("get_groups")
	row.CallOnly = true
	defer func() { row.CallOnly = false }()
	w := newWorld(t)
	p := w.start().ready()
	defer p.stop()
	m := nats.NewMsg("wx.cmd.get_groups")
	m.Header = nats.Header{"Nats-Msg-Id": {"c"}, "X-Token": {"streng geheim"}}
	m.Data = []byte(`{"code":"streng geheim"}`)
	w.publish(m)
	if r := w.ends("c", events.ResultRejected); r.Class != "call_only" || !strings.Contains(r.ErrMsg, "wx.call.get_groups") {
		t.Errorf("%+v", r)
	}
	letter, event := w.letter("c.res")
	if letter.Class != "call_only" || letter.Body != "" || letter.BodyBase64 != nil || len(letter.Headers) != 0 {
		t.Errorf("%+v", letter)
	}
	if encoded := base64.StdEncoding.EncodeToString([]byte("streng geheim")); strings.Contains(string(event.Event.Data()), encoded[:8]) {
		t.Error("the credentials stand in the dead letter in base64")
	}
	w.emptied()
	if n := len(w.sim.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
	if r, _ := w.ask("get_groups", "{}"); r.Outcome != events.ResultDone {
		t.Errorf("as a call: %+v", r)
	}
}

// Row 46: a command on which our own program fails ends like any other, and so does
// the one after it.
func TestOurOwnMistake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(func(e *Egress) { e.observe.(*watch).onTaken = failOn("create_group", "get_user_info") })
	alice := w.follower("alice")
	w.bare("create_group", "poison", `{"group":{"name":"n"}}`)
	w.bare("get_user_info", "read", userInfo(alice))
	w.bare("get_groups", "next", `{}`)
	w.ends("poison", events.ResultUnknown) // for all we know after a mistake
	w.ends("read", events.ResultFailed)
	w.ends("next", events.ResultDone)
	w.letter("poison.res")
	w.emptied()
	p.takenUp(1)
}

func failOn(verbs ...string) func(Taken) {
	return func(taken Taken) {
		if slices.Contains(verbs, taken.Verb) {
			panic(taken) // forbidden by the house's law: somebody else's mistake
		}
	}
}
