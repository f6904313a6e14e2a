package egress

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

const (
	testApp    = "wx0123456789abcdef"
	testSecret = "5e3c8e7a5e3c8e7a5e3c8e7a5e3c8e7a"
	// patience is how long a test waits for what must come; nothing that works takes as long.
	patience = 60 * time.Second
)

// world is a bus with its streams and a pretend WeChat, and any number of
// processes between them.
type world struct {
	t       *testing.T
	ctx     context.Context
	nats    *bustest.Server
	sim     *wxsim.Platform
	url     string // of the pretend WeChat
	js      jetstream.JetStream
	conn    *nats.Conn
	results *shelf
	letters *shelf
	adjust  func(*wxapi.Config)
	prefix  events.Prefix // of the processes that start from now on
	streams bus.StreamConfig
	gate    chan struct{} // FaultSlow answers when it is closed
}

// inform answers every push of the simulator, which has no one else to push to.
type inform struct{}

func (inform) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("success")), Request: r}, nil
}

func newWorld(t *testing.T, changes ...func(*wxsim.Config)) *world {
	t.Helper()
	return newWorldOn(t, bustest.Start(t), streams, changes...)
}

func newWorldOn(t *testing.T, server *bustest.Server, streams bus.StreamConfig, changes ...func(*wxsim.Config)) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, nats: server, gate: make(chan struct{}), prefix: "wx", streams: streams}
	var err error
	config := wxsim.Config{
		AppID: testApp, AppSecret: testSecret, Token: "sometoken",
		Callback: "http://callback.test/wx", Transport: inform{},
		MessageWindow: wxsim.Window{Count: 1 << 30, For: 48 * time.Hour},
		Wait: func(ctx context.Context, _ time.Duration) error {
			select {
			case <-w.gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	for _, change := range changes {
		change(&config)
	}
	if w.sim, err = wxsim.New(config); err != nil {
		t.Fatal(err)
	}
	platform := httptest.NewServer(w.sim.Handler())
	t.Cleanup(func() {
		w.sim.Close()
		platform.CloseClientConnections()
		platform.Close()
	})
	w.url, w.conn = platform.URL, w.nats.Conn()
	if w.js, err = jetstream.New(w.conn); err != nil {
		t.Fatal(err)
	}
	if err := bus.Ensure(w.within(), w.js, "wx", streams); err != nil {
		t.Fatal(err)
	}
	w.results, w.letters = w.read("WX_RESULT"), w.read("WX_DLQ")
	return w
}

var streams = bus.StreamConfig{Mode: "create", Replicas: bustest.Replicas(), Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}

func (w *world) within() context.Context {
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	w.t.Cleanup(cancel)
	return ctx
}

// process is one running egress with a connection of its own.
type process struct {
	*Egress
	w      *world
	bus    *bus.Bus
	cancel context.CancelFunc
	ended  chan struct{}
	seen   *watch
}

// start runs an egress until stop, kill or the end of the test.
func (w *world) start(changes ...func(*Egress)) *process {
	w.t.Helper()
	logger := slog.New(slog.NewJSONHandler(logbook, nil))
	p := &process{w: w, ended: make(chan struct{}), seen: &watch{news: make(chan struct{})}}
	var err error
	if p.bus, err = bus.Connect("egress-test", bus.Config{URL: w.nats.URL(), InboxPrefix: "_INBOX"}, w.prefix, w.streams, logger); err != nil {
		w.t.Fatal(err)
	}
	media := NewMedia(p.bus)
	config := wxapi.Config{
		AppID: testApp, AppSecret: testSecret, APIURL: w.url, MPURL: w.url,
		Tokens: NewTokens(p.bus), Media: media, Recent: NewRecent(p.bus, media), Logger: logger,
	}
	if w.adjust != nil {
		w.adjust(&config)
	}
	client, err := wxapi.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	p.Egress = New(Config{MaxCommand: 512 << 10}, testApp, p.bus, client, media, nil, p.seen, logger)
	p.decide, p.heirWaits = quickly, 100*time.Millisecond
	for _, change := range changes {
		change(p.Egress)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	p.cancel = cancel
	go func() { _ = p.bus.Run(ctx) }()
	go func() {
		defer close(p.ended)
		if err := p.Run(ctx); err != nil {
			w.t.Errorf("Run: %v", err)
		}
	}()
	w.t.Cleanup(p.stop)
	return p
}

// quickly decides as ever, and has no patience.
func quickly(a attempt) decision {
	d := decide(a)
	d.wait = min(d.wait, 20*time.Millisecond)
	return d
}

// ready waits until the process says so.
func (p *process) ready() *process {
	p.w.t.Helper()
	p.w.eventually("ready", func() bool { return len(p.Reasons()) == 0 })
	return p
}

// stop ends a process as SIGTERM does.
func (p *process) stop() {
	p.cancel()
	<-p.ended
	p.bus.Close()
}

// kill ends a process in the middle of whatever it does: it cannot reach the
// bus any more, and what it was sending is cut off.
func (p *process) kill() {
	p.bus.Close()
	p.stop()
}

// watch is an Observer for whom a test can wait.
type watch struct {
	mu       sync.Mutex
	taken    []Taken
	finished []Finished
	news     chan struct{}
	onTaken  func(Taken)
}

func (o *watch) Taken(t Taken) {
	if o.onTaken != nil {
		o.onTaken(t)
	}
	o.note(func() { o.taken = append(o.taken, t) })
}

func (o *watch) Finished(f Finished) { o.note(func() { o.finished = append(o.finished, f) }) }

func (o *watch) Settled(Settled) {}

func (o *watch) note(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	close(o.news)
	o.news = make(chan struct{})
}

// takenUp waits until n attempts have begun.
func (p *process) takenUp(n int) {
	p.w.t.Helper()
	ctx := p.w.within()
	for {
		p.seen.mu.Lock()
		have, news := len(p.seen.taken), p.seen.news
		p.seen.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			p.w.t.Fatalf("%d attempts have begun, not %d", have, n)
		}
	}
}

func lookup(t *testing.T, verb string) *wxapi.Row {
	t.Helper()
	row, ok := wxapi.Lookup(verb)
	if !ok {
		t.Fatalf("there is no %s", verb)
	}
	return row
}

// claims opens the bucket of claims.
func (w *world) claims() *queue.Claims {
	w.t.Helper()
	claims, err := queue.OpenClaims(w.within(), w.js, "WX_CLAIM", func(ctx context.Context, m *nats.Msg) (uint64, error) {
		ack, err := w.js.PublishMsg(ctx, m)
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return claims
}

// arrived waits until WeChat has got n calls of an API.
func (w *world) arrived(verb string, n int) {
	w.t.Helper()
	w.eventually("WeChat is called", func() bool { return w.calls(verb) >= n })
}

func (w *world) fault(f wxsim.Fault) {
	w.t.Helper()
	if err := w.sim.Fault(f); err != nil {
		w.t.Fatal(err)
	}
}
