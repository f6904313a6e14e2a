package egress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Keys of recent media, beside the claims, whose keys have no dot. The bucket of
// claims is the one that egress alone writes and that forgets after a week: who
// can write a media_id here decides what others send.
const (
	recentPrefix  = "media."
	invalidPrefix = "invalid_media."
)

// Recent remembers recent media for all replicas; see wxapi.Recent.
type Recent struct {
	bus   *bus.Bus
	media *Media
}

// NewRecent makes the memory of a bus, about files of its media store.
func NewRecent(b *bus.Bus, media *Media) *Recent { return &Recent{b, media} }

// Find implements [wxapi.Recent].
func (r *Recent) Find(ctx context.Context, key string) (a wxapi.Answered, found bool, err error) {
	kv, err := r.open(ctx)
	if err != nil {
		return a, false, err
	}
	entry, err := kv.Get(ctx, recentPrefix+key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("recent media: %w", err)
	}
	var answer struct {
		Media struct {
			DataRef string `json:"dataref"`
		} `json:"media"`
	}
	if err := json.Unmarshal(entry.Value(), &a); err != nil || json.Unmarshal(a.Answer, &answer) != nil {
		return a, false, nil //nolint:nilerr // whatever that is, it is no answer; the next one replaces it
	}
	if ref := answer.Media.DataRef; ref != "" {
		found, err = r.media.has(ctx, ref)
		return a, found, err
	}
	if a.MediaID == "" {
		return a, false, nil
	}
	switch _, err := kv.Get(ctx, invalidKey(a.MediaID)); {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return a, true, nil
	case err != nil:
		return a, false, fmt.Errorf("recent media: %w", err)
	}
	return a, false, nil
}

// Keep implements [wxapi.Recent]. Of two replicas that upload the same file at
// once the last one's media_id is kept; both are good.
func (r *Recent) Keep(ctx context.Context, key string, a wxapi.Answered) error {
	value, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return r.put(ctx, recentPrefix+key, value)
}

// Forget implements [wxapi.Recent]. It leaves a note about the media_id and
// touches nothing that was kept, so that it needs no fence: an id that is
// invalid stays so.
func (r *Recent) Forget(ctx context.Context, mediaID string) error {
	return r.put(ctx, invalidKey(mediaID), []byte("{}"))
}

// invalidKey names a media_id that may hold any character.
func invalidKey(mediaID string) string {
	sum := sha256.Sum256([]byte(mediaID))
	return invalidPrefix + hex.EncodeToString(sum[:])
}

func (r *Recent) put(ctx context.Context, key string, value []byte) error {
	kv, err := r.open(ctx)
	if err != nil {
		return err
	}
	if _, err := kv.Put(ctx, key, value); err != nil {
		return fmt.Errorf("recent media: %w", err)
	}
	return nil
}

func (r *Recent) open(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := r.bus.JetStream().KeyValue(ctx, r.bus.Prefix.Resource(bus.BucketClaim))
	if err != nil {
		return nil, fmt.Errorf("recent media: %w", err)
	}
	return kv, nil
}
