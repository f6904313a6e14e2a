package ingress

import (
	"context"
	"errors"
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
func (i *Ingress) answer(ctx context.Context, w http.ResponseWriter, t *try, decision events.Decision) {
	body, decision, claimed, err := i.claim(ctx, t, decision)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		abort() // the peer is gone, and asks again
	}
	if err != nil {
		i.logger.Warn("nobody can say whether the outcome is stored, answering success", "event", t.id, "error", err)
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
	stored, err := i.storedDecision(ctx, ack.Sequence)
	if err != nil || stored.Sequence == decision.Sequence && stored.Outcome == decision.Outcome {
		return body, decision, &e, err
	}
	body, decision, err = i.render(ctx, t, stored)
	return body, decision, nil, err
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
func (i *Ingress) storedDecision(ctx context.Context, sequence uint64) (events.Decision, error) {
	m, err := i.bus.Stored(ctx, bus.StreamOutcome, sequence)
	if err != nil {
		return events.Decision{}, fmt.Errorf("outcome of another try: %w", err)
	}
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
