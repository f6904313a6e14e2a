package egress

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
)

const (
	// tokenLeaseKey is there while a replica asks WeChat for a token.
	tokenLeaseKey = "asking"
	// tokenLease is how long a replica that lives is left to ask, on the waiting
	// one's own clock. The lease saves calls and guards nothing: stable_token gives
	// all who ask the same token.
	tokenLease = 10 * time.Second
	// tokenLook is how often one that waits looks, tokenProbe how soon it asks
	// whether the other is still there.
	tokenLook  = 25 * time.Millisecond
	tokenProbe = 10 * tokenLook
)

// Lock implements [wxapi.TokenLock]: of all replicas one at a time asks WeChat.
// One that was killed meanwhile has no subscription any more, and is passed over.
func (t *Tokens) Lock(ctx context.Context) (unlock func(), err error) {
	alive, err := t.bus.Conn().Subscribe(t.probe(t.process), func(m *nats.Msg) { _ = m.Respond(nil) })
	if err != nil {
		return nil, fmt.Errorf("token lease: %w", err)
	}
	mine, err := t.wait(ctx)
	if err != nil {
		_ = alive.Unsubscribe() // of a connection that is gone nothing is left
		return nil, err
	}
	return func() {
		t.unlock(context.WithoutCancel(ctx), mine)
		_ = alive.Unsubscribe()
	}, nil
}

// probe is where a replica that has the lease answers.
func (t *Tokens) probe(process string) string { return string(t.bus.Prefix) + ".owner." + process }

// wait waits for the lease and returns its revision.
func (t *Tokens) wait(ctx context.Context) (mine uint64, err error) {
	var seen uint64 // the revision of the lease of another
	var since time.Time
	for {
		mine, theirs, err := t.lease(ctx, seen, since)
		switch {
		case err != nil:
			return 0, err
		case mine != 0:
			return mine, nil
		case theirs != seen:
			seen, since = theirs, time.Now()
		}
		timer := time.NewTimer(tokenLook)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, fmt.Errorf("token lease: %w", context.Cause(ctx))
		}
	}
}

// lease takes the lease if nobody has it, or who has it is gone or was seen with
// it for too long. Its revision is mine, or theirs.
func (t *Tokens) lease(ctx context.Context, seen uint64, since time.Time) (mine, theirs uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, t.within)
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
	case entry.Revision() == seen && (time.Since(since) >= t.patience || time.Since(since) >= tokenProbe && t.gone(ctx, string(entry.Value()))):
		mine, err = kv.Update(ctx, tokenLeaseKey, []byte(t.process), seen)
	default:
		return 0, entry.Revision(), nil
	}
	if bus.Conflict(err) {
		return 0, seen, nil // another was faster
	}
	if err != nil {
		return 0, 0, fmt.Errorf("token lease: %w", err)
	}
	return mine, 0, nil
}

// gone says whether a replica is certainly not connected. Silence says nothing.
func (t *Tokens) gone(ctx context.Context, process string) bool {
	ctx, cancel := context.WithTimeout(ctx, tokenProbe)
	defer cancel()
	_, err := t.bus.Conn().RequestWithContext(ctx, t.probe(process), nil)
	return errors.Is(err, nats.ErrNoResponders)
}

// unlock gives the lease up, unless somebody has passed us over. If it fails the
// others find out that we do not answer.
func (t *Tokens) unlock(ctx context.Context, mine uint64) {
	ctx, cancel := context.WithTimeout(ctx, t.within)
	defer cancel()
	if kv, err := t.bucket(ctx); err == nil {
		_ = kv.Delete(ctx, tokenLeaseKey, jetstream.LastRevision(mine))
	}
}
