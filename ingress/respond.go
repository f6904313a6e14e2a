package ingress

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// respondWithin bounds the way of a plain subscriber's answer into the log. It
// is longer than a hold: also a late answer belongs there.
const respondWithin = 10 * time.Second

// answered hears a plain subscriber's msg.respond to an inbound event and puts
// it into the event's log, where it counts like any reply.
func (i *Ingress) answered(a bus.Answer) {
	if !i.isAnswer(a) {
		i.logger.Debug("a response that is no answer is ignored", "event", a.Key)
		return
	}
	taken := i.work.Go(func() {
		ctx, cancel := context.WithTimeout(i.ctx, respondWithin)
		defer cancel()
		_, err := i.bus.Publish(ctx, i.names.Subject(events.Replies, a.Key), events.WithoutNATS(a.Header), a.Body, "", "")
		if err != nil {
			i.logger.Error("an answer is lost", "event", a.Key, "error", err)
		}
	})
	if !taken {
		i.logger.Warn("an answer came while the process stops, and is lost", "event", a.Key)
	}
}

// isAnswer tells an answer from what clients and frameworks respond on their own.
func (i *Ingress) isAnswer(a bus.Answer) bool {
	body := bytes.TrimSpace(a.Body)
	switch {
	case len(body) == 0:
		return false
	case a.Get("Nats-Service-Error") != "", a.Get("Nats-Service-Error-Code") != "":
		return false
	case isAckWord(a.Body):
		return false
	}
	_, isEvent, _ := events.Decode(a.Header, a.Body)
	return isEvent || body[0] == '{' || i.cfg.BareReply
}

// isAckWord tells JetStream's words for a consumer's ack, which a client that
// took the message for a consumer's would send.
func isAckWord(body []byte) bool {
	for _, word := range []string{"+ACK", "-NAK", "+NXT", "+WPI", "+TERM"} {
		if bytes.HasPrefix(body, []byte(word)) {
			return true
		}
	}
	return false
}

// sendInstead turns a reply that has no passive form into the command that
// sends it. Its id follows from the event's, so that it is sent once, whichever
// replica decides.
func (i *Ingress) sendInstead(ctx context.Context, t *try, reply events.Reply) error {
	// What is cut of a reply that has no passive form is nothing: only news are cut.
	e, _, err := events.NewLateCommand(i.account.AppID(), t.id, t.message.FromUserName, reply, time.Now())
	if err != nil {
		return err
	}
	if _, err := i.bus.PublishEvent(ctx, i.names.Subject(events.Cmd, events.LateVerb), e, i.msgID(e.ID()), ""); err != nil {
		return fmt.Errorf("reply without a passive form: %w", err)
	}
	return nil
}
