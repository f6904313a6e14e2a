package bus

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// generous is a deadline that only a fault reaches.
const generous = 30 * time.Second

func testStreams() StreamConfig {
	return StreamConfig{Mode: "create", Replicas: bustest.Replicas(), Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), generous)
	t.Cleanup(cancel)
	return ctx
}

// connect gives a bus with a running Run, ended and waited for at the end of the test.
func connect(t *testing.T, url string, streams StreamConfig) *Bus {
	t.Helper()
	b, err := Connect("test", Config{URL: url}, "wx", streams, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	runs(t, func(ctx context.Context) {
		if err := b.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return b
}

// runs calls f beside the test, ends its context with the test, and fails if f
// does not return then.
func runs(t *testing.T, f func(context.Context)) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	t.Cleanup(func() {
		stop()
		select {
		case <-done:
		case <-time.After(generous):
			t.Error("it does not end with its context")
		}
	})
}

// settled gives a bus whose streams are in order.
func settled(t *testing.T, s *bustest.Server) *Bus {
	t.Helper()
	b := connect(t, s.URL(), testStreams())
	waitSettled(t, b)
	return b
}

func waitSettled(t *testing.T, b *Bus) {
	t.Helper()
	if _, _, err := b.Settled(within(t)); err != nil {
		t.Fatal(err, b.Reasons())
	}
}

// eventually waits at the bus's own signal of change until the condition holds.
func eventually(t *testing.T, b *Bus, what string, holds func() bool) {
	t.Helper()
	ctx := within(t)
	for {
		_, _, changed := b.link()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond): // some conditions give no signal
		case <-ctx.Done():
			t.Fatalf("never %s: %q", what, b.Reasons())
		}
	}
}

// recorder is a feed's handler that keeps what it gets.
type recorder struct {
	mu   sync.Mutex
	got  []events.Message
	more chan struct{}
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1)} }

func (r *recorder) handle(_ events.Branch, _ string, m events.Message) {
	r.mu.Lock()
	r.got = append(r.got, m)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *recorder) all() []events.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// until waits for n messages.
func (r *recorder) until(t *testing.T, n int) []events.Message {
	t.Helper()
	ctx := within(t)
	for {
		if got := r.all(); len(got) >= n {
			return got
		}
		select {
		case <-r.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d messages came", len(r.all()), n)
		}
	}
}

func publish(t *testing.T, b *Bus, subject, body, id string) Ack {
	t.Helper()
	ack, err := b.Publish(within(t), subject, nil, []byte(body), id, "")
	if err != nil {
		t.Fatal(err)
	}
	return ack
}

func prefixOf(name string) events.Prefix { return events.Prefix(name) }
