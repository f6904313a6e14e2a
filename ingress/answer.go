package ingress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// answer claims the event's outcome and writes the bytes that it says. An
// outcome in the stream therefore means: on the wire or delivered, never to be
// sent again.
func (i *Ingress) answer(ctx context.Context, w http.ResponseWriter, t *try, decision events.Decision) {
	body, decision, err := i.claim(ctx, t, decision)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		abort() // the peer is gone, and asks again
	}
	if err != nil {
		i.logger.Warn("outcome is not stored, answering success", "event", t.id, "error", err)
		i.release(w, t)
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
// answer is given: that is how all tries get the same one.
func (i *Ingress) claim(ctx context.Context, t *try, decision events.Decision) ([]byte, events.Decision, error) {
	body, decision, err := i.render(ctx, t, decision)
	if err != nil {
		return nil, decision, err
	}
	outcome := events.Outcome{
		Outcome: decision.Outcome, Try: t.number,
		MS: time.Since(t.arrived).Milliseconds(), Sequence: decision.Sequence,
	}
	cause := ""
	if decision.Reply != nil {
		outcome.Source, cause = decision.Reply.Source, decision.Reply.ID
	}
	e, err := events.NewOutcome(i.account.AppID(), t.kind, t.id, t.message.FromUserName, cause, time.Now(), outcome)
	if err != nil {
		return nil, decision, err
	}
	ack, err := i.bus.PublishEvent(ctx, i.names.Subject(events.Outcomes, t.kind), e, events.OutcomeMsgID(i.account.AppID(), t.id, false), "")
	if err != nil || !ack.Duplicate {
		return body, decision, err
	}
	stored, err := i.storedDecision(ctx, ack.Sequence)
	if err != nil || stored.Sequence == decision.Sequence && stored.Outcome == decision.Outcome {
		return body, decision, err
	}
	return i.render(ctx, t, stored)
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

// render turns a decision into the body of the response. A reply without a
// passive form becomes a command before anything is claimed, and the follower
// is let go.
func (i *Ingress) render(ctx context.Context, t *try, decision events.Decision) ([]byte, events.Decision, error) {
	success := []byte(callback.Success)
	switch {
	case decision.Outcome == events.OutcomeFallback:
		body, err := i.seal(t, callback.Text{Content: decision.Text})
		return body, decision, err
	case decision.Outcome != events.OutcomeReplied:
		return success, decision, nil
	case !decision.Reply.Passive():
		decision.Outcome = events.OutcomeReleased
		return success, decision, i.sendInstead(ctx, t, *decision.Reply)
	}
	kind, _ := callback.LookupKind(t.kind)
	// What a valid reply decided can be delivered: events.ParseReply has checked its form.
	body, err := i.seal(t, decision.Reply.Form(kind.NewsLimit))
	return body, decision, err
}

// seal writes a passive reply in the form that the request came in.
func (i *Ingress) seal(t *try, reply callback.Reply) ([]byte, error) {
	now := time.Now()
	doc, err := callback.FormatReply(t.message.FromUserName, t.message.ToUserName, now, reply)
	if err != nil {
		return nil, err
	}
	return t.envelope.Seal(doc, now)
}
