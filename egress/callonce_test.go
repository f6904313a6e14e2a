package egress

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// askAs makes a request of wx.call with an id.
func (w *world) askAs(id, verb, data string) events.Result {
	w.t.Helper()
	m := nats.NewMsg("wx.call." + verb)
	m.Header.Set("Nats-Msg-Id", id)
	m.Data = []byte(data)
	return w.request(m)
}

func (w *world) request(m *nats.Msg) (r events.Result) {
	w.t.Helper()
	answer, err := w.conn.RequestMsgWithContext(w.within(), m)
	if err != nil {
		w.t.Fatalf("%s: %v", m.Subject, err)
	}
	decodeInto(w.t, answer.Data, &r)
	return r
}

// Whoever got no answer asks again with the same id, any replica, as often as they
// like and at once: WeChat is called once, and all are told the same.
func TestCallWithAnIDIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.start().ready()
	alice := w.follower("alice")
	var asking sync.WaitGroup
	answers := make(chan events.Result, 20)
	for range cap(answers) {
		asking.Go(func() { answers <- w.askAs("greet", "send_custom_message", text(alice, "once")) })
	}
	asking.Wait()
	first := <-answers
	if first.Outcome != events.ResultDone || first.Attempts != 1 || w.calls("send_custom_message") != 1 {
		t.Fatalf("%+v, %d calls", first, w.calls("send_custom_message"))
	}
	stored, _ := w.wanted("greet", 0)
	for _, r := range []events.Result{<-answers, <-answers, w.askAs("greet", "send_custom_message", " "+text(alice, "once")), stored} {
		if a, b := asJSON(t, r), asJSON(t, first); a != b {
			t.Errorf("%s instead of %s", a, b)
		}
	}
	if r := w.askAs("greet", "send_custom_message", text(alice, "twice")); r.Outcome != events.ResultRejected || r.Class != classIDConflict {
		t.Errorf("the id of another call: %+v", r)
	}
	if w.stored("WX_RESULT") != 0 {
		t.Error("a call left a result event")
	}
	// The command of the same id is the same command.
	w.event("send_custom_message", "greet", text(alice, "once"), nil)
	if r := w.ends("greet", events.ResultDone); asJSON(t, r) != asJSON(t, first) {
		t.Errorf("%+v", r)
	}
	// And the other way round, as an event, which has its id itself.
	w.event("send_custom_message", "queued", text(alice, "queued"), nil)
	queued := w.ends("queued", events.ResultDone)
	m := w.message("send_custom_message", "queued", text(alice, "queued"), nil, events.EncodeStructured)
	m.Subject = "wx.call.send_custom_message"
	if r := w.request(m); asJSON(t, r) != asJSON(t, queued) || w.calls("send_custom_message") != 2 {
		t.Errorf("%+v, %d calls", r, w.calls("send_custom_message"))
	}
}

// Only what must not be done twice is remembered, and nothing that carries
// credentials.
func TestCallsThatAreNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	for range 2 {
		if r := w.askAs("read", "get_user_info", userInfo(alice)); r.Outcome != events.ResultDone {
			t.Errorf("%+v", r)
		}
		w.askAs("secret", "get_oauth_access_token", `{"code":"nobody's"}`)
		w.askAs("bad", "send_custom_message", `{}`)
	}
	if n := w.calls("get_user_info"); n != 2 {
		t.Errorf("%d reads", n)
	}
	for _, id := range []string{"read", "secret", "bad"} {
		if claim, err := w.claims().Load(w.within(), id); err != nil || claim.State != "" {
			t.Errorf("%s: %+v, %v", id, claim, err)
		}
	}
	if r := w.askAs(strings.Repeat("x", 256), "send_custom_message", text(alice, "no")); r.Outcome != events.ResultRejected {
		t.Errorf("an id that is too long: %+v", r)
	}
}

// A call that WeChat did not execute leaves its id free: asked again, it is made.
func TestCallThatWasNotExecuted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultErrCode, ErrCode: -1, Times: 1})
	if r := w.askAs("busy", "send_custom_message", text(alice, "busy")); r.Outcome != events.ResultFailed || r.ErrCode != -1 {
		t.Errorf("%+v", r)
	}
	if r, _ := w.wanted("busy", 0); r.Outcome != events.Pending || !strings.Contains(r.ErrMsg, "can be made again") {
		t.Errorf("%+v", r)
	}
	if r := w.askAs("busy", "send_custom_message", text(alice, "busy")); r.Outcome != events.ResultDone || r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultReset, Times: 1})
	for range 2 { // nobody can know, and so it stays
		if r := w.askAs("reset", "send_custom_message", text(alice, "reset")); r.Outcome != events.ResultUnknown || r.Attempts != 1 {
			t.Errorf("%+v", r)
		}
	}
}

// A process died in the middle of a call: asked again, or as a command, it is made
// again only if that does no harm or was asked for.
func TestCallOfADeadProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	template := w.template(alice, "")
	dead := func(verb, id, data string) {
		w.left(verb, id, data, 0, func(c *queue.Claim) { c.NotBefore = time.Now() })
	}
	dead("send_custom_message", "unsafe", text(alice, "unsafe"))
	dead("send_template_message", "keyed", template)
	dead("send_custom_message", "resend", text(alice, "resend"))
	dead("send_custom_message", "queued", text(alice, "queued"))
	for range 2 {
		if r := w.askAs("unsafe", "send_custom_message", text(alice, "unsafe")); r.Outcome != events.ResultUnknown || r.Attempts != 1 {
			t.Errorf("%+v", r)
		}
	}
	if r := w.askAs("keyed", "send_template_message", template); r.Outcome != events.ResultDone || r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	m := w.message("send_custom_message", "resend", text(alice, "resend"), extensions{"wxonunknown": "resend"}, events.EncodeStructured)
	m.Subject = "wx.call.send_custom_message"
	if r := w.request(m); r.Outcome != events.ResultDone || r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	w.event("send_custom_message", "queued", text(alice, "queued"), nil)
	w.ends("queued", events.ResultUnknown)
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d messages were sent", n)
	}
}

// What a claim that is there already means for a call.
func TestFormerOfACall(t *testing.T) {
	t.Parallel()
	row, _ := wxapi.Lookup("send_custom_message")
	soon := time.Now().Add(time.Hour)
	fresh := queue.Claim{Verb: row.Name, Hash: "h"}
	e := &Egress{process: "me", unsure: map[string]bool{"unsure": true}}
	for _, c := range []struct {
		id    string
		claim queue.Claim
		words string // of the answer, "" for free
	}{
		{"id", queue.Claim{}, "turn"},
		{"id", queue.Claim{State: queue.Sending, Verb: "get_groups", Hash: "h"}, "another"},
		{"id", queue.Claim{State: queue.Done, Verb: row.Name, Hash: "other"}, "another"},
		{"id", queue.Claim{State: queue.Waiting, Sequence: 7, NotBefore: soon, Verb: row.Name, Hash: "h"}, "next try"},
		{"id", queue.Claim{State: queue.Sending, Sequence: 7, Verb: row.Name, Hash: "h"}, "being sent"},
		{"id", queue.Claim{State: queue.Sending, NotBefore: soon, Owner: "me", Verb: row.Name, Hash: "h"}, "being sent"},
		{"unsure", queue.Claim{State: queue.Sending, NotBefore: soon, Owner: "other", Verb: row.Name, Hash: "h"}, "being sent"},
		{"unsure", queue.Claim{State: queue.Sending, NotBefore: soon, Owner: "me", Verb: row.Name, Hash: "h"}, ""},
		{"id", queue.Claim{State: queue.Waiting, NotBefore: soon, Verb: row.Name, Hash: "h"}, ""},
	} {
		j := &job{row: row, command: events.Command{ID: c.id, Verb: row.Name}, claim: c.claim}
		r, free := e.former(t.Context(), j, fresh)
		if free != (c.words == "") || !free && !strings.Contains(r.ErrMsg, c.words) {
			t.Errorf("%+v: %+v, %v", c.claim, r, free)
		}
	}
	if r := underWay(pending(queue.Claim{State: queue.Sending})); r.Outcome != events.ResultFailed || !strings.Contains(r.ErrMsg, "being sent") {
		t.Errorf("%+v", r)
	}
}
