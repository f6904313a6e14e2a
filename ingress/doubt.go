package ingress

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

const (
	// clearUpFor is how long after the try a doubt about its outcome is looked
	// into; then the stream may have forgotten its id, and would store a second one.
	clearUpFor = 9 * time.Minute
	// clearUpAgain is between two looks.
	clearUpAgain = time.Second
)

// clearUp finds out whether an outcome is stored whose ack did not come in time.
// The try was answered success, or its peer was gone, so if that outcome says
// replied, the follower has not got what it promises: the marker missed then has
// the late worker send the reply, unless another try carries it first. Whoever
// claimed first is asked by a claim, which the stream stores only if there is
// none; it is true as well.
func (i *Ingress) clearUp(t *try, claimed *cloudevents.Event) {
	var outcome events.Outcome
	if claimed == nil || json.Unmarshal(claimed.Data(), &outcome) != nil || outcome.Outcome != events.OutcomeReplied {
		return // nothing was claimed, or nothing promised
	}
	taken := i.work.Go(func() {
		ctx, cancel := context.WithDeadline(i.ctx, t.arrived.Add(clearUpFor))
		defer cancel()
		for {
			err := i.tryClearUp(ctx, t, claimed)
			if err == nil {
				return
			}
			select {
			case <-ctx.Done():
				i.logger.Error("nobody can say whether a reply was lost: its outcome may be stored, and the follower did not get it",
					"event", t.id, "error", err)
				return
			case <-time.After(clearUpAgain):
			}
		}
	})
	if !taken {
		i.logger.Warn("the process stops in doubt about an outcome", "event", t.id)
	}
}

func (i *Ingress) tryClearUp(ctx context.Context, t *try, claimed *cloudevents.Event) error {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	e, err := i.outcome(t, events.Decision{Outcome: events.OutcomeUnanswered})
	if err != nil {
		return err
	}
	ack, err := i.publishOutcome(ctx, t, e)
	if err != nil || !ack.Duplicate {
		return err
	}
	m, err := i.bus.Stored(ctx, bus.StreamOutcome, ack.Sequence)
	if err != nil {
		return err
	}
	if !isSame(m, *claimed) {
		return nil // another try's or process's: it has answered what it says
	}
	_, err = i.mark(ctx, t, events.Mark{Mark: events.MarkMissed, Event: t.id, Try: t.number})
	return err
}

// isSame says whether a stored event is the very one that this process published.
func isSame(m events.Message, e cloudevents.Event) bool {
	stored, _, err := events.Decode(m.Header, m.Body)
	return err == nil && stored.Time().Equal(e.Time()) && bytes.Equal(stored.Data(), e.Data())
}

// carry says in the log that this try carries the reply of an outcome that another
// one claimed; missed is true if that one was quicker to say that nobody has got it.
func (i *Ingress) carry(ctx context.Context, t *try) (missed bool, err error) {
	if _, err := i.mark(ctx, t, events.Mark{Mark: events.MarkCarried, Event: t.id, Try: t.number}); err != nil {
		return false, err
	}
	entries, err := i.readLog(ctx, t)
	return events.Missed(entries), err
}
