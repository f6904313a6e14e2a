package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// inboundJSON is an event as the ingress publishes it.
func inboundJSON(id, kind, openID, content string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"//mp.weixin.qq.com/wx01","type":"com.qq.weixin.mp.inbound.%s","subject":%q,`+
		`"time":"2026-11-24T08:00:00Z","wxreplyto":"wx.reply.%s","data":{"FromUserName":%q,"MsgType":%q,"Content":%q}}`,
		id, kind, openID, id, openID, kind, content)
}

// station is a bridge's bus with the app that is tested.
type station struct {
	nats   *bustest.Server
	bridge *Bus
	app    App
	log    *logs
}

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{nats: bustest.Start(t), log: &logs{}}
	s.bridge = settled(t, s.nats)
	s.app = App{JetStream: s.nats.JetStream(), Source: "/orders", Logger: slog.New(slog.NewTextHandler(s.log, nil))}
	return s
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve runs a service until the test ends, or stop is called, which waits.
func (s *station) serve(t *testing.T, service Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.app.Serve(ctx, service); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	js := s.bridge.JetStream()
	// Once it is asked for events, and not before: a consumer of replicas that is
	// seen may still be about to find out which event is the first that is its own.
	s.soon(t, "the service's consumer works", func() bool {
		consumer, err := js.Consumer(t.Context(), "WX_INBOUND", service.Name)
		return err == nil && (consumer.CachedInfo().NumWaiting > 0 || consumer.CachedInfo().Delivered.Consumer > 0)
	})
	return func() { cancel(); <-done }
}

func (s *station) soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	eventually(t, s.bridge, what, holds)
}

func (s *station) says(t *testing.T, id, kind, content string) {
	t.Helper()
	publish(t, s.bridge, "wx.inbound."+kind, inboundJSON(id, kind, "oAlice", content), "wx01."+id)
}

// replies waits until so many replies to an event are stored.
func (s *station) replies(t *testing.T, id string, n int) []events.Reply {
	t.Helper()
	var replies []events.Reply
	s.soon(t, fmt.Sprintf("%d replies to %s", n, id), func() bool {
		log, err := s.bridge.Log(t.Context(), id)
		if err != nil || len(log) < n {
			return false
		}
		replies = nil
		for _, m := range log {
			reply, err := events.ParseReply(m.Header, m.Body)
			if err != nil {
				t.Fatalf("%v: %s", err, m.Body)
			}
			replies = append(replies, reply)
		}
		return true
	})
	return replies
}

// left is how many events the service still has to answer.
func (s *station) left(t *testing.T, name string) int {
	t.Helper()
	consumer, err := s.bridge.JetStream().Consumer(t.Context(), "WX_INBOUND", name)
	if err != nil {
		return -1
	}
	return int(consumer.CachedInfo().NumPending) + consumer.CachedInfo().NumAckPending
}

func TestServe(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.says(t, "before", "text", "too early")
	stop := s.serve(t, Service{Name: "orders", Kinds: []string{"text", "event_click"}, Answer: func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
		if in.ID == "quiet" {
			return events.Reply{}, nil
		}
		return events.TextReply("hello " + in.OpenID), nil
	}})
	s.says(t, "quiet", "text", "not for me")
	s.says(t, "pic", "image", "not my kind")
	s.says(t, "one", "text", "hi")
	got := s.replies(t, "one", 1)[0]
	if got.Text == nil || got.Text.Content != "hello oAlice" || got.Source != "/orders" || got.ID != "one.text" {
		t.Errorf("reply %+v", got)
	}
	s.soon(t, "all is acknowledged", func() bool { return s.left(t, "orders") == 0 })
	stop()
	for _, id := range []string{"before", "quiet", "pic"} {
		if log, err := s.bridge.Log(within(t), id); err != nil || len(log) != 0 {
			t.Errorf("%s was answered: %v, %v", id, log, err)
		}
	}

	// What comes while it is away it answers later; other kinds may be asked for.
	s.says(t, "two", "text", "hi")
	s.says(t, "sub", "event_subscribe", "")
	s.serve(t, Service{Name: "orders", Kinds: []string{"text", "event_subscribe"}, Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		return events.ReleaseReply(), nil
	}})
	for _, id := range []string{"two", "sub"} {
		if got := s.replies(t, id, 1)[0]; got.MsgType != events.MsgRelease {
			t.Errorf("%s: reply %+v", id, got)
		}
	}
}

// Errors, panics and replies that the bridge would refuse bring the event again,
// a bounded number of times; other events are answered meanwhile.
func TestServeFaults(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	var seen sync.Map // event id → *atomic.Int32
	s.serve(t, Service{Name: "orders", Tries: 3, Answer: func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
		counter, _ := seen.LoadOrStore(in.ID, new(atomic.Int32))
		n := counter.(*atomic.Int32).Add(1)
		switch {
		case in.ID == "error" && n < 3:
			return events.Reply{}, errors.New("back end is away")
		case in.ID == "panic" && n < 2:
			panic("a bug")
		case in.ID == "long" && n < 2:
			return events.TextReply(strings.Repeat("x", events.MaxText+1)), nil
		case in.ID == "never":
			return events.Reply{}, errors.New("no idea")
		}
		return events.TextReply("at last"), nil
	}})
	ids := []string{"error", "panic", "long", "never", "good"}
	for _, id := range ids {
		s.says(t, id, "text", "hi")
	}
	for _, id := range ids {
		if id != "never" {
			if got := s.replies(t, id, 1); got[0].Text.Content != "at last" {
				t.Errorf("%s: %+v", id, got)
			}
		}
	}
	s.soon(t, "the hopeless one is given up", func() bool {
		return s.left(t, "orders") == 0 && strings.Contains(s.log.String(), `level=ERROR msg="event is given up" service=orders sequence=4 delivery=3 event=never error="no idea"`)
	})
	for _, words := range []string{"panic: a bug", "serve_test.go", "2049 bytes, at most 2048"} {
		if !strings.Contains(s.log.String(), words) {
			t.Errorf("the log does not say %q:\n%s", words, s.log)
		}
	}
}

// An event that brings its process down is given up after so many deliveries.
func TestServeDeliveredTooOften(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	js := s.nats.JetStream()
	consumer, err := js.CreateConsumer(within(t), "WX_INBOUND", jetstream.ConsumerConfig{Durable: "orders", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	s.says(t, "poison", "text", "hi")
	for range 2 { // two processes that died of it
		m, err := consumer.Next(jetstream.FetchMaxWait(generous))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Nak(); err != nil {
			t.Fatal(err)
		}
	}
	s.serve(t, Service{Name: "orders", Tries: 2, Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		t.Error("it was tried again")
		return events.Reply{}, nil
	}})
	s.soon(t, "it is given up", func() bool { return s.left(t, "orders") == 0 })
	if !strings.Contains(s.log.String(), "delivered too often") {
		t.Errorf("log: %s", s.log)
	}
}

// An event past the reply window cannot be answered any more.
func TestServePassesOverTheOld(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	if _, err := s.nats.JetStream().CreateConsumer(within(t), "WX_INBOUND", jetstream.ConsumerConfig{Durable: "orders", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	s.says(t, "old", "text", "hi")
	s.serve(t, Service{Name: "orders", Window: time.Nanosecond, Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		t.Error("it was answered")
		return events.Reply{}, nil
	}})
	s.soon(t, "it is passed over", func() bool { return s.left(t, "orders") == 0 })
}

// At the end answers under way are finished, and what was not begun is left to
// another process.
func TestServeStops(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	began, finish := make(chan string, 10), make(chan struct{})
	answer := func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
		began <- in.ID
		<-finish
		return events.TextReply("finished"), nil
	}
	stop := s.serve(t, Service{Name: "orders", Workers: 1, Answer: answer})
	s.says(t, "one", "text", "hi")
	s.says(t, "two", "text", "hi")
	first := <-began
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	close(finish)
	<-stopped
	s.replies(t, first, 1)
	s.serve(t, Service{Name: "orders", Answer: answer})
	s.replies(t, "one", 1)
	s.replies(t, "two", 1)
	if n := len(began); n != 1 {
		t.Errorf("answered %d times more than needed", n-1)
	}
}

// An answer that does not finish in time is cut short, and the event goes to
// another process.
func TestServeIsCutShort(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	began := make(chan struct{})
	stop := s.serve(t, Service{Name: "orders", Grace: time.Millisecond, Answer: func(ctx context.Context, _ events.InboundEvent) (events.Reply, error) {
		close(began)
		<-ctx.Done()
		return events.Reply{}, ctx.Err()
	}})
	s.says(t, "one", "text", "hi")
	<-began
	stop()
	s.serve(t, Service{Name: "orders", Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		return events.TextReply("here"), nil
	}})
	s.replies(t, "one", 1)
}

// A NATS that restarts and a consumer that somebody deletes are waited for.
func TestServeOutlivesNATS(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.serve(t, Service{Name: "orders", Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		return events.TextReply("here"), nil
	}})
	s.says(t, "one", "text", "hi")
	s.replies(t, "one", 1)
	s.nats.Stop()
	s.nats.Start()
	waitSettled(t, s.bridge)
	s.says(t, "two", "text", "hi")
	s.replies(t, "two", 1)
	if err := s.bridge.JetStream().DeleteConsumer(within(t), "WX_INBOUND", "orders"); err != nil {
		t.Fatal(err)
	}
	s.says(t, "three", "text", "hi") // before the service has noticed
	s.replies(t, "three", 1)
}

func TestServeCannotBegin(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	answer := func(context.Context, events.InboundEvent) (events.Reply, error) { return events.Reply{}, nil }
	for says, service := range map[string]Service{
		"needs a Name":   {Answer: answer},
		"and an Answer":  {Name: "orders"},
		"must be explic": {Name: "none", Answer: answer},
		"a.b":            {Name: "a.b", Answer: answer},
	} {
		if service.Name == "none" {
			if _, err := s.nats.JetStream().CreateConsumer(within(t), "WX_INBOUND", jetstream.ConsumerConfig{Durable: "none", AckPolicy: jetstream.AckNonePolicy}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.app.Serve(within(t), service); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", service.Name, err)
		}
	}
	s.app.Prefix = "elsewhere"
	if err := s.app.Serve(within(t), Service{Name: "orders", Answer: answer}); !errors.Is(err, jetstream.ErrStreamNotFound) || !strings.Contains(err.Error(), "ELSEWHERE_INBOUND") {
		t.Errorf("%v", err)
	}
}

// The reply that is refused because the key's log is full is no reason to try again.
func TestReplyRefused(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	in, err := events.ParseInbound("wx", events.Message{Subject: "wx.inbound.text", Body: []byte(inboundJSON("one", "text", "oAlice", "hi"))})
	if err != nil {
		t.Fatal(err)
	}
	for range MaxReplies {
		if err := s.app.Reply(within(t), in, events.WaitReply()); err != nil {
			t.Fatal(err)
		}
	}
	var refused *RefusedError
	if err := s.app.Reply(within(t), in, events.TextReply("late")); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	in.ReplyTo = "wx.other.place"
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.app.Reply(ctx, in, events.TextReply("lost")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// A service that imports this package must not carry a whole NATS server.
func TestNoServerIsLinked(t *testing.T) {
	t.Parallel()
	deps, err := exec.CommandContext(within(t), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(deps), "github.com/nats-io/nats.go\n") {
		t.Fatalf("these are not the dependencies: %s", deps)
	}
	if strings.Contains(string(deps), "nats-server") {
		t.Error("events/bus links the NATS server")
	}
}

// executes plays the egress: every command gets the result that f says, once.
func (s *station) executes(t *testing.T, f func(c events.Command, sequence uint64) (id string, r events.Result)) {
	t.Helper()
	seen := map[string]bool{}
	ctx := context.WithoutCancel(t.Context()) // the last ack may come when the test has what it wants
	nc := s.nats.Conn()
	sub, err := nc.Subscribe("wx.cmd.*", func(m *nats.Msg) {
		c, err := events.ParseCommand("wx", events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Time: time.Now()}, "bare")
		if err != nil {
			t.Error(err)
			return
		}
		if seen[c.ID] {
			return // a plain subscriber also sees what the stream refuses as a duplicate
		}
		seen[c.ID] = true
		stream, err := s.bridge.JetStream().Stream(ctx, "WX_CMD")
		if err != nil {
			t.Error(err)
			return
		}
		id, result := f(c, stream.CachedInfo().State.LastSeq)
		e, err := events.NewResult("wx01", c, id, time.Now(), result)
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := s.bridge.PublishEvent(ctx, "wx.result."+c.Verb, e, "wx01."+id, ""); err != nil {
			t.Error(err)
		}
	})
	if err == nil {
		err = nc.Flush() // the server knows it before the first command comes
	}
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	sub.SetClosedHandler(func(string) { close(closed) })
	t.Cleanup(func() {
		if err := sub.Drain(); err != nil {
			t.Error(err)
		}
		<-closed
	})
}
