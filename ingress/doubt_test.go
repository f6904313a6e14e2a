package ingress

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// deaf is a bus that loses the acks of outcomes as long as it is deaf. With lose
// the outcomes are lost too.
type deaf struct {
	Bus
	deaf *atomic.Bool
	lose bool
}

func (d deaf) PublishEvent(ctx context.Context, subject string, e cloudevents.Event, id, key string) (bus.Ack, error) {
	if !strings.Contains(subject, ".outcome.") || !d.deaf.Load() {
		return d.Bus.PublishEvent(ctx, subject, e, id, key)
	}
	if !d.lose {
		if _, err := d.Bus.PublishEvent(ctx, subject, e, id, key); err != nil {
			return bus.Ack{}, err
		}
	}
	<-ctx.Done()
	return bus.Ack{}, errors.Join(errors.New("no ack from the stream"), ctx.Err())
}

// An outcome says replied, and its ack did not come in time: the follower was
// answered success. When NATS answers again the log says so, for the late worker
// to send the reply.
func TestOutcomeWhoseAckIsLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reply string
		lose        bool
		outcome     string
		missed      int
	}{
		{"stored", private + " answer", false, events.OutcomeReplied, 1},
		{"not stored", private + " answer", true, events.OutcomeUnanswered, 0},
		{"promising nothing", `{"msgtype":"release"}`, false, events.OutcomeReleased, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			d := deaf{deaf: &atomic.Bool{}, lose: c.lose}
			d.deaf.Store(true)
			r := w.replica(func(s *setup) { s.wrap = func(b Bus) Bus { d.Bus = b; return d } })
			heard := w.service()
			held := w.try(r, text(alice, private))
			in := next(t, heard)
			w.reply(in.ReplyTo, nil, c.reply)
			if got := w.says(next(t, held)); got != callback.Success {
				t.Errorf("answered %q", got)
			}
			d.deaf.Store(false)
			w.arrive(bus.StreamOutcome, w.prefix.Subject(events.Outcomes, "text"), 1)
			if c.missed > 0 {
				w.arrive(bus.StreamReply, w.prefix.Subject(events.Marks, in.ID), c.missed)
			}
			r.stop() // waits for what is on its way
			if o := w.outcome(in.ID); o.Outcome.Outcome != c.outcome {
				t.Errorf("outcome %+v", o.Outcome)
			}
			if marks := w.marks(in.ID); len(marks) != c.missed || c.missed > 0 && marks[0].Mark != events.MarkMissed {
				t.Errorf("markers %+v", marks)
			}
		})
	}
}

// A process that was frozen for longer than the stream remembers ids claims
// nothing any more: its claim would be a second outcome of the hold.
func TestDoubtOfAnotherDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	message, err := callback.Parse(text(alice, private))
	noError(t, err)
	old := &try{message: message, id: message.ID(), kind: message.Kind, arrived: time.Now().Add(-clearUpFor), number: 1}
	claimed, err := r.outcome(old, events.Decision{Outcome: events.OutcomeReplied, Sequence: 1})
	noError(t, err)
	r.clearUp(old, &claimed)
	r.stop()
	if n := len(w.stored(bus.StreamOutcome, "wx.outcome.*")); n != 0 {
		t.Errorf("%d outcomes are stored", n)
	}
}
