package ingress

import (
	"context"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// WeChat asks again while its first try is still held: both get the one answer,
// and so does a try after the decision, on every replica, also on one that was
// started when the first was gone.
func TestAllTriesGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ reply, says, outcome string }{
		{private + " hello", private + " hello", events.OutcomeReplied},
		{`{"msgtype":"release"}`, callback.Success, events.OutcomeReleased},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			a, b := w.replica(), w.replica()
			doc := text(alice, private)
			var held []<-chan answer
			for _, r := range []*replica{a, a, b, b} {
				held = append(held, w.try(r, doc))
				if s := next(t, r.stored); s.Duplicate != (len(held) > 1) || !s.Held {
					t.Errorf("try %d: %+v", len(held), s)
				}
			}
			id := w.inboundID() // one event, four tries
			w.reply("wx.reply."+id, nil, c.reply)
			for i, try := range held {
				if got := w.says(next(t, try)); got != c.says {
					t.Errorf("held try %d is answered %q", i+1, got)
				}
			}
			w.reply("wx.reply."+id, nil, private+" another")
			for _, r := range []*replica{a, b} {
				if got := w.says(next(t, w.try(r, doc))); got != c.says {
					t.Errorf("a try after the decision is answered %q", got)
				}
			}
			a.stop()
			b.stop()
			if got := w.says(next(t, w.try(w.replica(), doc))); got != c.says {
				t.Errorf("a new process answers %q", got)
			}
			if o := w.outcome(id); o.Outcome.Outcome != c.outcome || o.Try < 1 || o.Try > 3 {
				t.Errorf("outcome %+v", o.Outcome)
			}
		})
	}
}

// The first process dies while it holds. The next one finds in the log what was answered meanwhile.
func TestAnswerWhileNoProcessRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	first := w.replica()
	doc := text(alice, private)
	ctx, hangUp := context.WithCancel(t.Context())
	lost := w.tryUntil(ctx, first, doc)
	next(t, first.stored)
	hangUp()
	next(t, lost)
	first.stop()
	id := w.inboundID()
	if all := w.outcomes(); len(all) != 0 {
		t.Errorf("nobody was answered, and there are outcomes %v", all)
	}
	sequence := w.reply("wx.reply."+id, nil, private+" hello")
	if got := w.says(next(t, w.try(w.replica(), doc))); got != private+" hello" {
		t.Errorf("answered %q", got)
	}
	if o := w.outcome(id); o.Sequence != sequence || o.Try != 2 {
		t.Errorf("outcome %+v", o.Outcome)
	}
}

// Whoever stored the outcome first has answered, or promised to. So a process
// that finds one answers what it says, even if its own log would decide otherwise.
func TestStoredOutcomeIsObeyed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ outcome, says string }{
		{events.OutcomeUnanswered, callback.Success},
		{events.OutcomeReleased, callback.Success},
		{events.OutcomeFallback, sorry},
		{events.OutcomeReplied, private + " second"},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r := w.replica(func(s *setup) { s.FallbackText = "another " + sorry })
			doc := text(alice, private)
			message, err := callback.Parse(doc)
			noError(t, err)
			id := message.ID()
			w.reply("wx.reply."+id, nil, private+" first")
			second := w.reply("wx.reply."+id, nil, private+" second")
			if c.outcome == events.OutcomeFallback {
				// The text is the marker's: this replica may be configured with another.
				mark, err := events.NewMark("m-1", "/s", time.Now(), events.Mark{Mark: events.MarkClosed, Outcome: c.outcome, Text: sorry, Event: id})
				noError(t, err)
				header, body, err := events.EncodeStructured(mark)
				noError(t, err)
				second = w.reply("wx.mark."+id, header, string(body))
			}
			e, err := events.NewOutcome(testAppID, "text", id, alice, "", time.Now(), events.Outcome{Outcome: c.outcome, Try: 1, Sequence: second})
			noError(t, err)
			_, err = r.bus.PublishEvent(t.Context(), "wx.outcome.text", e, testAppID+"."+id+".hold", "")
			noError(t, err)
			w.storeInbound(r, message)

			if got := w.says(next(t, w.try(r, doc))); got != c.says {
				t.Errorf("answered %q", got)
			}
			if a := next(t, r.ended); a.Outcome != c.outcome {
				t.Errorf("observed %+v", a)
			}
			w.outcome(id)
		})
	}
}

// storeInbound stores an event as another process would.
func (w *world) storeInbound(r *replica, m *callback.Message) {
	w.t.Helper()
	e, err := events.NewInbound(w.prefix, testAppID, m, time.Now().Add(long), events.Trace{})
	noError(w.t, err)
	_, err = r.bus.PublishEvent(context.Background(), "wx.inbound."+m.Kind, e, testAppID+"."+m.ID(), "")
	noError(w.t, err)
}

// An event may be answered in the moment in which it is stored, before its ack
// has come; and respond even before that.
func TestAnswerFasterThanTheAck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModePlain)
	r := w.replica()
	w.serve(func(in inbound) { _ = in.message.Respond([]byte(private + " " + in.ID)) })
	for range 50 {
		doc := text(alice, private)
		m, err := callback.Parse(doc)
		noError(t, err)
		if got := w.says(next(t, w.try(r, doc))); got != private+" "+m.ID() {
			t.Fatalf("answered %q", got)
		}
	}
	info, err := w.js.Stream(t.Context(), w.prefix.Resource(bus.StreamInbound))
	noError(t, err)
	if n := info.CachedInfo().State.Msgs; n != 50 {
		t.Errorf("%d events are stored", n)
	}
}
