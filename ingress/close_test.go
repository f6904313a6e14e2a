package ingress

import (
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const sorry = private + " sorry"

// release lets the follower go at once: success, never the fallback text.
func TestRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeCompatible)
	r, heard := w.replica(func(s *setup) { s.FallbackText = sorry }), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	header, body, err := events.EncodeStructured(replyEvent(`{"msgtype":"release"}`))
	noError(t, err)
	sequence := w.reply(in.ReplyTo, header, string(body))
	if got := w.says(next(t, delivery)); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	o := w.outcome(in.ID)
	if o.Outcome.Outcome != events.OutcomeReleased || o.Sequence != sequence || o.Outcome.Source != "//example.com/answers" {
		t.Errorf("outcome %+v", o.Outcome)
	}
	if marks := w.marks(in.ID); len(marks) != 0 {
		t.Errorf("a release needs no marker: %v", marks)
	}
}

// wait decides nothing: the answer after it is the answer.
func TestWaitDecidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	w.reply(in.ReplyTo, nil, `{"msgtype":"wait"}`)
	w.reply(in.ReplyTo, nil, private+" after all")
	if got := w.says(next(t, delivery)); got != private+" after all" {
		t.Errorf("answered %q", got)
	}
}

// Nobody answers: the hold is closed on the bus, and the follower gets nothing, or the fallback text.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fallback, says, outcome string }{
		{"", callback.Success, events.OutcomeUnanswered},
		{sorry, sorry, events.OutcomeFallback},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r, heard := w.replica(hold(short), func(s *setup) { s.FallbackText = c.fallback }), w.service()
			began := time.Now()
			doc := text(alice, private)
			if got := w.says(next(t, w.try(r, doc))); got != c.says {
				t.Errorf("answered %q", got)
			}
			if took := time.Since(began); took < short {
				t.Errorf("given up after %s", took)
			}
			in := next(t, heard)
			closed := w.closed(in.ID)
			want := events.Mark{Mark: events.MarkClosed, Outcome: c.outcome, Text: c.fallback, Event: in.ID, OpenID: alice, Kind: "text", Try: 1}
			if len(closed) == 1 {
				want.ID = closed[0].ID
			}
			if len(closed) != 1 || closed[0] != want {
				t.Fatalf("closed markers %+v, want %+v", closed, want)
			}
			o := w.outcome(in.ID)
			if o.Outcome.Outcome != c.outcome || o.Try != 1 || o.MS < short.Milliseconds() || o.Sequence != w.stored(bus.StreamReply, "wx.mark."+in.ID)[0].Sequence {
				t.Errorf("outcome %+v", o.Outcome)
			}
			// Too late for this response, whoever asks.
			w.reply(in.ReplyTo, nil, private+" too late")
			if got := w.says(next(t, w.try(r, doc))); got != c.says {
				t.Errorf("the next try is answered %q", got)
			}
			w.outcome(in.ID)
		})
	}
}
