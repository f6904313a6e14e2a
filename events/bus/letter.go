package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

const (
	// maxLetter is the largest dead letter that carries its original itself, which
	// in JSON can be twice its size. A claim holds a letter beside a result.
	maxLetter = 640 << 10
	// usualPayload is NATS's own limit for a message.
	usualPayload = 1 << 20
)

// PublishLetter publishes a dead letter, see FitLetter and Publish.
func (b *Bus) PublishLetter(ctx context.Context, name string, e cloudevents.Event, id string) (Ack, error) {
	e, err := b.FitLetter(ctx, e)
	if err != nil {
		return Ack{}, err
	}
	return b.PublishEvent(ctx, b.Prefix.Subject(events.DLQ, name), e, id, "")
}

// FitLetter makes a dead letter such that a message can carry it. What is too
// large moves into an object store that keeps it as long as the stream keeps the
// letter, headers and all, and the letter names it. The name follows from both, so
// doing so again finds it there.
func (b *Bus) FitLetter(ctx context.Context, e cloudevents.Event) (cloudevents.Event, error) {
	if len(e.Data()) <= b.Room(maxLetter) {
		return e, nil
	}
	var l events.DeadLetter
	if err := json.Unmarshal(e.Data(), &l); err != nil {
		return e, fmt.Errorf("dead letter %s: %w", e.ID(), err)
	}
	original := l.Original()
	bucket, sum := b.Prefix.Resource(BucketLetter), sha256.Sum256(append([]byte(e.ID()+"\n"), original...))
	store, err := b.js.ObjectStore(ctx, bucket)
	if err != nil {
		return e, fmt.Errorf("object store %s: %w", bucket, err)
	}
	meta := jetstream.ObjectMeta{Name: hex.EncodeToString(sum[:]), Headers: nats.Header(l.Headers)}
	if _, err = store.GetInfo(ctx, meta.Name); errors.Is(err, jetstream.ErrObjectNotFound) {
		_, err = store.Put(ctx, meta, bytes.NewReader(original))
	}
	if err != nil {
		return e, fmt.Errorf("object store %s: %w", bucket, err)
	}
	return events.WithoutOriginal(e, refScheme+bucket+"/"+meta.Name, "")
}

// Room is a limit for a message, or less where NATS was told to take less.
func (b *Bus) Room(limit int) int {
	if payload := int(b.nc.MaxPayload()); payload > 0 && payload < usualPayload {
		return limit * payload / usualPayload
	}
	return limit
}
