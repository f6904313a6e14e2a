package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Log reads what the stream holds of one key, in order, from the stream's
// leader: it is what a try reads that finds its event stored by somebody else.
func (b *Bus) Log(ctx context.Context, key string) ([]events.Message, error) {
	stream, err := b.js.Stream(ctx, b.Prefix.Resource(StreamReply))
	if err != nil {
		return nil, err
	}
	filter := string(b.Prefix) + ".*." + key
	var log []events.Message
	for next := uint64(1); len(log) <= 2*MaxReplies; {
		m, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return log, nil
		}
		if err != nil {
			return nil, err
		}
		log = append(log, rawMessage(m))
		next = m.Sequence + 1
	}
	return log, nil
}

// Stored reads one message of a stream by its sequence.
func (b *Bus) Stored(ctx context.Context, stream string, sequence uint64) (events.Message, error) {
	s, err := b.js.Stream(ctx, b.Prefix.Resource(stream))
	if err != nil {
		return events.Message{}, err
	}
	m, err := s.GetMsg(ctx, sequence)
	if err != nil {
		return events.Message{}, err
	}
	return rawMessage(m), nil
}

// StoredFrom reads the first message of a stream that carries the subject and has
// this sequence or a later one.
func (b *Bus) StoredFrom(ctx context.Context, stream string, sequence uint64, subject string) (events.Message, error) {
	s, err := b.js.Stream(ctx, b.Prefix.Resource(stream))
	if err != nil {
		return events.Message{}, err
	}
	m, err := s.GetMsg(ctx, sequence, jetstream.WithGetMsgSubject(subject))
	if err != nil {
		return events.Message{}, err
	}
	return rawMessage(m), nil
}

func rawMessage(m *jetstream.RawStreamMsg) events.Message {
	return events.Message{
		Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data,
		Sequence: m.Sequence, Time: m.Time,
	}
}
