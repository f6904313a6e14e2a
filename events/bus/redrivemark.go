package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// RedriveMark remembers, as long as its letter is kept, that a dead letter was
// sent again. It is written before the new command is stored and once more
// after: without a sequence the command may be stored or not.
type RedriveMark struct {
	// ID is the new command's.
	ID string `json:"id"`
	// Letter is the event id of the letter.
	Letter string `json:"letter"`
	// Time is when somebody began to send it again.
	Time time.Time `json:"time"`
	// Sequence is the command's in WX_CMD, 0 as long as nobody knows it.
	Sequence uint64 `json:"sequence,omitempty"`

	revision uint64
}

// Stored says whether the new command certainly was stored.
func (m RedriveMark) Stored() bool { return m.Sequence > 0 }

// IsNew says whether nobody has sent the letter again.
func (m RedriveMark) IsNew() bool { return m.revision == 0 }

// RedriveMarks keeps the marks of a prefix in a key-value bucket.
type RedriveMarks struct {
	prefix events.Prefix
	kv     jetstream.KeyValue
}

// OpenRedriveMarks opens the bucket, which must be there.
func OpenRedriveMarks(ctx context.Context, js jetstream.JetStream, p events.Prefix) (*RedriveMarks, error) {
	kv, err := js.KeyValue(ctx, p.Resource(BucketRedrive))
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", p.Resource(BucketRedrive), err)
	}
	return &RedriveMarks{p, kv}, nil
}

// markKey is the bucket's key for a command id, which may hold any character.
func markKey(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Load is the mark of a letter, a new one if there is none.
func (r *RedriveMarks) Load(ctx context.Context, l events.Letter) (RedriveMark, error) {
	m := RedriveMark{ID: l.RedriveID(r.prefix), Letter: l.ID, Time: time.Now().UTC()}
	entry, err := r.kv.Get(ctx, markKey(m.ID))
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return m, nil
	case err != nil:
		return m, fmt.Errorf("mark of a letter: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &m); err != nil {
		return m, fmt.Errorf("mark of a letter: %w", err)
	}
	m.revision = entry.Revision()
	return m, nil
}

// Save writes a mark, if nobody else did meanwhile.
func (r *RedriveMarks) Save(ctx context.Context, m *RedriveMark) error {
	value, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var revision uint64
	if m.IsNew() {
		revision, err = r.kv.Create(ctx, markKey(m.ID), value)
	} else {
		revision, err = r.kv.Update(ctx, markKey(m.ID), value, m.revision)
	}
	if err != nil {
		return fmt.Errorf("mark of a letter: %w", err)
	}
	m.revision = revision
	return nil
}
