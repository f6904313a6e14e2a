package egress

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
)

// window sets the time within which the streams know a repetition.
func (w *world) window(d time.Duration) {
	w.t.Helper()
	for _, name := range []string{"WX_CMD", "WX_RESULT", "WX_DLQ"} {
		s, err := w.js.Stream(w.within(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		config := s.CachedInfo().Config
		config.Duplicates = d
		if _, err := w.js.UpdateStream(w.within(), config); err != nil {
			w.t.Fatal(err)
		}
	}
}

// forget makes the streams forget every id that they know, as an outage longer
// than their window does. A server that gets another window looks at once at what
// it knows, at times with the old window still, and then not again before that is
// over: so it gets another one each time.
func (w *world) forget() {
	w.t.Helper()
	window, probed := 100*time.Millisecond, 0
	w.eventually("ids are forgotten", func() bool {
		w.window(window)
		window += time.Millisecond
		ack, err := w.js.Publish(w.within(), "wx.result.probe", resultOf(w.t, "probe", events.Result{}), jetstream.WithMsgID("probe"))
		if err == nil && !ack.Duplicate {
			probed++
		}
		return probed > 1 // it was known, and is not any more
	})
	w.window(10 * time.Minute)
}

// All egress is away for longer than any stream knows a repetition, and died at
// the worst of moments: after the claim, after the result, in mid-send. Nothing
// is lost and nothing is sent twice; results count by their id.
func TestOutageLongerThanTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	data := text(alice, "once")
	for _, id := range []string{"published", "claimed"} {
		sequence := w.event("send_custom_message", id, data, nil)
		w.left("send_custom_message", id, data, sequence, func(c *queue.Claim) {
			c.State, c.Attempts, c.Result = queue.Done, 1, resultOf(t, id, events.Result{Outcome: events.ResultDone, Attempts: 1})
		})
	}
	sequence := w.event("send_custom_message", "sending", data, nil)
	w.left("send_custom_message", "sending", data, sequence, nil)
	if _, err := w.js.Publish(w.within(), "wx.result.send_custom_message", resultOf(t, "published", events.Result{Outcome: events.ResultDone, Attempts: 1}),
		jetstream.WithMsgID(testApp+".published.res")); err != nil {
		t.Fatal(err)
	}
	w.forget()
	// Its sender does not trust what it was told long ago, and sends it again.
	w.event("send_custom_message", "claimed", data, nil)
	w.start()
	w.ends("claimed", events.ResultDone)
	w.ends("published", events.ResultDone)
	w.ends("sending", events.ResultUnknown)
	w.emptied()
	if n := w.calls("send_custom_message"); n != 0 {
		t.Errorf("%d calls", n)
	}
	if n := w.stored("WX_RESULT"); n != 6 { // an identical copy of one, and the two probes
		t.Errorf("%d results", n)
	}
}
