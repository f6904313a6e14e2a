package egress

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// connect gives a bus without an egress.
func (w *world) connect() *bus.Bus {
	w.t.Helper()
	b, err := bus.Connect("egress-test", bus.Config{URL: w.nats.URL(), InboxPrefix: "_INBOX"}, "wx", streams, slog.New(slog.NewJSONHandler(logbook, nil)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(b.Close)
	return b
}

// The token runs out under fifty commands: one new one is fetched.
func TestTokenStorm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	w.bare("get_groups", "first", `{}`)
	w.ends("first", events.ResultDone)
	w.sim.ExpireTokens()
	for i := range 50 {
		w.event("send_custom_message", fmt.Sprint(i), text(alice, fmt.Sprint(i)), nil)
	}
	for i := range 50 {
		w.ends(fmt.Sprint(i), events.ResultDone)
	}
	if n := w.calls("get_access_token"); n != 2 {
		t.Errorf("%d tokens were fetched", n)
	}
}

// Two replicas use one token: the second finds the first one's, after a storm too.
func TestTokenIsShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.ask("get_groups", `{}`)
	stored, err := NewTokens(w.connect()).Load(w.within())
	if err != nil || stored.Value == "" || time.Until(stored.Expires) < time.Hour {
		t.Fatalf("%v, %v", stored, err)
	}
	w.start().ready()
	for range 20 {
		w.ask("get_groups", `{}`)
	}
	if n := w.calls("get_access_token"); n != 1 {
		t.Errorf("%d tokens were fetched", n)
	}
}

// Of two that save at once one wins, and both go on with its token.
func TestTokenCompareAndSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := NewTokens(w.connect()), NewTokens(w.connect())
	ctx := w.within()
	none, err := one.Load(ctx)
	if err != nil || none.Value != "" {
		t.Fatalf("%v, %v", none, err)
	}
	old := wxapi.Token{}
	for round := range 5 {
		var kept [2]wxapi.Token
		var both sync.WaitGroup
		for i, tokens := range []*Tokens{one, two} {
			both.Go(func() {
				var err error
				fresh := wxapi.Token{Value: fmt.Sprintf("token %d of %d", round, i), Expires: time.Now().Add(time.Hour).Round(0)}
				if kept[i], err = tokens.Save(ctx, old, fresh); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		stored, err := one.Load(ctx)
		if err != nil || kept[0].Value != kept[1].Value || stored.Value != kept[0].Value || !stored.Expires.Equal(kept[0].Expires) {
			t.Fatalf("round %d: %q and %q were kept, %q is stored, %v", round, kept[0].Value, kept[1].Value, stored.Value, err)
		}
		if late, err := two.Save(ctx, wxapi.Token{Value: "long gone"}, wxapi.Token{Value: "too late"}); err != nil || late.Value != stored.Value {
			t.Fatalf("a late save: %q, %v", late.Value, err)
		}
		old = stored
	}
}

// What is no token in the bucket is replaced by one, and a bucket that does not
// answer is said to be the trouble.
func TestTokenStoreInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kv, err := w.js.KeyValue(w.within(), "WX_SECRET")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(w.within(), tokenKey, "no JSON"); err != nil {
		t.Fatal(err)
	}
	tokens := NewTokens(w.connect())
	if token, err := tokens.Load(w.within()); err != nil || token.Value != "" {
		t.Errorf("%v, %v", token, err)
	}
	fresh := wxapi.Token{Value: "good", Expires: time.Now().Add(time.Hour)}
	if token, err := tokens.Save(w.within(), wxapi.Token{}, fresh); err != nil || token.Value != "good" {
		t.Errorf("%v, %v", token, err)
	}
	if err := kv.Delete(w.within(), tokenKey); err != nil {
		t.Fatal(err)
	}
	if token, err := tokens.Save(w.within(), wxapi.Token{}, fresh); err != nil || token.Value != "good" {
		t.Errorf("after a delete: %v, %v", token, err)
	}
	over, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := tokens.Load(over); err == nil {
		t.Error("no error")
	}
	if _, err := tokens.Save(over, wxapi.Token{}, fresh); err == nil {
		t.Error("no error")
	}
}
