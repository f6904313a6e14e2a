package egress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tokenLeaseKey is there while a replica asks WeChat for a token.
	tokenLeaseKey = "asking"
	// tokenLease is how long a replica is left to ask, on the waiting one's own
	// clock; WeChat answers much sooner. Who asks longer, or was killed, is passed
	// over. The lease saves calls and guards nothing: stable_token gives all who
	// ask the same token.
	tokenLease = 3 * time.Second
	// tokenLook is how often one that waits looks.
	tokenLook = 25 * time.Millisecond
)

// Lock implements [wxapi.TokenLock]: of all replicas one at a time asks WeChat.
func (t *Tokens) Lock(ctx context.Context) (unlock func(), err error) {
	var seen uint64 // the revision of the lease of another
	var since time.Time
	for {
		mine, theirs, err := t.lease(ctx, seen, since)
		switch {
		case err != nil:
			return nil, err
		case mine != 0:
			return func() { t.unlock(context.WithoutCancel(ctx), mine) }, nil
		case theirs != seen:
			seen, since = theirs, time.Now()
		}
		timer := time.NewTimer(tokenLook)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("token lease: %w", context.Cause(ctx))
		}
	}
}

// lease takes the lease if nobody has it, or the one who has it was seen with it
// for too long. Its revision is mine, or theirs.
func (t *Tokens) lease(ctx context.Context, seen uint64, since time.Time) (mine, theirs uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, tokenStoreWithin)
	defer cancel()
	kv, err := t.bucket(ctx)
	if err != nil {
		return 0, 0, err
	}
	entry, err := kv.Get(ctx, tokenLeaseKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		mine, err = kv.Create(ctx, tokenLeaseKey, []byte(t.process))
	case err != nil:
	case entry.Revision() == seen && time.Since(since) >= tokenLease:
		mine, err = kv.Update(ctx, tokenLeaseKey, []byte(t.process), seen)
	default:
		return 0, entry.Revision(), nil
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, seen, nil // another was faster
	}
	if err != nil {
		return 0, 0, fmt.Errorf("token lease: %w", err)
	}
	return mine, 0, nil
}

// unlock gives the lease up, unless somebody has passed us over. If it fails the
// others wait for tokenLease, and no longer.
func (t *Tokens) unlock(ctx context.Context, mine uint64) {
	ctx, cancel := context.WithTimeout(ctx, tokenStoreWithin)
	defer cancel()
	if kv, err := t.bucket(ctx); err == nil {
		_ = kv.Delete(ctx, tokenLeaseKey, jetstream.LastRevision(mine))
	}
}
