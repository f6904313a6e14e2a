package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// publish stores an event, which only the stream it belongs to can say. The end of
// ctx or that stream's final word ends the tries.
func (a App) publish(ctx context.Context, subject string, e cloudevents.Event, msgID string) (Ack, error) {
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return Ack{}, err
	}
	nc := a.JetStream.Conn()
	m := &nats.Msg{Subject: subject, Reply: nc.NewInbox(), Header: nats.Header(header), Data: body}
	if msgID != "" {
		m.Header.Set(nats.MsgIdHdr, msgID)
	}
	// One for all tries: an ack that comes after its own still counts.
	acks, err := nc.SubscribeSync(m.Reply)
	if err != nil {
		return Ack{}, fmt.Errorf("%s is not stored: %w", subject, err)
	}
	defer func() { _ = acks.Unsubscribe() }() // a closed connection has no subscriptions
	for {
		ack, err := a.try(ctx, m, acks)
		var refused *RefusedError
		switch {
		case err == nil, errors.As(err, &refused):
			return ack, err
		case final(err), ctx.Err() != nil:
			return Ack{}, fmt.Errorf("%s is not stored: %w", subject, errors.Join(err, ctx.Err()))
		}
		a.logger().Warn("event is not stored, trying again", "subject", subject, "error", err)
		select {
		case <-ctx.Done():
			return Ack{}, fmt.Errorf("%s is not stored: %w", subject, errors.Join(err, ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// try publishes once. What plain subscribers say to it is no ack, nor is what
// another stream says that has the subject too, as a copy behind a leaf node.
func (a App) try(ctx context.Context, m *nats.Msg, acks *nats.Subscription) (Ack, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := a.JetStream.Conn().PublishMsg(m); err != nil {
		return Ack{}, err
	}
	silence := errors.New("no ack from the stream")
	for home := streamOf(m.Subject); ; {
		answer, err := acks.NextMsgWithContext(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return Ack{}, silence
		}
		if err != nil {
			return Ack{}, err
		}
		ack, ok := readAck(answer)
		switch {
		case !ok:
		case ack.Stream != "" && home != "" && ack.Stream != home:
			silence = fmt.Errorf("an ack from the stream %s, but none from %s", ack.Stream, home)
		default:
			return ack.verdict(m.Subject)
		}
	}
}

// streamOf is the stream of a subject on which applications publish, "" if it is
// none of those. Events of any account may be answered, so the prefix is the subject's.
func streamOf(subject string) string {
	p, branch, _, _ := events.SplitSubject(subject)
	switch branch {
	case events.Replies:
		return p.Resource(StreamReply)
	case events.Cmd:
		return p.Resource(StreamCmd)
	}
	return ""
}
