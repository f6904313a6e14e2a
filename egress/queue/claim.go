package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is where a command stands.
type State string

// The states of a claim.
const (
	// Sending: a request may be on its way to WeChat.
	Sending State = "sending"
	// Waiting: nothing is on its way; not before NotBefore.
	Waiting State = "wait"
	// Done: there is a terminal result.
	Done State = "done"
)

// Claim is what became of one command id.
type Claim struct {
	State State `json:"state"`
	// Sequence is the stream's of the message that the claim belongs to: a
	// second message with the same id finds out that it is not the first.
	Sequence uint64 `json:"sequence"`
	// Owner is the process that wrote it last to send, Epoch its tenure.
	Owner string `json:"owner,omitempty"`
	Epoch uint64 `json:"epoch,omitempty"`
	// Page is the first part of the page where the end of a claim that is being
	// sent may stand.
	Page string `json:"page,omitempty"`
	Verb string `json:"verb"`
	// Hash is of the command's data; the same id with other data is a mistake.
	Hash string `json:"hash"`
	// Attempts counts the requests written, Spent those that used up the budget.
	Attempts int `json:"attempts"`
	Spent    int `json:"spent"`
	// Backoff counts the attempts in a row that used up nothing, for the next
	// wait's length.
	Backoff int `json:"backoff,omitempty"`
	// Doubt says that a request was written of which nobody can know whether it
	// was executed.
	Doubt     bool      `json:"doubt,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	// FirstSent is when the first request may have been written.
	FirstSent time.Time `json:"first_sent,omitzero"`
	// Result and Letter are the events published at the end, kept so that they
	// can be published again as they were.
	Result json.RawMessage `json:"result,omitempty"`
	Letter json.RawMessage `json:"letter,omitempty"`

	stored
}

// stored is where and how a claim is in the bucket.
type stored struct {
	key      string // made once, from the id
	revision uint64
	page     *page // on which it may end; nil if it is not this process that sends
	// open is the first part of a page, perhaps another process's, on which the
	// claim may still end; "" if there is none.
	open string
}

// Takes makes this claim the one to be saved over another, which was saved last.
func (c *Claim) Takes(over Claim) { c.stored = over.stored }

// ErrConflict says that somebody else changed the claim first.
var ErrConflict = errors.New("claim was changed by another process")

// Claims keeps the claims of a prefix in a key-value bucket. A KV revision is a
// fence, which an ack is not: two workers that got one message can both ack it.
type Claims struct {
	bucket *bucket
	pages  *pages
}

// OpenClaims opens the bucket, which must be there.
func OpenClaims(ctx context.Context, js jetstream.JetStream, bucket string, store Store) (*Claims, error) {
	b, err := openBucket(ctx, js, bucket, store)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", bucket, err)
	}
	return &Claims{b, &pages{bucket: b}}, nil
}

// key is the bucket's key for a command id, which may hold any character.
func key(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Load returns the claim of an id, the zero claim if there is none.
func (c *Claims) Load(ctx context.Context, id string) (Claim, error) {
	claim, err := c.load(ctx, id)
	if err != nil {
		return Claim{}, fmt.Errorf("claim: %w", err)
	}
	return claim, nil
}

func (c *Claims) load(ctx context.Context, id string) (claim Claim, err error) {
	name := key(id)
	value, revision, err := c.bucket.read(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Claim{}, nil
	}
	if err != nil {
		return Claim{}, err
	}
	if err := json.Unmarshal(value, &claim); err != nil {
		return Claim{}, err
	}
	claim.stored = stored{key: name, revision: revision}
	if claim.State != Sending || claim.Page == "" {
		return claim, nil
	}
	end, next, err := c.pages.read(ctx, claim.Page, claim.key)
	if err != nil {
		return Claim{}, err
	}
	if end != nil {
		ended := Claim{stored: claim.stored}
		err = json.Unmarshal(end, &ended)
		return ended, err
	}
	claim.open = next
	return claim, nil
}

// Save writes a claim that was loaded, or a new one, if nobody else did
// meanwhile; otherwise the error is ErrConflict.
func (c *Claims) Save(ctx context.Context, id string, claim *Claim) error {
	if claim.key == "" {
		claim.key = key(id)
	}
	switch err := c.save(ctx, claim); {
	case errors.Is(err, ErrConflict):
		return ErrConflict
	case err != nil:
		return fmt.Errorf("claim: %w", err)
	}
	return nil
}

func (c *Claims) save(ctx context.Context, claim *Claim) error {
	if p := claim.page; p != nil {
		claim.page, claim.Page = nil, ""
		defer p.leave()
		if claim.State == Done && p.end(ctx, claim) == nil {
			return nil
		}
	}
	if claim.open != "" {
		if err := c.pages.shut(ctx, claim.open, claim.key); err != nil {
			return err
		}
	}
	claim.open, claim.Page = "", ""
	if claim.State == Sending {
		claim.page, claim.Page = c.pages.join()
	}
	text := claim.appendTo(c.bucket.scratch.take())
	revision, err := c.bucket.write(ctx, claim.key, text, claim.revision)
	if err == nil {
		claim.revision = revision
		c.bucket.scratch.giveBack(text)
		return nil
	}
	if claim.page != nil {
		claim.page.leave()
		claim.page, claim.Page = nil, ""
	}
	return err
}
