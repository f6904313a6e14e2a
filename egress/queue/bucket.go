package queue

import (
	"context"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
)

// Store stores a message, which is sent once and not again, and returns its
// sequence. A refusal of the stream's is in the error as *jetstream.APIError.
type Store func(ctx context.Context, m *nats.Msg) (sequence uint64, err error)

// bucket writes the entries of a key-value bucket as the client does, but with
// store, which gathers what many write at once: each command has a claim.
type bucket struct {
	jetstream.KeyValue
	js      jetstream.JetStream
	store   Store
	subject string // a key follows
	scratch scratch
}

func openBucket(ctx context.Context, js jetstream.JetStream, name string, store Store) (*bucket, error) {
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		return nil, err
	}
	b := &bucket{KeyValue: kv, js: js, store: store, subject: "$KV." + name + "."}
	if prefix := bus.APIPrefix(js); prefix != jetstream.DefaultAPIPrefix {
		b.subject = prefix + b.subject // another domain's
	}
	return b, nil
}

// read reads what stands under a key. A claim whose end is published may be asked
// for at once (get_result), and not every replica knows it by then.
func (b *bucket) read(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	return bus.Newest(ctx, b.js, b.Bucket(), key)
}

// asNew is the header of an entry that must not be there yet; nobody changes it.
var asNew = nats.Header{jetstream.ExpectedLastSubjSeqHeader: {"0"}}

// write stores an entry if its last revision is the given one, 0 for none. The
// error is ErrConflict if it is another.
func (b *bucket) write(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	header := asNew
	if revision > 0 {
		header = nats.Header{jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(revision, 10)}}
	}
	stored, err := b.store(ctx, &nats.Msg{Subject: b.subject + key, Data: value, Header: header})
	if revision == 0 && bus.Conflict(err) {
		// What was deleted is there still, as a mark, and the client knows it.
		stored, err = b.Create(ctx, key, value)
	}
	if bus.Conflict(err) {
		err = ErrConflict
	}
	return stored, err
}
