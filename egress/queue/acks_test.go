package queue

import (
	"context"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// forgetful is a post that loses the first acks.
type forgetful struct {
	mu    sync.Mutex
	loses int
	lost  int
}

func (f *forgetful) post(conn *nats.Conn) Post {
	return func(m *nats.Msg, failed func(error)) {
		f.mu.Lock()
		lose := string(m.Data) == "+ACK" && f.lost < f.loses
		if lose {
			f.lost++
		}
		f.mu.Unlock()
		if !lose {
			post(conn)(m, failed)
		}
	}
}

// An ack that is lost on the way is sent again: the command is off the queue in
// the same tenure, and is worked on once. Its lane goes on meanwhile.
func TestLostAck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		w.command(name + ".anna.x")
	}
	f := &forgetful{loses: 2}
	p := w.run(func(q *Queue) { q.Post = f.post(q.JetStream.Conn()) }, finish)
	for _, want := range []string{"a", "b", "c", "d"} {
		if got := p.next(); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	f.mu.Lock()
	if f.lost < 2 {
		t.Error("no ack was lost")
	}
	f.mu.Unlock()
	w.emptied()
	if len(p.got) != 0 {
		t.Errorf("%s is worked on again", p.next())
	}
	if names := w.consumers(); len(names) != 1 || names[0] != "egress-1" {
		t.Errorf("consumers %v", names)
	}
}

// Who stops waits until its acks are confirmed: the next process finds nothing
// that is finished.
func TestStopWaitsForAcks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &forgetful{loses: 3}
	w.publish(3)
	var finished sync.WaitGroup
	finished.Add(3)
	p := w.run(func(q *Queue) { q.Post = f.post(q.JetStream.Conn()) }, func(context.Context, string, Turn) Verdict {
		finished.Done()
		return Finish()
	})
	finished.Wait()
	p.stop()
	<-p.done
	if n := w.stored(); n != 0 {
		t.Errorf("%d commands are left", n)
	}
}

// Who dies with its acks on the way leaves commands that come again, in order.
func TestDiesBeforeTheAck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b"} {
		w.command(name + ".anna.x")
	}
	f := &forgetful{loses: 1 << 30}
	first := w.run(func(q *Queue) { q.Post = f.post(q.JetStream.Conn()) }, finish)
	first.next()
	first.next()
	first.vanish()
	heir := w.run(nil, finish)
	if a, b := heir.next(), heir.next(); a != "a" || b != "b" {
		t.Errorf("%s before %s", a, b)
	}
	w.emptied()
}
