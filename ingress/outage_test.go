package ingress

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// NATS goes away: callbacks are answered 503 in time for WeChat to try again,
// and the process says that it isn't ready. NATS comes back between two tries:
// the message is stored once and answered, without a restart.
func TestNATSGoesAwayAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	w.serve(func(in inbound) { w.reply(in.ReplyTo, nil, private+" answer to "+in.ID) })
	if reasons := r.Reasons(); len(reasons) != 0 {
		t.Fatalf("not ready: %v", reasons)
	}
	phone := w.phone(r, func(c *wxsim.Config) {
		c.RetryEvery = time.Hour
		c.Wait = func(context.Context, time.Duration) error { // between two tries
			if reasons := r.Reasons(); len(reasons) == 0 || !strings.Contains(reasons[0], "NATS") {
				t.Errorf("reasons %q", reasons)
			}
			w.nats.Start()
			r.ready()
			flush(w)
			return nil
		}
	})
	w.nats.Stop()
	d := next(t, w.pushed(phone, alice, aText))
	if len(d.Tries) != 2 || d.Tries[0].Status != http.StatusServiceUnavailable || d.Tries[0].Body != "Service Unavailable\n" || d.Fault {
		t.Fatalf("%+v", d)
	}
	// The budget is 1.5 s; WeChat's limit leaves room for a slow machine.
	if d.Tries[0].MS > 4500 {
		t.Errorf("503 after %.0f ms", d.Tries[0].MS)
	}
	id := w.inboundID()
	if got := textOf(w, d); got != private+" answer to "+id {
		t.Errorf("the follower reads %q", got)
	}
	if o := w.outcome(id); o.Outcome.Outcome != events.OutcomeReplied {
		t.Errorf("outcome %+v", o.Outcome)
	}
	if got := next(t, r.refused); got != "503 not_stored" {
		t.Errorf("observed %q", got)
	}
	if reasons := r.Reasons(); len(reasons) != 0 {
		t.Errorf("not ready: %v", reasons)
	}
}

// flush returns when the service's client is connected again and subscribed.
func flush(w *world) {
	w.t.Helper()
	eventually(w.t, "the service is connected", w.conn.IsConnected)
	noError(w.t, w.conn.Flush())
}

// NATS restarts during a hold: what was answered meanwhile or after still arrives.
func TestNATSRestartsDuringAHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	doc := text(alice, private)
	held := w.try(r, doc)
	next(t, r.stored)
	w.nats.Stop()
	w.nats.Start()
	flush(w)
	id := w.inboundID()
	want, sequence := private+" hello", w.reply("wx.reply."+id, nil, private+" hello")
	// On a slow machine the hold may be over before NATS is back; then WeChat's
	// next try gets what the log says.
	got := w.says(next(t, held))
	if got == callback.Success {
		t.Log("the first try was over before NATS was back")
		r.ready()
		got = w.says(next(t, w.try(r, doc)))
	}
	for _, m := range w.stored(bus.StreamReply, "wx.mark."+id) {
		if m.Sequence < sequence && len(w.closed(id)) > 0 {
			want, sequence = callback.Success, m.Sequence
		}
	}
	if o := w.outcome(id); got != want || o.Sequence != sequence {
		t.Errorf("answered %q, outcome %+v, want %q, %d", got, o.Outcome, want, sequence)
	}
}

// A full stream refuses for good: 503 at once, and what is stored already is still answered.
func TestInboundStreamIsFull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(hold(0))
	doc := text(alice, private)
	w.says(next(t, w.try(r, doc)))
	s, err := w.js.Stream(t.Context(), w.prefix.Resource(bus.StreamInbound))
	noError(t, err)
	full := s.CachedInfo().Config
	full.MaxMsgs = 1
	_, err = w.js.UpdateStream(t.Context(), full)
	noError(t, err)
	if a := next(t, w.try(r, text(alice, private))); a.err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d, %v", a.status, a.err)
	}
	if got := w.says(next(t, w.try(r, doc))); got != callback.Success {
		t.Errorf("a retry of what is stored is answered %q", got)
	}
	w.inboundID()
}
