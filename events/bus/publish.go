package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Ack is the stream's word that a message is stored.
type Ack struct {
	Sequence uint64
	// Duplicate says that a message of this id was stored before; Sequence is
	// then the first copy's.
	Duplicate bool
}

// RefusedError is the stream's final no: full, too large, not allowed.
type RefusedError struct {
	Subject     string
	Code        int // JetStream's err_code
	Description string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is not stored: %s (JetStream %d)", e.Subject, e.Description, e.Code)
}

// Unwrap is the error as the client has it, to be compared with its own.
func (e *RefusedError) Unwrap() error {
	return &jetstream.APIError{ErrorCode: jetstream.ErrorCode(e.Code), Description: e.Description}
}

// Answer is what a plain NATS subscriber said with msg.respond to a message
// that was published with a key.
type Answer struct {
	Key  string
	Body []byte
	events.Header
}

const (
	// attempt bounds one publish; after it the same message is sent again,
	// which the stream's dedupe makes harmless.
	attempt = 700 * time.Millisecond
	// pause is between attempts when no stream listens or the link is down.
	pause = 50 * time.Millisecond
)

// OnAnswer sets who hears the answers of plain subscribers; set it before
// publishing with a key. f must not block.
func (b *Bus) OnAnswer(f func(Answer)) { b.pub.answer.Store(&f) }

// PublishEvent publishes an event in structured mode, see Publish.
func (b *Bus) PublishEvent(ctx context.Context, subject string, e cloudevents.Event, id, key string) (Ack, error) {
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return Ack{}, err
	}
	return b.publish(ctx, forever, &nats.Msg{Subject: subject, Header: nats.Header(header), Data: body}, id, key)
}

// Publish stores a message and waits for the stream's ack, trying again until
// ctx ends; give it a deadline. id is the Nats-Msg-Id, "" for none: without it,
// or past the stream's dedupe window, a message whose ack was lost may be stored
// twice. Answers of plain subscribers are heard under key, "" for not at all.
// Errors: *RefusedError, or why there was no ack in time.
func (b *Bus) Publish(ctx context.Context, subject string, header events.Header, body []byte, id, key string) (Ack, error) {
	m := &nats.Msg{Subject: subject, Header: make(nats.Header, len(header)+1), Data: body}
	maps.Copy(m.Header, header)
	return b.publish(ctx, forever, m, id, key)
}

// PublishWithin is Publish of an event in structured mode, for a time or until ctx
// ends. It is for those who publish often and so want no deadline of ctx's own.
func (b *Bus) PublishWithin(ctx context.Context, within time.Duration, subject string, event []byte, id string) (Ack, error) {
	return b.publish(ctx, within, &nats.Msg{Subject: subject, Header: nats.Header(events.Structured()), Data: event}, id, "")
}

// Once stores a message and waits for the stream's ack, for a time or until ctx
// ends. It is sent once and not again: for what must not be stored twice by a
// repetition that nobody knows of, as a compare-and-set, whose second copy would
// be refused because of the first. Errors: *RefusedError, or why there was no ack,
// which leaves open whether the message is stored.
func (b *Bus) Once(ctx context.Context, within time.Duration, m *nats.Msg) (Ack, error) {
	if err := ctx.Err(); err != nil {
		return Ack{}, fmt.Errorf("%s is not stored: %w", m.Subject, err)
	}
	w := b.pub.expect(m, "")
	defer b.pub.forget(w)
	ack, err := b.pub.once(ctx, m, w, within)
	var refused *RefusedError
	if err == nil || errors.As(err, &refused) {
		return ack, err
	}
	return Ack{}, fmt.Errorf("%s may not be stored: %w", m.Subject, errors.Join(err, ctx.Err()))
}

// forever is as long as ctx lets it be.
const forever = time.Duration(math.MaxInt64)

// publish is Publish for a message that is its own, for a time.
func (b *Bus) publish(ctx context.Context, within time.Duration, m *nats.Msg, id, key string) (Ack, error) {
	if id != "" {
		m.Header[nats.MsgIdHdr] = []string{id}
	}
	w := b.pub.expect(m, key)
	defer b.pub.forget(w)
	var last error
	for began := time.Now(); ctx.Err() == nil && time.Since(began) < within; {
		ack, err := b.pub.once(ctx, m, w, attempt)
		var refused *RefusedError
		switch {
		case err == nil, errors.As(err, &refused):
			return ack, err
		case final(err):
			return Ack{}, fmt.Errorf("%s is not stored: %w", m.Subject, err)
		case ctx.Err() == nil || last == nil:
			last = err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return Ack{}, fmt.Errorf("%s is not stored: %w", m.Subject, errors.Join(last, ctx.Err()))
}

// tooLong is JetStream's err_code for a message past the stream's max_msg_size.
const tooLong = 10054

// TooLarge says whether a message was not stored because of its size, which
// NATS or the stream limits: only a shorter one will be.
func TooLarge(err error) bool {
	var refused *RefusedError
	return errors.Is(err, nats.ErrMaxPayload) || errors.As(err, &refused) && refused.Code == tooLong
}

// logIsFull says whether a key's log takes no more. A stream that is full says so
// with the same code, but may have room again.
func logIsFull(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Code == storeFailed && strings.Contains(refused.Description, "per subject")
}

// Conflict says whether a compare-and-set found another revision than the expected
// one: whoever writes next must look again. Streams of one replica and of several
// say so in different words, and the client's buckets in their own.
func Conflict(err error) bool {
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return true
	}
	refusal, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (refusal.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		refusal.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// Request asks whoever serves a subject and waits for the one answer until ctx
// ends; give it a deadline. When nobody serves it the error is
// nats.ErrNoResponders, at once.
func (b *Bus) Request(ctx context.Context, subject string, e cloudevents.Event) ([]byte, error) {
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return nil, err
	}
	answer, err := b.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject, Header: nats.Header(header), Data: body})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", subject, err)
	}
	return answer.Data, nil
}

// final tells what another attempt would not mend.
func final(err error) bool {
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) || errors.Is(err, nats.ErrConnectionClosed)
}
