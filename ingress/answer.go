package ingress

import (
	"context"
	"fmt"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// answer claims the event's outcome and writes the bytes that it says. An
// outcome in the stream therefore means: on the wire or delivered, never to be
// sent again.
//
// peer ends when WeChat hangs up. Then nothing is written: WeChat asks again, or
// has given up, and a reply that was claimed has reached nobody.
func (i *Ingress) answer(ctx, peer context.Context, w http.ResponseWriter, t *try, decision events.Decision) {
	body, decision, claimed, err := i.claim(ctx, t, decision)
	if peer.Err() != nil {
		i.clearUp(t, claimed)
		abort()
	}
	if err != nil {
		if claimed == nil {
			i.logger.Warn("the answer cannot be made, answering success", "event", t.id, "error", err)
		} else {
			i.logger.Warn("nobody can say whether the outcome is stored, answering success", "event", t.id, "error", err)
		}
		i.release(w, t)
		i.clearUp(t, claimed)
		return
	}
	if string(body) != callback.Success {
		w.Header().Set("Content-Type", t.envelope.ContentType())
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if _, err := w.Write(body); err != nil {
		i.logger.Warn("answer may not have reached WeChat", "event", t.id, "error", err)
	}
	answered := Answered{ID: t.id, Kind: t.kind, Outcome: decision.Outcome, Try: t.number, Took: time.Since(t.arrived)}
	if decision.Reply != nil {
		answered.Reply = decision.Reply.Data
	}
	i.observe.Answered(answered)
}

// claim stores the outcome. If somebody was first, his outcome counts, and his
// answer is given: that is how all tries get the same one. claimed is the
// outcome that was sent to the stream, nil if none was.
func (i *Ingress) claim(ctx context.Context, t *try, decision events.Decision) (body []byte, _ events.Decision, claimed *cloudevents.Event, _ error) {
	body, decision, err := i.render(ctx, t, decision)
	if err != nil {
		return nil, decision, nil, err
	}
	e, err := i.outcome(t, decision)
	if err != nil {
		return nil, decision, nil, err
	}
	ack, err := i.publishOutcome(ctx, t, e)
	if err != nil || !ack.Duplicate {
		return body, decision, &e, err
	}
	m, err := i.bus.Stored(ctx, bus.StreamOutcome, ack.Sequence)
	if err != nil {
		return nil, decision, &e, fmt.Errorf("outcome of another try: %w", err)
	}
	if isSame(m, e) {
		return body, decision, &e, nil // of an attempt before, whose ack was lost
	}
	body, decision, err = i.claimed(ctx, t, m)
	return body, decision, nil, err
}

// claimed is what a try answers that was not the first to claim.
func (i *Ingress) claimed(ctx context.Context, t *try, outcome events.Message) ([]byte, events.Decision, error) {
	stored, err := i.storedDecision(ctx, outcome)
	if err == nil && stored.Outcome == events.OutcomeReplied {
		var missed bool
		if missed, err = i.carry(ctx, t); missed { // and so is sent late
			return []byte(callback.Success), events.Decision{}, nil
		}
	}
	if err != nil {
		return nil, stored, err
	}
	return i.render(ctx, t, stored)
}

// outcome is the event that says how a hold ended.
func (i *Ingress) outcome(t *try, decision events.Decision) (cloudevents.Event, error) {
	outcome := events.Outcome{
		Outcome: decision.Outcome, Try: t.number,
		MS: time.Since(t.arrived).Milliseconds(), Sequence: decision.Sequence,
	}
	cause := ""
	if decision.Reply != nil {
		outcome.Source, cause = decision.Reply.Source, decision.Reply.ID
	}
	return events.NewOutcome(i.account.AppID(), t.kind, t.id, t.message.FromUserName, cause, time.Now(), outcome)
}

func (i *Ingress) publishOutcome(ctx context.Context, t *try, e cloudevents.Event) (bus.Ack, error) {
	return i.bus.PublishEvent(ctx, i.names.Subject(events.Outcomes, t.kind), e, events.OutcomeMsgID(i.account.AppID(), t.id, false), "")
}

// storedDecision reads back the decision of whoever claimed first.
func (i *Ingress) storedDecision(ctx context.Context, m events.Message) (events.Decision, error) {
	outcome, err := events.ParseOutcome(m.Header, m.Body)
	if err != nil {
		return events.Decision{}, err
	}
	decision := events.Decision{Outcome: outcome.Outcome, Sequence: outcome.Sequence}
	if outcome.Outcome != events.OutcomeReplied && outcome.Outcome != events.OutcomeFallback {
		return decision, nil
	}
	if m, err = i.bus.Stored(ctx, bus.StreamReply, outcome.Sequence); err != nil {
		return decision, fmt.Errorf("what decided another try: %w", err)
	}
	branch, _, _ := i.names.Split(m.Subject)
	decision, ok := events.Decide([]events.Entry{events.ReadEntry(branch, m)})
	if !ok {
		return decision, fmt.Errorf("outcome names message %d, which decides nothing", outcome.Sequence)
	}
	return decision, nil
}
