package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// saveWithin bounds one write to the bucket.
const saveWithin = 5 * time.Second

// bucket writes the entries of a key-value bucket as the client does, with one
// inbox for all and together with what others publish: two entries are written
// for each command.
type bucket struct {
	jetstream.KeyValue
	asks    *asks
	subject string // a key follows
}

func openBucket(ctx context.Context, js jetstream.JetStream, name string, post Post) (*bucket, error) {
	kv, err := js.KeyValue(ctx, name)
	if err != nil {
		return nil, err
	}
	asks, err := newAsks(js.Conn(), post)
	if err != nil {
		return nil, err
	}
	b := &bucket{KeyValue: kv, asks: asks, subject: "$KV." + name + "."}
	if prefix := js.Options().APIPrefix; prefix != jetstream.DefaultAPIPrefix {
		b.subject = prefix + b.subject // another domain's
	}
	return b, nil
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
	answer, err := b.asks.ask(ctx, &nats.Msg{Subject: b.subject + key, Data: value, Header: header}, saveWithin)
	if err != nil {
		return 0, err
	}
	stored, err := storedAt(answer.Data)
	if revision == 0 && errors.Is(err, ErrConflict) {
		// What was deleted is there still, as a mark, and the client knows it.
		stored, err = b.Create(ctx, key, value)
		if conflicts(err) {
			err = ErrConflict
		}
	}
	return stored, err
}

// storedAt reads the sequence out of a stream's answer.
func storedAt(answer []byte) (uint64, error) {
	// {"stream":"KV_WX_CLAIM","seq":4711}
	if _, rest, ok := bytes.Cut(answer, []byte(`"seq":`)); ok && !bytes.Contains(answer, []byte(`"error"`)) {
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		if sequence, err := strconv.ParseUint(string(rest[:digits]), 10, 64); err == nil && sequence > 0 {
			return sequence, nil
		}
	}
	var ack struct {
		Error    *jetstream.APIError `json:"error"`
		Sequence uint64              `json:"seq"`
	}
	switch err := json.Unmarshal(answer, &ack); {
	case err != nil:
		return 0, fmt.Errorf("answer of the stream: %w", err)
	case ack.Error == nil && ack.Sequence > 0:
		return ack.Sequence, nil
	case ack.Error == nil:
		return 0, errors.New("answer of the stream: it has no sequence")
	case ack.Error.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence, ack.Error.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return 0, ErrConflict
	}
	return 0, ack.Error
}
