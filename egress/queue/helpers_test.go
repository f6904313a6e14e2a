package queue

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

const patience = 60 * time.Second

// world is a stream of commands; every queue has a connection of its own.
type world struct {
	t    *testing.T
	nats *bustest.Server
	js   jetstream.JetStream
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, nats: bustest.Start(t)}
	w.js = w.nats.JetStream()
	if _, err := w.js.CreateStream(w.within(), jetstream.StreamConfig{
		Name: "CMD", Subjects: []string{"cmd.*"}, Retention: jetstream.WorkQueuePolicy,
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

func (w *world) publish(n int) {
	w.t.Helper()
	for i := range n {
		if _, err := w.js.Publish(w.within(), fmt.Sprintf("cmd.%d", i), nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

// worker is a queue of one process.
type worker struct {
	w    *world
	conn *nats.Conn
	stop context.CancelFunc
	done chan struct{}
	got  chan string // subjects, as Work is called
}

func (w *world) run(change func(*Queue), work func(ctx context.Context, m jetstream.Msg) Verdict) *worker {
	w.t.Helper()
	conn := w.nats.Conn()
	js, err := jetstream.New(conn)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &worker{w: w, conn: conn, stop: stop, done: make(chan struct{}), got: make(chan string, 10_000)}
	q := &Queue{
		JetStream: js, Stream: "CMD", Consumer: "egress", Workers: 4, Grace: 10 * time.Second, AckWait: time.Second,
		Logger: slog.New(slog.DiscardHandler),
		Work: func(ctx context.Context, m jetstream.Msg) Verdict {
			p.got <- m.Subject()
			return work(ctx, m)
		},
	}
	if change != nil {
		change(q)
	}
	go func() {
		defer close(p.done)
		q.Run(ctx)
	}()
	w.t.Cleanup(func() {
		stop()
		<-p.done
	})
	return p
}

// next is the next command that this worker got.
func (p *worker) next() string {
	p.w.t.Helper()
	select {
	case subject := <-p.got:
		return subject
	case <-time.After(patience):
		p.w.t.Fatal("no command came")
		return ""
	}
}

func (w *world) emptied() {
	w.t.Helper()
	ctx, look := w.within(), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for {
		s, err := w.js.Stream(ctx, "CMD")
		if err == nil && s.CachedInfo().State.Msgs == 0 {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("the queue is not empty: %v", err)
		}
	}
}

func finish(context.Context, jetstream.Msg) Verdict { return Finish() }
