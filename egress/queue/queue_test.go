package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What is finished is off the queue, each command once.
func TestFinish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(300)
	p := w.run(nil, finish)
	seen := map[string]int{}
	for range 300 {
		seen[p.next()]++
	}
	w.emptied()
	if len(seen) != 300 || len(p.got) != 0 {
		t.Errorf("%d of 300 commands, %d came again", len(seen), len(p.got))
	}
}

// What shall come again does, not before its time, and lets others pass, but
// none of its own lane.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.command("a.anna.x")
	w.command("b.anna.x")
	w.command("c.bert.x")
	const wait = 300 * time.Millisecond
	var mu sync.Mutex
	began := map[string]time.Time{}
	p := w.run(nil, func(_ context.Context, name string, _ Turn) Verdict {
		mu.Lock()
		defer mu.Unlock()
		first, again := began[name]
		if !again {
			began[name] = time.Now()
			first = began[name]
		}
		if name == "a" && time.Since(first) < wait {
			return Again(wait)
		}
		return Finish()
	})
	var order []string
	for range 4 {
		if name := p.next(); name != "c" {
			order = append(order, name)
		}
	}
	w.emptied()
	if !slices.Equal(order, []string{"a", "a", "b"}) || len(p.got) != 0 {
		t.Errorf("order %v", order)
	}
	if Again(-time.Hour).at.Before(time.Now().Add(-time.Minute)) {
		t.Error("a wait can be negative")
	}
}

// Commands of one lane run in the stream's order over several tenures.
func TestOrderOverTenures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const each = 40
	for i := range each {
		for _, lane := range []string{"anna", "bert", "carl"} {
			w.command(string(rune('A'+i)) + "." + lane + ".x")
		}
	}
	var mu sync.Mutex
	var order []string
	work := func(_ context.Context, name string, turn Turn) Verdict {
		if !turn.Held() {
			return Again(0)
		}
		mu.Lock()
		defer mu.Unlock()
		order = append(order, name)
		return Finish()
	}
	for range 3 {
		some := make(chan struct{}, 30) // leave some to the next tenure
		p := w.run(func(q *Queue) { q.Grace = 0 }, func(ctx context.Context, name string, turn Turn) Verdict {
			select {
			case some <- struct{}{}:
				return work(ctx, name, turn)
			case <-ctx.Done():
				return Again(0)
			}
		})
		for range 20 {
			p.next()
		}
		p.vanish()
		<-p.done
	}
	w.run(nil, work)
	w.emptied()
	for i := range each {
		if n := slices.Index(order, string(rune('A'+i))); n < 0 || i > 0 && n < slices.Index(order, string(rune('A'+i-1))) {
			t.Fatalf("order %v", order)
		}
	}
}

// Of two processes one works. When it vanishes the other takes over at once:
// the server knows that nobody is there.
func TestProcessVanishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.run(func(q *Queue) { q.Grace = 0 }, func(ctx context.Context, _ string, _ Turn) Verdict {
		<-ctx.Done()
		return Again(0)
	}).owns()
	heir := w.run(nil, finish)
	w.publish(3)
	for range 3 {
		first.next()
	}
	if len(heir.got) != 0 {
		t.Error("both work")
	}
	first.vanish()
	for range 3 {
		heir.next()
	}
	w.emptied()
	if names := w.consumers(); len(names) != 1 || names[0] != "egress-2" {
		t.Errorf("consumers %v", names)
	}
}

// The owner hangs: it answers and does not beat. It is not the owner any more
// after the lease, and what it does then goes nowhere.
func TestProcessHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kv := w.bucket()
	if _, err := kv.Put(w.within(), LeaseKey, []byte(`{"process":"hung","epoch":7}`)); err != nil {
		t.Fatal(err)
	}
	alive, err := w.js.Conn().SubscribeSync("owner.hung")
	if err != nil {
		t.Fatal(err)
	}
	w.publish(1)
	old, err := w.js.CreateConsumer(w.within(), "CMD", jetstream.ConsumerConfig{Durable: "egress-7", AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait})
	if err != nil {
		t.Fatal(err)
	}
	got, err := old.Next()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	release := make(chan struct{})
	p := w.run(nil, func(context.Context, string, Turn) Verdict {
		<-release
		return Finish()
	})
	p.next()
	if waited := time.Since(began); waited < lease {
		t.Errorf("it took over after %s although the owner lived", waited)
	}
	if n, _, err := alive.Pending(); err != nil || n == 0 {
		t.Errorf("%d probes, %v", n, err)
	}
	if err := got.DoubleAck(w.within()); err == nil {
		t.Error("an ack of the former owner arrives")
	}
	if n := w.stored(); n != 1 {
		t.Errorf("%d commands are left", n)
	}
	close(release)
	w.emptied()
	if names := w.consumers(); !slices.Equal(names, []string{"egress-8"}) {
		t.Errorf("consumers %v", names)
	}
}

// An owner whose lease was taken stops, although it could go on; and takes part
// again.
func TestLeaseIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.run(nil, finish).owns()
	w.publish(1)
	p.next()
	kv := w.bucket()
	if _, err := kv.Put(w.within(), LeaseKey, []byte(`{"process":"thief","epoch":70}`)); err != nil {
		t.Fatal(err)
	}
	w.eventually("it takes over again", func() bool { return slices.Equal(w.consumers(), []string{"egress-71"}) })
	w.publish(1)
	p.next()
	w.emptied()
}

// The bucket of states was lost: the consumers know how many tenures there were.
func TestLeaseIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.run(nil, finish).owns()
	p.stop()
	<-p.done
	if err := w.js.DeleteKeyValue(w.within(), "STATE"); err != nil {
		t.Fatal(err)
	}
	w.bucket()
	w.run(nil, finish).owns()
	if names := w.consumers(); !slices.Equal(names, []string{"egress-2"}) {
		t.Errorf("consumers %v", names)
	}
}

// The end of Run: work goes on within grace and is acked, nothing new begins,
// and the next process finds the queue given up.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(10)
	release := make(chan struct{})
	p := w.run(nil, func(ctx context.Context, _ string, _ Turn) Verdict {
		<-release
		if ctx.Err() != nil {
			return Again(0)
		}
		return Finish()
	})
	for range 4 {
		p.next()
	}
	p.stop()
	next := w.run(nil, finish)
	close(release)
	<-p.done
	if len(p.got) != 0 {
		t.Error("a command was begun after the stop")
	}
	for range 6 {
		next.next()
	}
	w.emptied()
	if len(next.got) != 0 {
		t.Error("a command came twice")
	}
}

// The consumer is deleted, and NATS is away for a while: the queue goes on by itself.
func TestQueueRecovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.run(nil, finish)
	w.publish(1)
	p.next()
	w.emptied()
	for _, name := range w.consumers() {
		if err := w.js.DeleteConsumer(w.within(), "CMD", name); err != nil {
			t.Fatal(err)
		}
	}
	w.publish(2)
	p.next()
	p.next()
	w.emptied()
	w.nats.Stop()
	w.nats.Start()
	w.eventually("NATS takes commands", func() bool {
		ctx, cancel := context.WithTimeout(w.within(), time.Second) // an ack that was lost never comes
		defer cancel()
		_, err := w.js.Publish(ctx, "cmd.after.l.x", []byte("after.l.x"), jetstream.WithMsgID("after"))
		return err == nil
	})
	p.next()
	w.emptied()
}

// Somebody else's consumer is in the way; it is named, and when it is gone the
// queue is worked on.
func TestStrangersConsumer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(1)
	if _, err := w.js.CreateConsumer(w.within(), "CMD", jetstream.ConsumerConfig{Durable: "stranger", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	p := w.run(func(q *Queue) { q.Logger = log.logger() }, finish)
	w.eventually("the stranger is named", func() bool {
		return log.says("stranger") && p.Trouble() != nil && strings.Contains(p.Trouble().Error(), "stranger")
	})
	if err := w.js.DeleteConsumer(w.within(), "CMD", "stranger"); err != nil {
		t.Fatal(err)
	}
	p.next()
	w.emptied()
	if p.Trouble() != nil {
		t.Errorf("still in trouble: %v", p.Trouble())
	}
}

// Five hundred commands wait before a gate and hold no payload; they are read
// again when it opens, and what was deleted meanwhile is not missed.
func TestGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.run(nil, finish)
	p.Shut("x", time.Now().Add(time.Hour))
	p.owns()
	var deleted uint64
	for range 500 {
		deleted = w.command("parked.-.x")
	}
	w.command("free.-.y")
	if name := p.next(); name != "free" {
		t.Fatalf("%s has passed", name)
	}
	s, err := w.js.Stream(w.within(), "CMD")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteMsg(w.within(), deleted); err != nil {
		t.Fatal(err)
	}
	p.Open("x")
	w.emptied()
	if len(p.got) != 499 {
		t.Errorf("%d of 499 commands", len(p.got))
	}
}

// A backlog that cannot run is read to its end, by one consumer: what is behind
// it runs.
func TestLongBacklog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const backlog = 5_000
	for i := range backlog {
		subject := fmt.Sprintf("%s%d.l%d.x", strings.Repeat("n", 600), i, i) // so that all are many MB
		if _, err := w.js.PublishAsync("cmd."+subject, []byte(subject), jetstream.WithStallWait(patience)); err != nil {
			t.Fatal(err)
		}
	}
	<-w.js.PublishAsyncComplete()
	w.command("behind.l.y")
	log := &logged{}
	p := w.run(func(q *Queue) {
		q.Logger = log.logger()
		q.Shut("x", time.Now().Add(time.Hour))
	}, finish)
	if name := p.next(); name != "behind" {
		t.Errorf("%s has passed", name)
	}
	if names := w.consumers(); !slices.Equal(names, []string{"egress-1"}) {
		t.Errorf("consumers %v: %s", names, log.text.String())
	}
	p.Open("x")
	for range backlog {
		p.next()
	}
	w.emptied()
}
