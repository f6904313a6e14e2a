package ingress

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

const (
	testAppID  = "wx0123456789abcdef"
	testSecret = "appsecretappsecretappsecret00000"
	testToken  = "tokentokentoken"
	testAESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	toUser     = "gh_0123456789ab"
	// private is in every OpenID and every text of these tests; no log may hold it.
	private = "priv4te"
	alice   = "o_" + private + "_alice"
	bob     = "o_" + private + "_bob"
)

const (
	short = 300 * time.Millisecond  // a hold that runs out
	long  = 4500 * time.Millisecond // a hold that is answered first
	// soon bounds every wait for what must happen; it is long because the machine may be slow.
	soon = 30 * time.Second
)

// next takes what comes first.
func next[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(soon):
		t.Fatalf("waited %s in vain for a %T", soon, v)
	}
	return v
}

// eventually waits for what nothing tells of.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(soon)
	for !happened() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %s in vain: %s", soon, what)
		}
	}
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a NATS server, an account, and whoever uses the bus.
type world struct {
	t       testing.TB
	nats    *bustest.Server
	prefix  events.Prefix
	mode    callback.Mode
	account *callback.Account
	log     *logbook
	conn    *nats.Conn // of a service
	js      jetstream.JetStream
}

func newWorld(t testing.TB, mode callback.Mode) *world {
	t.Helper()
	cfg := callback.Config{AppID: testAppID, Token: testToken}
	if mode != callback.ModePlain {
		cfg.AESKey = testAESKey
	}
	account, err := callback.New(cfg)
	noError(t, err)
	w := &world{t: t, nats: bustest.Start(t), prefix: "wx", mode: mode, account: account, log: newLogbook()}
	w.conn = w.nats.Conn()
	w.js, err = jetstream.New(w.conn)
	noError(t, err)
	t.Cleanup(func() {
		for _, secret := range []string{testToken, testAESKey, testSecret, private, "signature=", "nonce="} {
			if line := w.log.holding(secret); line != "" {
				t.Errorf("a log holds %q: %s", secret, line)
			}
		}
	})
	return w
}

// replica is one ingress process.
type replica struct {
	*Ingress
	*watcher
	w      *world
	server *http.Server
	url    string
	stop   func()
}

// setup is what a test may change about a replica.
type setup struct {
	Config
	tune func(*http.Server)
	wrap func(Bus) Bus
	log  *slog.Logger
}

// defaults is the configuration that an operator gets who sets nothing.
func defaults() Config {
	return Config{Path: "/wx", Hold: long, HoldTries: 1, BareReply: true, MaxHolds: 20_000, MaxHeldBytes: 256 << 20}
}

func (w *world) replica(change ...func(*setup)) *replica {
	w.t.Helper()
	s := &setup{Config: defaults(), tune: func(*http.Server) {}, wrap: func(b Bus) Bus { return b }, log: slog.New(w.log)}
	for _, c := range change {
		c(s)
	}
	logger := s.log
	b, err := bus.Connect("test", bus.Config{URL: w.nats.URL(), InboxPrefix: "_INBOX"}, w.prefix, bus.StreamConfig{
		Mode: "create", Replicas: bustest.Replicas(), Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute,
	}, logger)
	noError(w.t, err)
	r := &replica{watcher: newWatcher(), w: w}
	r.Ingress = New(s.Config, w.account, s.wrap(b), r.watcher, logger)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = b.Run(ctx) })
	running.Go(func() { r.Run(ctx) })
	r.ready()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	noError(w.t, err)
	r.url = "http://" + listener.Addr().String() + "/wx"
	r.server = r.Server()
	s.tune(r.server)
	running.Go(func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			w.t.Errorf("the callback listener ended: %v", err)
		}
	})
	r.stop = sync.OnceFunc(func() {
		last, done := context.WithTimeout(context.Background(), soon)
		defer done()
		if err := r.server.Shutdown(last); err != nil {
			w.t.Errorf("the callback listener does not end: %v", err)
		}
		cancel()
		running.Wait()
		b.Close()
		if n := r.waiting(); n != 0 {
			w.t.Errorf("%d events still have a room", n)
		}
	})
	w.t.Cleanup(r.stop)
	return r
}

// hold sets how long a replica holds.
func hold(d time.Duration) func(*setup) { return func(s *setup) { s.Hold = d } }

func (r *replica) ready() {
	r.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := r.WaitReady(ctx); err != nil {
		r.w.t.Fatalf("not ready: %v, %v", err, r.Reasons())
	}
}

func (r *replica) waiting() int {
	r.rooms.mu.Lock()
	defer r.rooms.mu.Unlock()
	return len(r.rooms.open)
}

// phone is a WeChat that pushes to a replica.
func (w *world) phone(r *replica, change ...func(*wxsim.Config)) *wxsim.Platform {
	w.t.Helper()
	cfg := wxsim.Config{
		AppID: testAppID, AppSecret: testSecret, Token: testToken, Mode: w.mode, Callback: r.url, OriginalID: toUser,
		// A slow machine must not look like a slow bridge.
		Timeout: soon, RetryEvery: -1,
	}
	if w.mode != callback.ModePlain {
		cfg.AESKey = testAESKey
	}
	for _, c := range change {
		c(&cfg)
	}
	p, err := wxsim.New(cfg)
	noError(w.t, err)
	w.t.Cleanup(func() { _ = p.Close() })
	return p
}

// pushed lets somebody do something, and tells what became of it.
func (w *world) pushed(p *wxsim.Platform, openID, data string) <-chan wxsim.Delivery {
	ended := make(chan wxsim.Delivery, 1)
	go func() {
		d, err := p.Push(context.Background(), openID, []byte(data))
		if err != nil {
			w.t.Errorf("push: %v", err)
		}
		ended <- d
	}()
	return ended
}

// textOf is the text of a passive reply, "" for none.
func textOf(w *world, d wxsim.Delivery) string {
	w.t.Helper()
	if d.Reply == nil || string(d.Reply) == "null" {
		return ""
	}
	return field(w.t, d.Reply, "Content")
}
