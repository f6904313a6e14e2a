package ingress

import (
	"context"
	"errors"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// hold stores the event and keeps the response open until the event's log
// decides, or until the try's time is over.
func (i *Ingress) hold(w http.ResponseWriter, r *http.Request, t *try, e cloudevents.Event) {
	room := i.rooms.enter(t.about())
	stored := false
	defer func() { i.rooms.leave(room, stored) }()
	ack, ok := i.store(w, r, t, e, true)
	if !ok {
		return
	}
	stored = true
	ctx, cancel := context.WithDeadline(r.Context(), t.arrived.Add(settleBy))
	defer cancel()
	t.number = 1
	if err := i.catchUp(ctx, room, t, ack); err != nil {
		if r.Context().Err() != nil {
			abort()
		}
		if !errors.Is(err, errNotHeld) {
			// Without the log nothing may be decided here. The follower goes
			// without an answer, and without the fault line.
			i.logger.Warn("log of a held event cannot be read, answering success", "event", t.id, "error", err)
		}
		i.release(w, t)
		return
	}
	decision, err := i.await(ctx, room, t)
	switch {
	case err == nil:
		i.answer(ctx, r.Context(), w, t, decision)
	case r.Context().Err() != nil:
		// The peer is gone, WeChat's next try will ask again. To return would be to
		// answer 200 and nothing, which to WeChat means: received.
		abort()
	case errors.Is(err, errTryOver):
		i.stayQuiet(r, t)
	default:
		i.logger.Warn("hold could not be closed in time, answering success", "event", t.id, "error", err)
		i.release(w, t)
	}
}

// catchUp reads what the log of an event may hold from before this try.
func (i *Ingress) catchUp(ctx context.Context, room *room, t *try, ack bus.Ack) error {
	if ack.Duplicate {
		return i.join(ctx, t, ack.Sequence)
	}
	if !t.mayBeAnswered(room) {
		return nil
	}
	entries, err := i.readLog(ctx, t)
	i.rooms.add(t.id, entries...)
	return err
}

// join reads the log of an event that was stored before this try came, and
// finds out which of WeChat's tries this is. Every doubt makes it the last: the
// follower then loses waiting time and never sees the fault line.
func (i *Ingress) join(ctx context.Context, t *try, sequence uint64) error {
	t.number = wechatTries
	if err := i.wasHeld(ctx, sequence); err != nil {
		return err
	}
	id, markErr := i.mark(ctx, t, events.Mark{Mark: events.MarkTry, Event: t.id})
	entries, err := i.readLog(ctx, t)
	if err != nil {
		return err
	}
	i.rooms.add(t.id, entries...)
	if markErr != nil {
		return nil //nolint:nilerr // without its marker the try counts as the last, which it already is
	}
	if number := events.TryNumber(entries, id); number > 0 {
		t.number = min(number, wechatTries)
	}
	return nil
}

// readLog is the log of a try's event as it stands in the stream.
func (i *Ingress) readLog(ctx context.Context, t *try) ([]events.Entry, error) {
	log, err := i.bus.Log(ctx, t.id)
	if err != nil {
		return nil, err
	}
	entries := make([]events.Entry, 0, len(log))
	for _, m := range log {
		if branch, _, ok := i.names.Split(m.Subject); ok {
			entries = append(entries, i.read(branch, t.about(), m))
		}
	}
	return entries, nil
}

// errNotHeld: whoever stored the event did not hold it.
var errNotHeld = errors.New("the event was stored as one that is not held")

// wasHeld looks at the stored event. One without a wxdeadline says to everybody
// that replies to it are late from the start, so no try of it may be held: a
// process had no room for it, or another configuration.
func (i *Ingress) wasHeld(ctx context.Context, sequence uint64) error {
	m, err := i.bus.Stored(ctx, bus.StreamInbound, sequence)
	if err != nil {
		return err
	}
	in, err := events.ParseInbound(i.names, m)
	if err == nil && in.Deadline.IsZero() {
		err = errNotHeld
	}
	return err
}

// errTryOver: the time of a try that is not the last is over.
var errTryOver = errors.New("try is over, WeChat tries again")

// await returns the decision on the event. When the try's time is over, and it
// is the last, it closes the hold; the decision is then what the log says, be it
// the closing or a reply that came just before.
func (i *Ingress) await(ctx context.Context, room *room, t *try) (events.Decision, error) {
	over := time.NewTimer(time.Until(t.arrived.Add(i.cfg.hold())))
	defer over.Stop()
	for {
		log, changed := i.rooms.look(room)
		if decision, ok := events.Decide(log); ok {
			return decision, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return events.Decision{}, ctx.Err()
		case <-over.C:
			// What came in the same instant counts too: it may be a wait.
			if log, _ = i.rooms.look(room); decided(log) {
				continue
			}
			if !i.isLast(t, log) {
				return events.Decision{}, errTryOver
			}
			if err := i.close(ctx, t); err != nil {
				return events.Decision{}, err
			}
		}
	}
}

func decided(log []events.Entry) bool {
	_, ok := events.Decide(log)
	return ok
}

// isLast says whether no further try is wanted or to be had.
func (i *Ingress) isLast(t *try, log []events.Entry) bool {
	wanted := i.cfg.HoldTries
	if events.Waits(log) {
		wanted = wechatTries
	}
	// By WeChat's clock this is the last wanted try, whatever its number: tries
	// before it may have met nobody, or a bridge that could not store the event.
	due := t.message.CreateTime.Add(time.Duration(wanted-1)*wechatTimeout - clockSlack)
	return t.number >= wanted || t.arrived.After(due)
}

// close writes the marker that ends the hold on every replica.
func (i *Ingress) close(ctx context.Context, t *try) error {
	outcome := events.OutcomeUnanswered
	if i.cfg.FallbackText != "" {
		outcome = events.OutcomeFallback
	}
	_, err := i.mark(ctx, t, events.Mark{
		Mark: events.MarkClosed, Outcome: outcome, Text: i.cfg.FallbackText, Event: t.id,
		OpenID: t.message.FromUserName, Kind: t.kind, Try: t.number,
	})
	return err
}

// mark writes a marker into the log of the try's event.
func (i *Ingress) mark(ctx context.Context, t *try, m events.Mark) (id string, err error) {
	id = nuid.Next()
	e, err := events.NewMark(id, events.Source(i.account.AppID()), time.Now(), m)
	if err != nil {
		return "", err
	}
	_, err = i.bus.PublishEvent(ctx, i.names.Subject(events.Marks, t.id), e, "", "")
	return id, err
}

// release answers a try without an outcome.
func (i *Ingress) release(w http.ResponseWriter, t *try) {
	writeText(w, []byte(callback.Success))
	i.observe.Answered(Answered{ID: t.id, Kind: t.kind, Try: t.number, Took: time.Since(t.arrived)})
}

// stayQuiet leaves a try without an answer, so that WeChat tries again: the
// connection stays open and silent until the peer closes it. Closing it first
// would be another failure, which a proxy turns into a 502.
func (i *Ingress) stayQuiet(r *http.Request, t *try) {
	i.logger.Debug("try is left without an answer", "event", t.id, "try", t.number)
	timer := time.NewTimer(time.Until(t.arrived.Add(silentFor)))
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
	abort()
}

// abort ends a request without a response.
func abort() {
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's own way
}
