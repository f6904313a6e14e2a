package wxapi

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Token is an access token. It prints without its value; whoever stores it
// must take the field.
type Token struct {
	Value   string
	Expires time.Time
}

// String says how long the token lasts and not what it is.
func (t Token) String() string {
	if t.Value == "" {
		return "no token"
	}
	return "token until " + t.Expires.UTC().Format(time.RFC3339)
}

// Format prints String, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue keeps the value out of logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// TokenStore keeps the one token that all replicas use. Both methods are
// called by one goroutine of a client at a time. A store that fails does not
// stop the client, which then fetches a token for itself: stable_token gives
// all who ask the same one.
type TokenStore interface {
	// Load returns the stored token, the zero Token when there is none.
	Load(ctx context.Context) (Token, error)
	// Save replaces old by fresh, but only if old (its Value) is still what is
	// stored; it returns what is stored afterwards, which is another replica's
	// token when that was faster.
	Save(ctx context.Context, old, fresh Token) (stored Token, err error)
}

// TokenLock is what a TokenStore of several replicas may have besides: one of
// them at a time asks WeChat for a token, and the others find it in the store.
// Without a lock each asks for itself, which does no harm but costs calls.
type TokenLock interface {
	// Lock waits until this client may ask, at most until ctx ends; an error
	// stops nobody from asking. unlock lets the next one.
	Lock(ctx context.Context) (unlock func(), err error)
}

// memoryStore is a TokenStore for a client that is alone.
type memoryStore struct {
	mu    sync.Mutex
	token Token
}

func (s *memoryStore) Load(context.Context) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, nil
}

func (s *memoryStore) Save(_ context.Context, old, fresh Token) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.Value == old.Value {
		s.token = fresh
	}
	return s.token, nil
}
