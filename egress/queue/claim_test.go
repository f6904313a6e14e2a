package queue

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

func (w *world) claims() *Claims {
	w.t.Helper()
	if _, err := w.js.CreateOrUpdateKeyValue(w.within(), jetstream.KeyValueConfig{Bucket: "CLAIM", History: 1, Replicas: bustest.Replicas()}); err != nil {
		w.t.Fatal(err)
	}
	claims, err := OpenClaims(w.within(), w.js, "CLAIM", store(w.js))
	if err != nil {
		w.t.Fatal(err)
	}
	return claims
}

// A claim comes back as it was written, whatever its id, and its events
// without escapes that they did not have.
func TestClaimRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := w.claims()
	for _, id := range []string{"a", "", "ä/*.> \n", strings.Repeat("x", 10_000)} {
		claim := Claim{
			State: Waiting, Sequence: 7, Owner: "me", Verb: "v", Hash: "h", Attempts: 3, Spent: 2, Backoff: 1, Doubt: true,
			NotBefore: time.Now().UTC().Truncate(time.Millisecond), Result: json.RawMessage(`{"a":"<&>"}`),
		}
		if none, err := claims.Load(w.within(), id); err != nil || none.State != "" {
			t.Fatalf("%.20q: %+v, %v", id, none, err)
		}
		if err := claims.Save(w.within(), id, &claim); err != nil {
			t.Fatal(err)
		}
		back, err := claims.Load(w.within(), id)
		if err != nil || back.State != Waiting || !back.NotBefore.Equal(claim.NotBefore) || !back.Doubt || back.Spent != 2 || string(back.Result) != `{"a":"<&>"}` {
			t.Errorf("%.20q: %+v, %v", id, back, err)
		}
		back.State = Done
		if err := claims.Save(w.within(), id, &back); err != nil {
			t.Error(err)
		}
		if err := claims.Save(w.within(), id, &claim); !errors.Is(err, ErrConflict) {
			t.Errorf("an old claim was saved over a new one: %v", err)
		}
	}
}

// Of many who claim one id at once one succeeds, at the first claim and at each
// later one.
func TestClaimIsAFence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 10 {
		seen, err := w.claims().Load(w.within(), "id")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		won := make(chan string, 8)
		for i := range 8 {
			claims, mine := w.claims(), seen
			all.Go(func() {
				mine.Owner = strings.Repeat("i", i+1)
				switch err := claims.Save(w.within(), "id", &mine); {
				case err == nil:
					won <- mine.Owner
				case !errors.Is(err, ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if stored, err := w.claims().Load(w.within(), "id"); len(won) != 1 || err != nil || stored.Owner != <-won {
			t.Fatalf("round %d: %d have claimed it", round, len(won)+1)
		}
	}
}

// A bucket that is missing, away, or holds nonsense is an error and no empty claim.
func TestClaimsInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := OpenClaims(w.within(), w.js, "NONE", nil); err == nil || !strings.Contains(err.Error(), "NONE") {
		t.Errorf("%v", err)
	}
	claims := w.claims()
	if _, err := claims.bucket.PutString(w.within(), key("id"), "nonsense"); err != nil {
		t.Fatal(err)
	}
	if claim, err := claims.Load(w.within(), "id"); err == nil {
		t.Errorf("%+v", claim)
	}
	w.nats.Stop()
	ctx, cancel := context.WithTimeout(w.within(), time.Second) // it waits as long as it may
	defer cancel()
	if _, err := claims.Load(ctx, "other"); err == nil {
		t.Error("no error without NATS")
	}
	if err := claims.Save(ctx, "other", &Claim{}); err == nil || errors.Is(err, ErrConflict) {
		t.Errorf("without NATS: %v", err)
	}
}
