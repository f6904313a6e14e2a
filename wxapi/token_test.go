package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

func TestTokenStorm(t *testing.T) {
	const callers = 500
	var p *platform
	arrived, release := make(chan struct{}, 2*callers), make(chan struct{})
	p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Query().Get("access_token"), "83_") {
			arrived <- struct{}{} // all are refused together
			<-release
			fmt.Fprint(w, `{"errcode":40001,"errmsg":"invalid credential"}`)
			return
		}
		ok(w, r)
	})
	client := p.client(t, func(c *wxapi.Config) {
		c.Timeout, c.Transport = time.Minute, &http.Transport{MaxIdleConnsPerHost: callers}
	})
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			result, err := client.CallJSON(t.Context(), wxapi.SendCustomMessage.Row, hello())
			if err != nil || result.Requests != 2 {
				t.Errorf("%d requests, %v", result.Requests, err)
			}
		})
	}
	for range callers {
		<-arrived
	}
	p.turn("83_the_new_token_the_new_token_the")
	close(release)
	done.Wait()
	if calls, tokens := p.seen(); tokens != 2 || len(calls) != 2*callers {
		t.Errorf("%d token fetches, %d calls; want 2 and %d", tokens, len(calls), 2*callers)
	}
}

func TestRefusedTokenIsTriedOnceMoreOnly(t *testing.T) {
	for _, code := range []int{40001, 40014, 42001} {
		p := newPlatform(t, says(200, fmt.Sprintf(`{"errcode":%d,"errmsg":"no"}`, code)))
		client := p.client(t)
		for range 3 {
			result, err := send(t, client)
			refused, isRefusal := errors.AsType[*wxapi.Error](err)
			if !isRefusal || refused.Class != wxapi.ClassToken || result.Requests != 2 {
				t.Fatalf("%d requests, %v", result.Requests, err)
			}
		}
		// The first fetch, one after the first refusal; then WeChat has said
		// that it knows no other token, and is left in peace.
		if _, tokens := p.seen(); tokens != 2 {
			t.Errorf("errcode %d: %d token fetches, want 2", code, tokens)
		}
	}
}

func TestErrorsOfTheTokenEndpoint(t *testing.T) {
	tests := []struct {
		answer string
		class  wxapi.Class // "" when it is no refusal
		text   string
	}{
		{`{"errcode":40001,"errmsg":"invalid credential"}`, wxapi.ClassConfig, "40001"},
		{`{"errcode":40013,"errmsg":"invalid appid rid: 61725984-6126f6f9-040f19c4"}`, wxapi.ClassConfig, "61725984-6126f6f9-040f19c4"},
		{`{"errcode":40125,"errmsg":"invalid appsecret"}`, wxapi.ClassConfig, "40125"},
		{
			`{"errcode":40164,"errmsg":"invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 61725984-6126f6f9-040f19c4"}`,
			wxapi.ClassConfig, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist",
		},
		{`{"errcode":-1,"errmsg":"system error"}`, wxapi.ClassBackoff, "-1"},
		{`{"errcode":45009,"errmsg":"quota"}`, wxapi.ClassQuota, "45009"},
		{`{"access_token":"","expires_in":7200}`, "", "proves nothing"},
		{`{"errcode":0}`, "", "without an access_token"},
		{`<html>502</html>`, "", "no JSON"},
		{` `, "", "empty"},
	}
	for _, test := range tests {
		p := newPlatform(t, ok)
		p.refusal = test.answer
		result, err := send(t, p.client(t))
		if err == nil || !strings.Contains(err.Error(), test.text) || result.Requests != 0 {
			t.Errorf("%s: %d requests, %v", test.answer, result.Requests, err)
		}
		if refused, isRefusal := errors.AsType[*wxapi.Error](err); isRefusal {
			if refused.Class != test.class || refused.Verb != "get_access_token" {
				t.Errorf("%s: class %s, verb %s", test.answer, refused.Class, refused.Verb)
			}
			continue
		}
		// Whatever happened to the token's request, the call was not begun.
		lost, isLost := errors.AsType[*wxapi.TransportError](err)
		if _, doubtful := errors.AsType[*wxapi.AnswerError](err); !isLost || lost.Written || doubtful || test.class != "" {
			t.Errorf("%s: %#v", test.answer, err)
		}
	}
}

func TestTokenLifetimes(t *testing.T) {
	tests := []struct {
		expiresIn   string
		lives, over time.Duration // still used at lives, fetched anew at over
	}{
		{"7200", 6899 * time.Second, 6931 * time.Second},
		{`"7200"`, 6899 * time.Second, 6931 * time.Second},
		{"1000000000", 6899 * time.Second, 6931 * time.Second},
		{"200", 179 * time.Second, 181 * time.Second},
		{"0", 53 * time.Second, 55 * time.Second},
		{"-5", 53 * time.Second, 55 * time.Second},
		{"null", 53 * time.Second, 55 * time.Second},
		{"[]", 53 * time.Second, 55 * time.Second},
	}
	for _, test := range tests {
		clock := newClock()
		p := newPlatform(t, ok)
		p.life = test.expiresIn
		client := p.client(t, func(c *wxapi.Config) { c.Now = clock.now })
		at := func(d time.Duration) (tokens int) {
			clock.set(d)
			if _, err := send(t, client); err != nil {
				t.Fatal(err)
			}
			_, tokens = p.seen()
			return tokens
		}
		if got := at(0); got != 1 {
			t.Errorf("%s: %d fetches at first", test.expiresIn, got)
		}
		if got := at(test.lives); got != 1 {
			t.Errorf("%s: %d fetches after %s", test.expiresIn, got, test.lives)
		}
		// Past its end nobody can use it, so the call waits for the next.
		if got := at(2 * time.Hour); got != 2 {
			t.Errorf("%s: %d fetches after its end", test.expiresIn, got)
		}
	}
}

func TestRenewalWaitsForNobody(t *testing.T) {
	clock, store := newClock(), &slowStore{saved: make(chan struct{}, 1)}
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) { c.Now, c.Tokens = clock.now, store })
	if _, err := send(t, client); err != nil {
		t.Fatal(err)
	}
	<-store.saved
	clock.set(6950 * time.Second) // its last five minutes
	store.hold = make(chan struct{})
	p.turn("83_the_new_token_the_new_token_the")
	if _, err := send(t, client); err != nil { // with the old token, while the store hangs
		t.Fatal(err)
	}
	calls, _ := p.seen()
	if last := calls[len(calls)-1].Token; !strings.HasPrefix(last, "82_") {
		t.Errorf("called with %q, want the old token", last)
	}
	close(store.hold)
	<-store.saved
	if stored, _ := store.Load(t.Context()); !strings.HasPrefix(stored.Value, "83_") {
		t.Error("the new token was not stored")
	}
}

func TestReplicasShareOneToken(t *testing.T) {
	store := &slowStore{}
	p := newPlatform(t, ok)
	first := p.client(t, func(c *wxapi.Config) { c.Tokens = store })
	second := p.client(t, func(c *wxapi.Config) { c.Tokens = store })
	for _, client := range []*wxapi.Client{first, second} {
		if _, err := send(t, client); err != nil {
			t.Fatal(err)
		}
	}
	if _, tokens := p.seen(); tokens != 1 {
		t.Errorf("%d fetches for two replicas", tokens)
	}
	// WeChat turns the token; the first replica fetches, the second compares.
	p.answer = func(w http.ResponseWriter, r *http.Request) {
		if !p.good(r) {
			fmt.Fprint(w, `{"errcode":42001,"errmsg":"access_token expired"}`)
			return
		}
		ok(w, r)
	}
	p.turn("83_the_new_token_the_new_token_the")
	for _, client := range []*wxapi.Client{first, second} {
		if result, err := send(t, client); err != nil || result.Requests != 2 {
			t.Fatalf("%d requests, %v", result.Requests, err)
		}
	}
	if _, tokens := p.seen(); tokens != 2 {
		t.Errorf("%d fetches, want 2", tokens)
	}
}

func TestBrokenStoreStopsNothing(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) { c.Tokens = &slowStore{err: errors.New("nats: timeout")} })
	if _, err := send(t, client); err != nil {
		t.Error(err)
	}
}

func TestWaitingForTheTokenEndsWithTheContext(t *testing.T) {
	store := &slowStore{hold: make(chan struct{})}
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) { c.Tokens = store })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.CallJSON(ctx, wxapi.SendCustomMessage.Row, hello())
	lost, isLost := errors.AsType[*wxapi.TransportError](err)
	if !isLost || lost.Written || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(store.hold) // the flight goes on for others
	if _, err := send(t, client); err != nil {
		t.Error(err)
	}
}

// slowStore is a TokenStore that tests can hold up and break.
type slowStore struct {
	mu    sync.Mutex
	token wxapi.Token
	hold  chan struct{}
	saved chan struct{}
	err   error
}

func (s *slowStore) Load(context.Context) (wxapi.Token, error) {
	if s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token, s.err
}

func (s *slowStore) Save(_ context.Context, old, fresh wxapi.Token) (wxapi.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.token.Value == old.Value {
		s.token = fresh
	}
	if s.saved != nil {
		s.saved <- struct{}{}
	}
	return s.token, s.err
}

// clock is a time that stands still until it is set.
type clock struct {
	mu    sync.Mutex
	start time.Time
	at    time.Duration
}

func newClock() *clock { return &clock{start: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(c.at)
}

func (c *clock) set(at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}
