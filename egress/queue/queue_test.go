package queue

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What is finished is off the queue, each command once.
func TestFinish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(100)
	p := w.run(nil, finish)
	seen := map[string]int{}
	for range 100 {
		seen[p.next()]++
	}
	w.emptied()
	if len(seen) != 100 || len(p.got) != 0 {
		t.Errorf("%d of 100 commands, %d came again", len(seen), len(p.got))
	}
}

// What shall come again does, not before its time, and lets others pass.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(2)
	const wait = 300 * time.Millisecond
	var mu sync.Mutex
	first := map[string]time.Time{}
	var waited time.Duration
	p := w.run(nil, func(_ context.Context, m jetstream.Msg) Verdict {
		mu.Lock()
		defer mu.Unlock()
		began, again := first[m.Subject()]
		if m.Subject() != "cmd.0" {
			return Finish()
		}
		if !again {
			first[m.Subject()] = time.Now()
			return Again(wait)
		}
		waited = time.Since(began)
		return Finish()
	})
	for range 3 {
		p.next()
	}
	w.emptied()
	if waited < wait {
		t.Errorf("it came again after %s", waited)
	}
	if Again(-time.Hour) != Again(0) {
		t.Error("a wait can be negative")
	}
}

// While a command is worked on, the server is told so, again and again and well
// within AckWait; that is what keeps it from coming to another worker.
func TestHeartbeatHoldsALongJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(1)
	beats := make(chan *nats.Msg, 100)
	if _, err := w.js.Conn().ChanSubscribe("$JS.ACK.CMD.egress.>", beats); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	p := w.run(nil, func(context.Context, jetstream.Msg) Verdict {
		<-release
		return Finish()
	})
	p.next()
	for range 5 { // more than one AckWait's
		select {
		case m := <-beats:
			if string(m.Data) != "+WPI" {
				t.Fatalf("%q instead of a heartbeat", m.Data)
			}
		case <-time.After(patience):
			t.Fatal("no heartbeat")
		}
	}
	close(release)
	w.emptied()
}

// A process vanishes: what it held comes to another after AckWait.
func TestProcessVanishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(3)
	never := make(chan struct{})
	defer close(never)
	p := w.run(func(q *Queue) { q.Grace = 0 }, func(ctx context.Context, _ jetstream.Msg) Verdict {
		<-ctx.Done()
		return Again(0)
	})
	for range 3 {
		p.next()
	}
	p.conn.Close()
	p.stop()
	heir := w.run(nil, finish)
	for range 3 {
		heir.next()
	}
	w.emptied()
}

// What no worker is free for stays on the server, where another process gets it.
func TestNothingIsHoarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(12)
	release := make(chan struct{})
	busy := w.run(func(q *Queue) { q.AckWait = 10 * time.Minute }, func(context.Context, jetstream.Msg) Verdict {
		<-release
		return Finish()
	})
	for range 4 {
		busy.next()
	}
	idle := w.run(func(q *Queue) { q.AckWait = 10 * time.Minute }, finish)
	for range 8 {
		idle.next()
	}
	close(release)
	w.emptied()
	if len(busy.got)+len(idle.got) != 0 {
		t.Error("a command came twice")
	}
}

// The end of Run: work goes on within grace and is acked, nothing new begins,
// and what is left is there at once for the next process.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(10)
	release := make(chan struct{})
	p := w.run(func(q *Queue) { q.AckWait = 10 * time.Minute }, func(ctx context.Context, _ jetstream.Msg) Verdict {
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
	close(release)
	<-p.done
	if len(p.got) != 0 {
		t.Error("a command was begun after the stop")
	}
	next := w.run(func(q *Queue) { q.AckWait = 10 * time.Minute }, finish)
	for range 6 {
		next.next()
	}
	w.emptied()
}

// The consumer is deleted, and NATS is away for a while: the queue goes on by itself.
func TestQueueRecovers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.run(nil, finish)
	w.publish(1)
	p.next()
	if err := w.js.DeleteConsumer(w.within(), "CMD", "egress"); err != nil {
		t.Fatal(err)
	}
	w.publish(2)
	p.next()
	p.next()
	w.nats.Stop()
	w.nats.Start()
	w.eventuallyPublished()
	p.next()
	w.emptied()
}

func (w *world) eventuallyPublished() {
	w.t.Helper()
	ctx := w.within()
	for ctx.Err() == nil {
		if _, err := w.js.Publish(ctx, "cmd.after", nil); err == nil {
			return
		}
	}
	w.t.Fatal("NATS did not come back")
}
