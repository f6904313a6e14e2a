package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// The same id again, in whatever words: WeChat is not called again, and the
// stream still holds one result.
func TestSameCommandAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	w.event("send_custom_message", "once", text(alice, "once"), nil)
	w.ends("once", "done")
	w.event("send_custom_message", "once", text(alice, "once"), nil)
	w.event("send_custom_message", "once", `{ "text": {"content" : "vertraulich: once"},
		"msgtype":"text", "touser": "`+alice+`" }`, extensions{"wxonunknown": "resend"})
	w.bare("send_custom_message", "once", text(alice, "\\u006fnce"))
	w.emptied()
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if r, d := w.stored("WX_RESULT"), w.stored("WX_DLQ"); r != 1 || d != 0 {
		t.Errorf("%d results, %d dead letters", r, d)
	}
}

// A command that was refused is remembered like any other.
func TestSameRefusalAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	for range 3 {
		w.event("get_user_info", "bad", `{"openid":"?"}`, nil)
	}
	w.emptied()
	w.ends("bad", "rejected")
	if r, d := w.stored("WX_RESULT"), w.stored("WX_DLQ"); r != 1 || d != 1 {
		t.Errorf("%d results, %d dead letters", r, d)
	}
}

// The same id for something else is a mistake with a result of its own; the
// first command is left as it is.
func TestSameIDOtherCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice, bob := w.follower("alice"), w.follower("bob")
	w.event("send_custom_message", "id", text(alice, "first"), nil)
	first := w.ends("id", "done")
	for name, sequence := range map[string]uint64{
		"send_custom_message": w.event("send_custom_message", "id", text(bob, "first"), nil),
		"get_user_info":       w.event("get_user_info", "id", userInfo(alice), nil),
		"get_groups":          w.event("get_groups", "id", `{}`, nil),
	} {
		own := fmt.Sprintf("id-%d.res", sequence)
		r, event := w.result(own)
		if r.Outcome != events.ResultRejected || r.Class != "id_conflict" || event.Subject != "wx.result."+name || extensionOf(event, "causationid") != "id" {
			t.Errorf("%s: %+v on %s", name, r, event.Subject)
		}
		if letter, _ := w.letter(own); letter.Class != "id_conflict" || letter.Body == "" {
			t.Errorf("%s: letter %+v", name, letter)
		}
	}
	w.emptied()
	if n := w.calls("send_custom_message") + w.calls("get_user_info") + w.calls("get_groups"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if claim, err := w.claims().Load(w.within(), "id"); err != nil || claim.State != "done" || claim.Verb != "send_custom_message" {
		t.Errorf("the first claim is now %+v, %v", claim, err)
	}
	if n := w.stored("WX_RESULT"); n != 4 {
		t.Errorf("%d results", n)
	}
	if again, _ := w.result("id.res"); again.ElapsedMS != first.ElapsedMS {
		t.Error("the first result has changed")
	}
}

// Twenty copies at once, over two processes: one call, one result.
func TestCopiesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	for range 20 {
		w.event("send_custom_message", "twenty", text(alice, "one of twenty"), nil)
	}
	w.start()
	w.start()
	w.ends("twenty", "done")
	w.emptied()
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
	if n := w.stored("WX_RESULT"); n != 1 {
		t.Errorf("%d results", n)
	}
}

// A bare body without an id gets one that is the message's own.
func TestBareIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	s, err := w.js.Stream(w.within(), "WX_CMD")
	if err != nil {
		t.Fatal(err)
	}
	born := s.CachedInfo().Created.Unix()
	for range 2 {
		w.ends(fmt.Sprintf("WX_CMD-%d-%d", born, w.bare("get_groups", "", `{}`)), "done")
	}
	if n := w.calls("get_groups"); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// Ids may be anything that can be told apart; what can't is refused and named
// after its message.
func TestOddIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	for _, id := range []string{"a b", "好", "../../x", "1", "1-2", "%2e", `"`, "*.>", strings.Repeat("i", 255)} {
		w.event("get_groups", id, `{}`, nil)
		w.ends(id, "done")
	}
	s, err := w.js.Stream(w.within(), "WX_CMD")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a\nb", "a\tb", strings.Repeat("i", 256), strings.Repeat("i", 100_000)} {
		body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"s","type":"t","data":{}}`, id)
		own := fmt.Sprintf("WX_CMD-%d-%d", s.CachedInfo().Created.Unix(), w.bare("get_groups", "", body))
		if r := w.ends(own, "rejected"); !strings.Contains(r.ErrMsg, "id") {
			t.Errorf("%.20q: %+v", id, r)
		}
	}
}

// Two data are the same if they are so as JSON values, and only then.
func TestDataHash(t *testing.T) {
	t.Parallel()
	for _, same := range [][2]string{
		{`{"a":1,"b":[true,null]}`, "{ \"b\" : [ true , null ],\n\t\"a\":1}"},
		{`{"a":"é"}`, `{"a":"\u00e9"}`},
		{`{"a":"<&>"}`, `{"a":"\u003c\u0026\u003e"}`},
		{`{"a":{},"b":[],"c":[{}],"":""}`, ` { "c":[ { } ] , "" : "", "b" : [ ] , "a" : { } } `},
		{"{\"a\":\"\u2028\\\\u2028\"}", `{"a":"\u2028\\u2028"}`},
		{`{"b":"\"]}","a":-1.5e3}`, `{"a" : -1.5e3 , "b":"\u0022]}"}`},
		{`{"\u0061":1,"b":[[1],[2,[3]]]}`, `{"b":[[1],[2,[3]]],"a":1}`},
	} {
		if dataHash([]byte(same[0])) != dataHash([]byte(same[1])) {
			t.Errorf("%s and %s differ", same[0], same[1])
		}
	}
	for _, differ := range [][2]string{
		{`{"a":1}`, `{"a":"1"}`},
		{`{"a":"b"}`, `{"a\":\"b":""}`},
		{`{"a":[1],"b":2}`, `{"a":[1,2],"b":2}`},
		{`{"a":[[1],2]}`, `{"a":[[1,2]]}`},
		{`{"a":{"b":1}}`, `{"a":{},"b":1}`},
		{`{"a":[1,2]}`, `{"a":[2,1]}`},
		{`{"a":null}`, `{}`},
		{`{"a":9007199254740993}`, `{"a":9007199254740992}`},
		{`{"a":1}`, `{"a":1} x`},
		{`{"a":1}`, `{"a":1}{"b":2}`},
		{`12-1`, `12-2`},
	} {
		if dataHash([]byte(differ[0])) == dataHash([]byte(differ[1])) {
			t.Errorf("%s and %s are the same", differ[0], differ[1])
		}
	}
}

// A service in Go, or the CLI, sends an id again at once with other data, or to
// another verb: it is told so, and not given the first command's result.
func TestDoWithAnotherCommandsID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	app := bus.App{JetStream: w.js, Source: "/orders"}
	alice := w.follower("alice")
	for _, c := range []struct{ verb, data, outcome, class string }{
		{"send_custom_message", text(alice, "one"), events.ResultDone, ""},
		{"send_custom_message", text(alice, "two"), events.ResultRejected, "id_conflict"},
		{"get_user_info", userInfo(alice), events.ResultRejected, "id_conflict"},
		{"send_custom_message", text(alice, "one"), events.ResultDone, ""},
	} {
		r, err := app.Do(w.within(), c.verb, "order", json.RawMessage(c.data))
		if err != nil || r.Outcome != c.outcome || r.Class != c.class {
			t.Errorf("%s %s: %+v %v", c.verb, c.data, r, err)
		}
	}
	if n := w.calls("send_custom_message") + w.calls("get_user_info"); n != 1 {
		t.Errorf("%d calls", n)
	}
}
