package wxapi

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// A token is renewed in the last five minutes of its life: earlier, WeChat
// gives the same one again, and after the renewal the old one works for five
// minutes more.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
const (
	renewBefore = 300 * time.Second
	renewJitter = 30 * time.Second // so that replicas don't all come at once
	renewAgain  = 10 * time.Second // after a failed renewal, or one that changed nothing
	onTheWay    = 5 * time.Second  // a token that ends so soon may have ended when WeChat sees it

	// How long the answer to a call for a token is everybody's answer when it
	// was none: until somebody has changed something, or just not all at once.
	refusedFor = 5 * time.Second
	failedFor  = 250 * time.Millisecond
)

// tokens holds the token in use and sees to it that, however many calls want
// another one, one fetch is under way.
type tokens struct {
	store TokenStore
	fetch func(context.Context) (Token, error)
	now   func() time.Time
	log   *slog.Logger
	limit time.Duration // for one flight, the store included

	mu      sync.Mutex
	current Token
	renewAt time.Time
	flight  *flight

	// WeChat refused this token and then, asked for another, gave the same one.
	// Asking again at once would only burn the day's quota.
	unchanged      string
	unchangedUntil time.Time

	// There was none to be had, and asking again at once would change nothing.
	failure      error
	failureUntil time.Time
}

// flight is one way to a token, which any number of calls wait for.
type flight struct {
	failing string // the token that WeChat refused, "" for a first or renewed one
	done    chan struct{}
	token   Token
	err     error
}

func newTokens(c Config, fetch func(context.Context) (Token, error)) *tokens {
	return &tokens{store: c.Tokens, fetch: fetch, now: c.Now, log: c.Logger, limit: 2 * c.Timeout}
}

// get returns the token to use now. When that is about to end, another is on
// its way behind it, and nobody waits.
func (t *tokens) get(ctx context.Context) (Token, error) {
	t.mu.Lock()
	now := t.now()
	current := t.current
	alive := current.Value != "" && now.Add(onTheWay).Before(current.Expires)
	refused := t.flight != nil && t.flight.failing == current.Value
	if alive && !refused && now.Before(t.renewAt) {
		t.mu.Unlock()
		return current, nil
	}
	if err := t.failed(now); err != nil && !alive {
		t.mu.Unlock()
		return Token{}, err
	}
	f := t.start(ctx, "")
	t.mu.Unlock()
	if alive && !refused {
		return current, nil
	}
	return f.wait(ctx)
}

// failed is why there was no token a moment ago, nil when one may ask. t.mu is
// held. A flight under way knows better.
func (t *tokens) failed(now time.Time) error {
	if t.flight == nil && now.Before(t.failureUntil) {
		return t.failure
	}
	return nil
}

// replace returns a token to use instead of one that WeChat refused. If the
// token in use is already another, that is it.
func (t *tokens) replace(ctx context.Context, failing Token) (Token, error) {
	for {
		t.mu.Lock()
		current, now := t.current, t.now()
		if current.Value != failing.Value && now.Before(current.Expires) ||
			t.unchanged == failing.Value && now.Before(t.unchangedUntil) {
			t.mu.Unlock()
			return current, nil
		}
		if err := t.failed(now); err != nil {
			t.mu.Unlock()
			return Token{}, err
		}
		f := t.start(ctx, failing.Value)
		t.mu.Unlock()
		token, err := f.wait(ctx)
		// A flight that was under way before may not know of the refusal and
		// bring the same token back; then one that knows must follow.
		if err != nil || token.Value != failing.Value || f.failing == failing.Value {
			return token, err
		}
	}
}

// start joins the flight under way, or sends one off. It belongs to no single
// caller: one that gives up must not spoil it for the others. t.mu is held.
func (t *tokens) start(ctx context.Context, failing string) *flight {
	if t.flight != nil {
		return t.flight
	}
	f := &flight{failing: failing, done: make(chan struct{})}
	t.flight = f
	go func() {
		ctx, cancel := withTimeout(context.WithoutCancel(ctx), t.limit)
		defer cancel()
		f.token, f.err = t.obtain(ctx, failing)
		t.land(f)
	}()
	return f
}

// land takes over what a flight has brought.
func (t *tokens) land(f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	switch {
	case f.err != nil:
		t.renewAt = now.Add(renewAgain) // matters while the present token lives
		t.failure, t.failureUntil = f.err, now.Add(failedFor)
		if refused, ok := errors.AsType[*Error](f.err); ok && refused.Class != ClassBackoff {
			t.failureUntil = now.Add(refusedFor)
		}
		t.log.Warn("no new access token", "error", f.err)
	default:
		t.failure, t.failureUntil = nil, time.Time{}
		t.current, t.renewAt = f.token, renewal(f.token, now)
		if f.failing == f.token.Value {
			t.unchanged, t.unchangedUntil = f.failing, now.Add(renewAgain)
		}
	}
	t.flight = nil
	close(f.done)
}

func (f *flight) wait(ctx context.Context) (Token, error) {
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return Token{}, &TransportError{Verb: tokenRow.Name, Err: context.Cause(ctx)}
	}
}

// obtain takes the stored token if it is another than the failing one and has
// some life in it, else fetches one and stores it, one replica at a time.
func (t *tokens) obtain(ctx context.Context, failing string) (Token, error) {
	usable := func(token Token) bool {
		return token.Value != "" && token.Value != failing && token.Expires.Sub(t.now()) > renewBefore
	}
	before, err := t.store.Load(ctx)
	if err != nil {
		t.log.Warn("the access token can't be loaded; fetching one", "error", err)
		return t.fetchAndSave(ctx, before, usable)
	}
	if usable(before) {
		return before, nil
	}
	lock, ok := t.store.(TokenLock)
	if !ok {
		return t.fetchAndSave(ctx, before, usable)
	}
	unlock, err := lock.Lock(ctx)
	if err != nil {
		t.log.Warn("which replica asks for the access token can't be settled; fetching one", "error", err)
		return t.fetchAndSave(ctx, before, usable)
	}
	defer unlock()
	stored, err := t.store.Load(ctx)
	switch {
	case err != nil:
		stored = before
	case usable(stored):
		return stored, nil
	case stored.Value != "" && stored.Value == before.Value && !stored.Expires.Equal(before.Expires):
		// Another replica has asked while we waited, and WeChat gave the same one.
		return stored, nil
	}
	return t.fetchAndSave(ctx, stored, usable)
}

// fetchAndSave asks WeChat and stores what it gives, if old is what is stored.
func (t *tokens) fetchAndSave(ctx context.Context, old Token, usable func(Token) bool) (Token, error) {
	fresh, err := t.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	t.log.Info("access token fetched", "token", fresh)
	kept, err := t.store.Save(ctx, old, fresh)
	if err != nil {
		t.log.Warn("the access token can't be stored; using it all the same", "error", err)
	} else if kept.Value != fresh.Value && usable(kept) {
		return kept, nil // another replica was faster
	}
	return fresh, nil
}

// renewal is when to begin asking for the next token. One that has hardly five
// minutes left although it is new is used until near its end.
func renewal(token Token, now time.Time) time.Time {
	left := token.Expires.Sub(now)
	if left <= renewBefore+renewJitter {
		return token.Expires.Add(-left / 10)
	}
	return token.Expires.Add(-renewBefore + rand.N(renewJitter))
}
