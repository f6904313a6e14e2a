package ingress

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// The stream takes no event for a moment, but a plain subscriber hears it and
// answers, once for each id. The try that stores the event gets that answer at
// once: on the replica that could not store it, on another one, and on one that
// was started only then, which must go by WeChat's clock.
func TestAnswerBeforeTheEventIsStored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		age  time.Duration // of the message
		next func(w *world, first, other *replica) *replica
	}{
		{"the same replica", 0, func(_ *world, first, _ *replica) *replica { return first }},
		{"another replica", 0, func(_ *world, _, other *replica) *replica { return other }},
		{"a new replica", wechatTimeout, func(w *world, _, _ *replica) *replica { return w.replica() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			first, other := w.replica(), w.replica()
			answered := map[string]bool{}
			w.serve(func(in inbound) {
				if !answered[in.ID] {
					answered[in.ID] = true
					_ = in.message.Respond([]byte(private + " hello"))
				}
			})
			w.roomForEvents(1)
			doc := document(alice, private, time.Now().Add(-c.age))
			message, err := callback.Parse(doc)
			noError(t, err)
			if a := next(t, w.try(first, doc)); a.status != http.StatusServiceUnavailable {
				t.Fatalf("answered %d, %v", a.status, a.err)
			}
			early := w.arrive(bus.StreamReply, w.prefix.Subject(events.Replies, message.ID()), 1)
			w.roomForEvents(-1)
			if got := w.says(next(t, w.try(c.next(w, first, other), doc))); got != private+" hello" {
				t.Errorf("answered %q", got)
			}
			o := w.outcome(message.ID())
			if o.Outcome.Outcome != events.OutcomeReplied || o.Sequence != early[0].Sequence || o.Try != 1 {
				t.Errorf("outcome %+v", o.Outcome)
			}
			if took := time.Duration(o.MS) * time.Millisecond; took >= long {
				t.Errorf("after %s", took)
			}
		})
	}
}

// roomForEvents lets the stream of inbound events hold so many bytes, -1 for any.
func (w *world) roomForEvents(bytes int64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	s, err := w.js.Stream(ctx, w.prefix.Resource(bus.StreamInbound))
	noError(w.t, err)
	cfg := s.CachedInfo().Config
	cfg.MaxBytes = bytes
	_, err = w.js.UpdateStream(ctx, cfg)
	noError(w.t, err)
}

// A try that is the first by all signs reads no log: that would be one more round
// trip for every message.
func TestFirstTryReadsNoLog(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for age, want := range map[time.Duration]bool{0: false, 2 * time.Second: false, wechatTimeout: true} {
		tr := &try{message: &callback.Message{CreateTime: now.Add(-age)}, arrived: now}
		if got := tr.mayBeAnswered(&room{}); got != want {
			t.Errorf("%s after the message: %v", age, got)
		}
	}
	rs := newRooms()
	enters := func(key string) bool {
		r := rs.enter(about{key: key})
		defer rs.leave(r, true)
		return r.early
	}
	rs.leave(rs.enter(about{key: "stored"}), true)
	rs.leave(rs.enter(about{key: "not stored"}), false)
	rs.hear(events.Replies, "answered")
	rs.hear(events.Marks, "marked")
	for key, want := range map[string]bool{"unknown": false, "stored": false, "not stored": true, "answered": true, "marked": false} {
		if got := enters(key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

// Keys are remembered for as long as WeChat tries, and not for ever: neither
// while few come nor while many do.
func TestEarlyKeysAreForgotten(t *testing.T) {
	t.Parallel()
	var e early
	now := time.Now()
	e.add("k-1", now)
	e.add("k-2", now.Add(earlyFor-1))
	e.add("k-3", now.Add(earlyFor))
	if !e.has("k-1") || !e.has("k-2") || !e.has("k-3") {
		t.Error("forgotten too soon")
	}
	e.add("k-4", now.Add(2*earlyFor))
	if e.has("k-1") || e.has("k-2") || !e.has("k-3") {
		t.Error("not forgotten, or too soon")
	}
	for n := range 5 * maxEarly {
		e.add(fmt.Sprint(n), now)
	}
	if all := len(e.keys) + len(e.before); all > 2*maxEarly {
		t.Errorf("%d are remembered", all)
	}
}
