package ingress

import (
	"context"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

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
