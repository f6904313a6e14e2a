package egress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Tokens keeps the access token where every replica finds it: in the bucket
// that only egress may read.
type Tokens struct {
	bus     *bus.Bus
	process string // names this store in the lease
	// Tests change these: tokenLease and tokenStoreWithin.
	patience, within time.Duration
}

// NewTokens makes the token store of a bus.
func NewTokens(b *bus.Bus) *Tokens {
	return &Tokens{bus: b, process: nuid.Next(), patience: tokenLease, within: tokenStoreWithin}
}

const (
	// tokenKey is the bucket's key; the account is in the bucket's name.
	tokenKey = "access_token"
	// tokenStoreWithin bounds one look into the bucket or change of it: a command
	// can do without the bucket, but not without the time.
	tokenStoreWithin = 5 * time.Second
)

// storedToken is how the token rests in the bucket.
type storedToken struct {
	Value   string    `json:"value"`
	Expires time.Time `json:"expires"`
}

// Load implements [wxapi.TokenStore].
func (t *Tokens) Load(ctx context.Context) (wxapi.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, t.within)
	defer cancel()
	token, _, _, err := t.load(ctx)
	return token, err
}

// Save implements [wxapi.TokenStore]: it stores fresh if old is still what is
// there, and returns what is there then.
func (t *Tokens) Save(ctx context.Context, old, fresh wxapi.Token) (wxapi.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, t.within)
	defer cancel()
	stored, revision, kv, err := t.load(ctx)
	if err != nil {
		return wxapi.Token{}, err
	}
	if stored.Value != old.Value {
		return stored, nil // another replica was first
	}
	value, err := json.Marshal(storedToken{fresh.Value, fresh.Expires})
	if err != nil {
		return wxapi.Token{}, err
	}
	if revision == 0 {
		_, err = kv.Create(ctx, tokenKey, value)
	} else {
		_, err = kv.Update(ctx, tokenKey, value, revision)
	}
	if bus.Conflict(err) {
		return t.Load(ctx)
	}
	if err != nil {
		return wxapi.Token{}, fmt.Errorf("token store: %w", err)
	}
	return fresh, nil
}

func (t *Tokens) load(ctx context.Context) (wxapi.Token, uint64, jetstream.KeyValue, error) {
	kv, err := t.bucket(ctx)
	if err != nil {
		return wxapi.Token{}, 0, nil, err
	}
	// What a replica says that lags behind would have WeChat asked once more.
	value, revision, err := bus.Newest(ctx, t.bus.JetStream(), kv.Bucket(), tokenKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return wxapi.Token{}, 0, kv, nil
	}
	if err != nil {
		return wxapi.Token{}, 0, nil, fmt.Errorf("token store: %w", err)
	}
	var stored storedToken
	if err := json.Unmarshal(value, &stored); err != nil {
		// Whatever that is, it is no token; the next one replaces it.
		return wxapi.Token{}, revision, kv, nil //nolint:nilerr // see above
	}
	return wxapi.Token{Value: stored.Value, Expires: stored.Expires}, revision, kv, nil
}

func (t *Tokens) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	kv, err := t.bus.JetStream().KeyValue(ctx, t.bus.Prefix.Resource(bus.BucketSecret))
	if err != nil {
		return nil, fmt.Errorf("token store: %w", err)
	}
	return kv, nil
}
