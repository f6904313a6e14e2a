package queue

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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
		Name: "CMD", Subjects: []string{"cmd.*.*.*"}, Retention: jetstream.WorkQueuePolicy, Replicas: bustest.Replicas(),
	}); err != nil {
		t.Fatal(err)
	}
	w.bucket()
	return w
}

func (w *world) bucket() jetstream.KeyValue {
	w.t.Helper()
	kv, err := w.js.CreateOrUpdateKeyValue(w.within(), jetstream.KeyValueConfig{Bucket: "STATE", History: 1, Replicas: bustest.Replicas()})
	if err != nil {
		w.t.Fatal(err)
	}
	return kv
}

func (w *world) within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

// publish stores n commands, each of a lane of its own.
func (w *world) publish(n int) {
	w.t.Helper()
	for i := range n {
		w.command(fmt.Sprintf("%d.l%d.api", i, i))
	}
}

// command stores one: name.lane.api.
func (w *world) command(subject string) uint64 {
	w.t.Helper()
	ack, err := w.js.Publish(w.within(), "cmd."+subject, []byte(subject))
	if err != nil {
		w.t.Fatal(err)
	}
	return ack.Sequence
}

// worker is a queue of one process.
type worker struct {
	*Queue
	w    *world
	conn *nats.Conn
	stop context.CancelFunc
	done chan struct{}
	got  chan string // names of commands, as Work is called
}

// handler is what a worker does with a command.
type handler func(ctx context.Context, name string, turn Turn) Verdict

var processes atomic.Int32

func (w *world) run(change func(*Queue), work handler) *worker {
	w.t.Helper()
	conn := w.nats.Conn()
	js, err := jetstream.New(conn)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &worker{w: w, conn: conn, stop: stop, done: make(chan struct{}), got: make(chan string, 10_000)}
	p.Queue = &Queue{
		JetStream: js, Post: post(conn), Stream: "CMD", State: "STATE", Consumer: "egress",
		Process: fmt.Sprintf("p%d", processes.Add(1)), Probe: func(process string) string { return "owner." + process },
		Settled: settled(conn), Workers: 8, Grace: 10 * time.Second, Logger: slog.New(slog.DiscardHandler),
		Read: func(m Message) Task {
			name, rest, _ := strings.Cut(strings.TrimPrefix(m.Subject, "cmd."), ".")
			lane, api, _ := strings.Cut(rest, ".")
			if string(m.Body) != name+"."+rest {
				w.t.Errorf("%s: body %q", m.Subject, m.Body)
			}
			return Task{Lane: lane, Gate: api, Expires: m.Time.Add(time.Hour), Work: func(ctx context.Context, turn Turn) Verdict {
				p.got <- name
				return work(ctx, name, turn)
			}}
		},
	}
	if change != nil {
		change(p.Queue)
	}
	go func() {
		defer close(p.done)
		p.Run(ctx)
	}()
	w.t.Cleanup(func() {
		stop()
		<-p.done
	})
	return p
}

// post publishes each message by itself.
func post(conn *nats.Conn) Post {
	return func(m *nats.Msg, failed func(error)) {
		if err := conn.PublishMsg(m); err != nil {
			failed(err)
		}
	}
}

// store stores each message by itself.
func store(js jetstream.JetStream) Store {
	return func(ctx context.Context, m *nats.Msg) (uint64, error) {
		ack, err := js.PublishMsg(ctx, m)
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	}
}

// settled is what a bus says of a connection, whose streams are always there.
func settled(conn *nats.Conn) func(ctx context.Context) (uint64, <-chan struct{}, error) {
	var epoch atomic.Uint64
	return func(ctx context.Context) (uint64, <-chan struct{}, error) {
		status := conn.StatusChanged()
		changed := make(chan struct{})
		go func() {
			defer conn.RemoveStatusListener(status)
			defer close(changed)
			select {
			case <-status:
			case <-ctx.Done():
			}
		}()
		for !conn.IsConnected() {
			if conn.IsClosed() {
				<-ctx.Done()
			}
			if ctx.Err() != nil {
				return 0, nil, ctx.Err()
			}
			pause(ctx, 10*time.Millisecond)
		}
		return epoch.Add(1), changed, nil
	}
}

// next is the next command that this worker got.
func (p *worker) next() string {
	p.w.t.Helper()
	select {
	case name := <-p.got:
		return name
	case <-time.After(patience):
		p.w.t.Fatal("no command came")
		return ""
	}
}

// owns waits until this process owns the queue.
func (p *worker) owns() *worker {
	p.w.t.Helper()
	p.w.eventually("the process owns the queue", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.board != nil
	})
	return p
}

// vanish ends a process as kill -9 does.
func (p *worker) vanish() {
	p.conn.Close()
	p.stop()
}

func (w *world) stored() uint64 {
	w.t.Helper()
	s, err := w.js.Stream(w.within(), "CMD")
	if err != nil {
		w.t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func (w *world) emptied() {
	w.t.Helper()
	w.eventually("the queue is empty", func() bool { return w.stored() == 0 })
}

// eventually is for what nobody announces.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	ctx, look := w.within(), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("never: %s", what)
		}
	}
}

// consumers lists the stream's.
func (w *world) consumers() (names []string) {
	w.t.Helper()
	s, err := w.js.Stream(w.within(), "CMD")
	if err != nil {
		w.t.Fatal(err)
	}
	for name := range s.ConsumerNames(w.within()).Name() {
		names = append(names, name)
	}
	return names
}

func finish(context.Context, string, Turn) Verdict { return Finish() }

// logged is what a queue logs.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) says(words string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), words)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
