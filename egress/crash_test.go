package egress

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// left writes the claim that a process which is no more has left behind.
func (w *world) left(verb, id, data string, sequence uint64, change func(*queue.Claim)) {
	w.t.Helper()
	claim := queue.Claim{
		State: queue.Sending, Sequence: sequence, Owner: "dead", Verb: verb, Hash: dataHash([]byte(data)),
		FirstSent: time.Now().Add(-time.Minute),
	}
	if change != nil {
		change(&claim)
	}
	if err := w.claims().Save(w.within(), id, &claim); err != nil {
		w.t.Fatal(err)
	}
}

// Row 48: a process died between its claim and the result, once or each time. Its heir sends again only
// what does no harm or was asked for; of the rest nobody can know.
func TestDiedWhileSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	past := extensions{"expirytime": time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)}
	resend := extensions{"wxonunknown": "resend"}
	cases := map[string]struct {
		verb, data string
		ext        extensions
		spent      int
		outcome    string
		calls      int
		attempts   int
	}{
		"unsafe":                  {"send_custom_message", text(alice, "unsafe"), nil, 0, events.ResultUnknown, 0, 1},
		"group":                   {"create_group", `{"group":{"name":"g"}}`, nil, 0, events.ResultUnknown, 0, 1},
		"resend":                  {"send_custom_message", text(alice, "resend"), resend, 0, events.ResultDone, 1, 2},
		"read":                    {"get_user_info", userInfo(alice), nil, 0, events.ResultDone, 1, 2},
		"unsafe, its time is up":  {"send_custom_message", text(alice, "late"), past, 0, events.ResultUnknown, 0, 1},
		"read, its time is up":    {"get_user_info", userInfo(alice), past, 0, events.ResultExpired, 0, 1},
		"read, kills each time":   {"get_user_info", userInfo(alice), nil, budget - 1, events.ResultFailed, 0, 1},
		"resend, kills each time": {"send_custom_message", text(alice, "poison"), resend, budget - 1, events.ResultUnknown, 0, 1},
	}
	for id, c := range cases {
		sequence := w.event(c.verb, id, c.data, c.ext)
		w.left(c.verb, id, c.data, sequence, func(claim *queue.Claim) { claim.Spent = c.spent })
	}
	w.start()
	total := 0
	for id, c := range cases {
		r := w.ends(id, c.outcome)
		if r.Attempts != c.attempts {
			t.Errorf("%s: %d attempts", id, r.Attempts)
		}
		if c.outcome != events.ResultDone {
			w.letter(id + ".res")
		}
		total += c.calls
	}
	w.emptied()
	if n := len(w.sim.Calls()) - w.calls("get_access_token"); n != total {
		t.Errorf("%d calls, not %d", n, total)
	}
	if n := w.stored("WX_RESULT"); n != len(cases) {
		t.Errorf("%d results", n)
	}
}

// Row 47: a process died between the claim with the result and its publishing, or
// between that and the ack.
func TestDiedBeforeTheResultWasOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	for _, id := range []string{"not out", "out", "refused"} {
		data := text(alice, id)
		sequence := w.event("send_custom_message", id, data, nil)
		w.left("send_custom_message", id, data, sequence, func(claim *queue.Claim) {
			claim.State, claim.Attempts = queue.Done, 1
			claim.Result = resultOf(t, id, events.Result{Outcome: events.ResultDone, Attempts: 1, ElapsedMS: 77})
			if id == "refused" {
				claim.Result = resultOf(t, id, events.Result{Outcome: events.ResultRejected, ErrCode: 45015, ElapsedMS: 77})
				claim.Letter = letterOf(t, id)
			}
		})
		if id == "out" {
			p := w.start()
			w.ends(id, events.ResultDone)
			p.stop()
		}
	}
	w.start()
	for id, outcome := range map[string]string{"not out": events.ResultDone, "out": events.ResultDone, "refused": events.ResultRejected} {
		if r := w.ends(id, outcome); r.ElapsedMS != 77 {
			t.Errorf("%s: not the result of the claim: %+v", id, r)
		}
	}
	w.letter("refused.res")
	w.emptied()
	if n := len(w.sim.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
	if r, d := w.stored("WX_RESULT"), w.stored("WX_DLQ"); r != 3 || d != 1 {
		t.Errorf("%d results, %d dead letters", r, d)
	}
}

func resultOf(t *testing.T, id string, r events.Result) json.RawMessage {
	t.Helper()
	e, err := events.NewResult(testApp, events.Command{ID: id, Verb: "send_custom_message"}, events.ResultID(id), time.Now(), r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func letterOf(t *testing.T, id string) json.RawMessage {
	t.Helper()
	e, err := events.NewDeadLetter("send_custom_message", id+".res.dlq", events.Source(testApp), id, time.Now(), events.DeadLetter{Reason: "r"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := e.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// A real process is cut off from everything while WeChat executes its call: the
// kill that no claim written by hand can show.
func TestKilledWhileSending(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	mortal := func(e *Egress) { e.heirWaits, e.grace = 0, 0 }
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultTimeout, Times: 2})
	w.fault(wxsim.Fault{Verb: "get_user_info", Kind: wxsim.FaultTimeout})
	first := w.start(mortal)
	w.event("send_custom_message", "unsafe", text(alice, "unsafe"), nil)
	w.event("send_custom_message", "resend", text(alice, "resend"), extensions{"wxonunknown": "resend"})
	w.event("get_user_info", "read", userInfo(alice), nil)
	w.arrived("send_custom_message", 2)
	w.arrived("get_user_info", 1)
	first.kill()
	w.start(mortal)
	for id, outcome := range map[string]string{"unsafe": events.ResultUnknown, "resend": events.ResultDone, "read": events.ResultDone} {
		if r := w.ends(id, outcome); r.Attempts != map[bool]int{true: 2, false: 1}[outcome == events.ResultDone] {
			t.Errorf("%s: %+v", id, r)
		}
	}
	w.emptied()
	if a, b := w.calls("send_custom_message"), w.calls("get_user_info"); a != 3 || b != 2 {
		t.Errorf("%d and %d calls", a, b)
	}
}

// The claim was stored, but the bus did not say so: this very process knows
// that it has sent nothing, and nobody else does.
func TestClaimOfUncertainSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	for i, own := range []bool{true, false} {
		id, data := fmt.Sprint(own), text(alice, fmt.Sprint(own))
		sequence := w.event("send_custom_message", id, data, nil)
		w.left("send_custom_message", id, data, sequence, func(claim *queue.Claim) { claim.Owner = []string{"me", "other"}[i] })
	}
	w.start(func(e *Egress) {
		e.process = "me"
		e.sendingUnsure("true")
		e.sendingUnsure("false")
	})
	w.ends("true", events.ResultDone)
	w.ends("false", events.ResultUnknown)
}

// WeChat's answer is too large for a message, and the object store refuses it:
// the command was executed and is not sent again for the sake of its answer.
func TestLargeAnswerIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.large("get_groups")
	w.start().ready()
	if err := w.js.DeleteObjectStore(w.within(), "WX_MEDIA"); err != nil {
		t.Fatal(err)
	}
	w.bare("get_groups", "lost", `{}`)
	r := w.ends("lost", events.ResultDone)
	if len(r.Warnings) != 1 || r.ResponseRef != "" || r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
}

// large makes WeChat's answers to a verb larger than a message may be.
func (w *world) large(verb string) {
	row, _ := wxapi.Lookup(verb)
	w.adjust = func(c *wxapi.Config) { c.Transport = padded{row.Path} }
}
