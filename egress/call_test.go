package egress

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// ask makes one request of wx.call.
func (w *world) ask(verb, data string) (events.Result, *nats.Msg) {
	w.t.Helper()
	m, err := w.conn.RequestWithContext(w.within(), "wx.call."+verb, []byte(data))
	if err != nil {
		w.t.Fatalf("wx.call.%s: %v", verb, err)
	}
	var r events.Result
	decodeInto(w.t, m.Data, &r)
	return r, m
}

// Every verb answers as a request, with the same object that a command's result
// holds, and leaves nothing in any stream.
func TestEveryVerbAsCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	known := w.settle()
	w.emptied()
	results := w.stored("WX_RESULT")
	all := phases()
	for _, row := range slices.Concat(all[0], all[1]) {
		r, m := w.ask(row.Name, sample(t, row, known))
		failed := m.Header.Get(micro.ErrorHeader) != "" && m.Header.Get(micro.ErrorCodeHeader) != ""
		if failed != (r.Outcome != events.ResultDone) || len(r.Response) == 0 || r.Response[0] != '{' || r.Attempts > 1 {
			t.Errorf("%s: %s %v", row.Name, m.Data, m.Header)
		}
		if slices.Contains(basic, row.Name) && (failed || r.Attempts != 1 && !strings.Contains(string(r.Response), `"reused":true`)) {
			t.Errorf("%s: %s", row.Name, m.Data)
		}
	}
	if r, _ := w.ask("get_groups", ""); r.Outcome != events.ResultDone {
		t.Errorf("an empty request to a verb without fields: %+v", r)
	}
	if w.stored("WX_RESULT") != results || w.stored("WX_DLQ") != 0 || w.stored("WX_CMD") != 0 {
		t.Error("a call left something in a stream")
	}
	p.seen.mu.Lock()
	defer p.seen.mu.Unlock()
	if last := p.seen.finished[len(p.seen.finished)-1]; !last.Call || last.Verb != "get_groups" {
		t.Errorf("the observer was told %+v", last)
	}
}

// More calls than a process makes at once: the others hear so in time, and what
// nobody may wait for any more is not sent. What calls nobody goes on beside them.
func TestMoreCallsThanSlots(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	w.bare("get_user_info", "before", userInfo(alice))
	w.ends("before", events.ResultDone)
	w.fault(wxsim.Fault{Verb: "get_groups", Kind: wxsim.FaultSlow, DelayMS: 1, Times: callsAtOnce})
	for range callsAtOnce {
		if err := w.conn.PublishRequest("wx.call.get_groups", w.conn.NewInbox(), []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	w.arrived("get_groups", callsAtOnce)
	late := make(chan events.Result)
	go func() {
		r, _ := w.ask("send_custom_message", text(alice, "late"))
		late <- r
	}()
	if r, _ := w.wanted("before", 0); r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
	if r := <-late; r.Outcome != events.ResultFailed || !strings.Contains(r.ErrMsg, "ask again") || r.Attempts != 0 {
		t.Errorf("%+v", r)
	}
	close(w.gate)
	w.eventually("there is room again", func() bool {
		r, _ := w.ask("get_groups", `{}`)
		return r.Outcome == events.ResultDone
	})
	if n := w.calls("send_custom_message"); n != 0 {
		t.Errorf("%d messages that nobody waited for", n)
	}
}

// A call whose time is up is not made, however often it is tried.
func TestCallThatExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "get_access_token", Kind: wxsim.FaultHTML, Times: 2})
	for _, verb := range []string{"get_user_info", "send_custom_message"} { // without a claim and with one
		data := map[string]string{"get_user_info": userInfo(alice), "send_custom_message": text(alice, "late")}[verb]
		m := w.message(verb, "late", data, extensions{"expirytime": time.Now().Add(200 * time.Millisecond).UTC().Format(time.RFC3339Nano)}, events.EncodeStructured)
		m.Subject = "wx.call." + verb
		if r := w.request(m); r.Outcome != events.ResultExpired {
			t.Errorf("%s: %+v", verb, r)
		}
		if n := w.calls(verb); n != 0 {
			t.Errorf("%d calls of %s", n, verb)
		}
	}
}

// Whoever asks the bus finds the service and its verbs; what is no verb has no
// responder, which a requester is told at once.
func TestCallsAreDiscoverable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.ask("get_groups", "")
	var ping micro.Ping
	var info micro.Info
	for subject, into := range map[string]any{"$SRV.PING.wxbridge": &ping, "$SRV.INFO.wxbridge": &info} {
		m, err := w.conn.RequestWithContext(w.within(), subject, nil)
		if err != nil {
			t.Fatal(err)
		}
		decodeInto(t, m.Data, into)
	}
	if ping.Name != "wxbridge" || info.Metadata["appid"] != testApp {
		t.Errorf("%+v %+v", ping, info)
	}
	if len(info.Endpoints) != len(wxapi.Verbs())+3 { // and get_result, get_quota, redrive
		t.Errorf("%d endpoints of %d verbs", len(info.Endpoints), len(wxapi.Verbs()))
	}
	for _, e := range info.Endpoints {
		if e.Subject != "wx.call."+e.Name || e.Metadata["doc"] == "" {
			t.Errorf("%+v", e)
		}
	}
	_, err := w.conn.RequestWithContext(w.within(), "wx.call.get_everything", nil)
	if err != nats.ErrNoResponders { //nolint:errorlint // it is that very value
		t.Errorf("an unknown verb: %v", err)
	}
}

// A call that fails says so twice: in the result, and in the headers that every
// micro client looks at.
func TestCallErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	for name, c := range map[string]struct {
		verb, data       string
		fault            wxsim.Fault
		outcome, code    string
		says             string
		calls, errorcode int
	}{
		"our own checks":    {"get_user_info", `{"openid":"no such thing!"}`, wxsim.Fault{}, events.ResultRejected, "bug", "OpenID", 0, 0},
		"no JSON":           {"get_user_info", `[]`, wxsim.Fault{}, events.ResultRejected, "bug", "JSON object", 0, 0},
		"WeChat's no":       {"get_user_info", userInfo(alice), wxsim.Fault{ErrCode: 48001}, events.ResultRejected, "48001", "unauthorized", 1, 48001},
		"busy":              {"get_user_info", userInfo(alice), wxsim.Fault{ErrCode: -1}, events.ResultFailed, "-1", "system", 1, -1},
		"busy, for words":   {"get_user_info", userInfo(alice), wxsim.Fault{ErrCode: -1, ErrMsg: " "}, events.ResultFailed, "-1", "later", 1, -1},
		"this minute's":     {"get_user_info", userInfo(alice), wxsim.Fault{ErrCode: 45011}, events.ResultFailed, "45011", "minute", 1, 45011},
		"a gateway's page":  {"get_user_info", userInfo(alice), wxsim.Fault{Kind: wxsim.FaultHTML}, events.ResultFailed, "backoff", "proves nothing", 1, 0},
		"lost on the way":   {"send_custom_message", text(alice, "a"), wxsim.Fault{Kind: wxsim.FaultReset}, events.ResultUnknown, "backoff", "may have arrived", 1, 0},
		"a dataref of ours": {"upload_media", `{"type":"image","media":{"dataref":"nats-object://WX_MEDIA/none"}}`, wxsim.Fault{}, events.ResultRejected, "bug", "no such file", 0, 0},
	} {
		if c.fault != (wxsim.Fault{}) {
			c.fault.Verb = c.verb
			w.fault(c.fault)
		}
		before := w.calls(c.verb)
		r, m := w.ask(c.verb, c.data)
		if r.Outcome != c.outcome || r.ErrCode != c.errorcode || r.Attempts != c.calls || w.calls(c.verb) != before+c.calls {
			t.Errorf("%s: %s, %d calls", name, m.Data, w.calls(c.verb)-before)
		}
		if code, words := m.Header.Get(micro.ErrorCodeHeader), m.Header.Get(micro.ErrorHeader); code != c.code || !strings.Contains(words, c.says) || strings.ContainsAny(words, "\r\n") {
			t.Errorf("%s: headers %q and %q", name, code, words)
		}
		w.sim.ClearFaults()
	}
}

// A call is a CloudEvent too, if its sender wants; one that comes too late is
// not made.
func TestCallAsEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	for expiry, outcome := range map[string]string{"2020-01-01T00:00:00Z": events.ResultExpired, "": events.ResultDone} {
		ext := extensions{}
		if expiry != "" {
			ext["expirytime"] = expiry
		}
		m := w.message("get_user_info", "any", userInfo(alice), ext, events.EncodeBinary)
		m.Subject = "wx.call.get_user_info"
		answer, err := w.conn.RequestMsgWithContext(w.within(), m)
		if err != nil {
			t.Fatal(err)
		}
		var r events.Result
		decodeInto(t, answer.Data, &r)
		if r.Outcome != outcome {
			t.Errorf("expiry %q: %s", expiry, answer.Data)
		}
	}
	if n := w.calls("get_user_info"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// Strange requests get an answer and do no harm to the next one.
func TestCallsSurviveNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	for _, data := range []string{"\x00", "null", `"x"`, `{"openid":`, `{"openid":1}`, `{"a":{}}`, strings.Repeat("[", 20_000), `{"secret":"x"}`} {
		r, m := w.ask("get_user_info", data)
		if r.Outcome != events.ResultRejected || m.Header.Get(micro.ErrorHeader) == "" || !json.Valid(m.Data) {
			t.Errorf("%.40q: %s", data, m.Data)
		}
	}
	if r, _ := w.ask("get_groups", "{}"); r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
}
