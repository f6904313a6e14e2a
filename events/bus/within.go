package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// Post publishes a message in one go with those that others publish at the same
// moment. failed is called if that cannot be done, perhaps before Post returns,
// and must not block. That a stream has stored it is for the sender to hear.
func (b *Bus) Post(m *nats.Msg, failed func(error)) { b.pub.out.publish(m, failed) }

// PublishWithin is Publish of an event in structured mode for a time, or until
// ctx ends. It is for those who publish often: a deadline of ctx costs more than
// the rest.
func (b *Bus) PublishWithin(ctx context.Context, within time.Duration, subject string, event []byte, id string) (Ack, error) {
	m := &nats.Msg{Subject: subject, Header: nats.Header(events.Structured()), Data: event}
	m.Header[nats.MsgIdHdr] = []string{id}
	acks, forget := b.pub.expect(m, "")
	defer forget()
	over := time.NewTimer(attempt)
	defer over.Stop()
	var last error
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < within; {
		over.Reset(attempt)
		ack, err := b.pub.once(ctx, m, acks, over.C)
		var refused *RefusedError
		if err == nil || errors.As(err, &refused) {
			return ack, err
		}
		if last = err; final(err) {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return Ack{}, fmt.Errorf("%s is not stored: %w", subject, errors.Join(last, ctx.Err()))
}
