package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// replica gives a client as a process of its own has it: over a connection of
// its own, with the token in the bucket.
func (w *world) replica(changes ...func(*wxapi.Config)) *wxapi.Client {
	w.t.Helper()
	tokens := NewTokens(w.connect())
	tokens.patience, tokens.within = patience, patience // however slow the machine is
	config := wxapi.Config{
		AppID: testApp, AppSecret: testSecret, APIURL: w.url, MPURL: w.url,
		Tokens: tokens, Timeout: patience,
	}
	for _, change := range changes {
		change(&config)
	}
	client, err := wxapi.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// Row 38: the token expires under 500 calls in flight, of three processes: all
// are refused, one of all asks for another token, and each call is repeated once.
func TestRow38TokenStormOverThreeProcesses(t *testing.T) {
	t.Parallel()
	const calls, processes = 501, 3
	w := newWorld(t)
	var mu sync.Mutex
	flying, full := 0, make(chan struct{})
	storm := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/groups/get") {
			mu.Lock()
			flying++
			if flying == calls {
				w.sim.ExpireTokens() // with every call on its way
				close(full)
			}
			mu.Unlock()
			<-full
		}
		w.sim.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(storm.Close)
	w.url = storm.URL
	var clients []*wxapi.Client
	for range processes {
		clients = append(clients, w.replica(func(c *wxapi.Config) {
			c.Transport = &http.Transport{MaxIdleConnsPerHost: calls}
		}))
	}
	if _, err := clients[0].CallJSON(w.within(), lookup(t, "get_user_info"), []byte(userInfo(w.follower("alice")))); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			r, err := clients[i%processes].CallJSON(w.within(), lookup(t, "get_groups"), []byte(`{}`))
			if err != nil || r.Requests != 2 {
				t.Errorf("%d requests, %v", r.Requests, err)
			}
		})
	}
	all.Wait()
	if tokens, groups := w.calls(events.CallGetAccessToken), w.calls("get_groups"); tokens != 2 || groups != 2*calls {
		t.Errorf("%d tokens were fetched for %d calls", tokens, groups)
	}
}

// Row 38: WeChat refuses the token and knows no other. Each process learns it
// once in a while, and no call is repeated more than once.
func TestRow38RefusedForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 40001, Times: -1})
	clients := []*wxapi.Client{w.replica(), w.replica(), w.replica()}
	began := time.Now()
	var all sync.WaitGroup
	for i := range 150 {
		all.Go(func() {
			if r, err := clients[i%3].CallJSON(w.within(), lookup(t, "get_groups"), []byte(`{}`)); err == nil || r.Requests != 2 {
				t.Errorf("%d requests, %v", r.Requests, err)
			}
		})
	}
	all.Wait()
	// One at first; then each process asks once in ten seconds at most.
	if most, n := 1+len(clients)*(1+int(time.Since(began)/(10*time.Second))), w.calls(events.CallGetAccessToken); n > most {
		t.Errorf("%d tokens were fetched, at most %d are needed", n, most)
	}
}

// Row 39: the token is renewed early, by one of three processes, and the former
// one works meanwhile: no call in three lives of a token is refused.
func TestRow39RenewedWithoutARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	var passed time.Duration
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(passed)
	}
	var clients []*wxapi.Client
	for range 3 {
		clients = append(clients, w.replica(func(c *wxapi.Config) { c.Now = clock }))
	}
	const step = 20 * time.Second
	for range 3 * 2 * time.Hour / step {
		for _, c := range clients {
			if _, err := c.CallJSON(w.within(), lookup(t, "get_groups"), []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		mu.Lock()
		passed += step
		mu.Unlock()
		w.sim.Advance(step)
	}
	for _, c := range w.sim.Calls() {
		if c.ErrCode != 0 {
			t.Fatalf("%s was answered %d", c.Verb, c.ErrCode)
		}
	}
	// A life is 7,200 s less the five minutes of overlap.
	if n := w.calls(events.CallGetAccessToken); n < 3 || n > 4 {
		t.Errorf("%d tokens were fetched for three lives", n)
	}
}

// Row 40: another bridge has the same account, and another system takes tokens
// with /cgi-bin/token: nobody's token is ended, so nobody fetches another.
func TestRow40TokensOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ours, theirs := w.replica(), w.replica(func(c *wxapi.Config) { c.Tokens = nil })
	for range 30 {
		for _, c := range []*wxapi.Client{ours, theirs} {
			if r, err := c.CallJSON(w.within(), lookup(t, "get_groups"), []byte(`{}`)); err != nil || r.Requests != 1 {
				t.Fatalf("%d requests, %v", r.Requests, err)
			}
		}
		answer, err := http.Get(w.url + "/cgi-bin/token?grant_type=client_credential&appid=" + testApp + "&secret=" + testSecret)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	if n := w.calls(events.CallGetAccessToken); n != 2 {
		t.Errorf("%d tokens were fetched by two bridges", n)
	}
}

// Row 41: whatever WeChat says of the token, a new one is never forced.
func TestRow41NeverForced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	client := w.replica()
	for _, code := range []int{40001, 40014, 42001} {
		w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: code, Times: 3})
		for range 3 {
			_, _ = client.CallJSON(w.within(), lookup(t, "get_groups"), []byte(`{}`))
		}
		w.sim.ExpireTokens()
	}
	fetched := 0
	for _, c := range w.sim.Calls() {
		if c.Verb != events.CallGetAccessToken {
			continue
		}
		fetched++
		var asked struct {
			Force *bool `json:"force_refresh"`
		}
		if err := json.Unmarshal(c.Body, &asked); err != nil || asked.Force == nil || *asked.Force {
			t.Errorf("%s %v", c.Body, err)
		}
	}
	if fetched < 2 {
		t.Errorf("%d tokens were fetched", fetched)
	}
}

// Row 42: no token is to be had. However many calls want one, WeChat is asked
// now and then; and its reason is everybody's answer, and stands in the readiness
// until a call goes through.
func TestRow42NoStormForARefusedToken(t *testing.T) {
	t.Parallel()
	for code, class := range map[int]wxapi.Class{40164: "config", 40125: "config", 40013: "config", 45009: "quota"} {
		w := newWorld(t)
		w.fault(wxsim.Fault{Verb: events.CallGetAccessToken, ErrCode: code, Times: -1})
		p, standBy := w.start().ready(), w.start().ready()
		began := time.Now()
		for range 100 {
			if r, _ := w.ask("get_groups", `{}`); r.Outcome != events.ResultFailed || r.ErrCode != code || r.Class != string(class) || r.Attempts != 0 {
				t.Fatalf("%+v", r)
			}
		}
		// Both processes ask, each once in five seconds.
		if most, n := 2*(1+int(time.Since(began)/(5*time.Second))), w.calls(events.CallGetAccessToken); n > most {
			t.Errorf("%d: WeChat was asked %d times for a token, at most %d are sensible", code, n, most)
		}
		told := func(p *process) bool {
			return strings.Contains(strings.Join(p.Reasons(), "\n"), fmt.Sprintf("get_access_token with %d", code))
		}
		w.eventually("operators are told", func() bool { return told(p) && told(standBy) })
		w.sim.ClearFaults()
		w.eventually("it goes on when the operator has helped", func() bool {
			r, _ := w.ask("get_groups", `{}`)
			return r.Outcome == events.ResultDone
		})
		w.eventually("operators are told", func() bool { return !told(p) && !told(standBy) })
	}
}

// The lease has one holder; one who died with it is passed over, and takes
// nothing away when it comes back.
func TestTokenLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two, three := NewTokens(w.connect()), NewTokens(w.connect()), NewTokens(w.connect())
	var inside sync.Mutex
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			unlock, err := []*Tokens{one, two, three}[i%3].Lock(w.within())
			if err != nil {
				t.Error(err)
				return
			}
			if !inside.TryLock() {
				t.Error("two have the lease")
				return
			}
			inside.Unlock()
			unlock()
		})
	}
	all.Wait()
	two.patience = 500 * time.Millisecond
	late, err := one.Lock(w.within())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	unlock, err := two.Lock(w.within()) // one hangs, or thinks for long
	if err != nil || time.Since(began) < two.patience {
		t.Fatalf("%v after %s", err, time.Since(began))
	}
	late()
	over, cancel := context.WithTimeout(w.ctx, 2*tokenProbe)
	defer cancel()
	if _, err := three.Lock(over); err == nil {
		t.Error("two have the lease")
	}
	unlock()
	dead := NewTokens(w.connect())
	if _, err = dead.Lock(w.within()); err != nil {
		t.Fatal(err)
	}
	dead.bus.Close()
	three.patience = time.Hour
	if unlock, err = three.Lock(w.within()); err != nil {
		t.Fatal(err)
	}
	unlock()
}
