package queue

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

// Message is a message of the stream.
type Message struct {
	Subject  string
	Header   nats.Header
	Body     []byte
	Sequence uint64
	Time     time.Time
	// Origin names the stream and its creation: with Sequence it names the
	// message for good.
	Origin string
}

// Task is a command as Queue.Read understands it.
type Task struct {
	// Lane is what it is in order with, "" for nothing.
	Lane string
	// Gate is what can be shut before it and others of its kind.
	Gate string
	// Expires is when it is worked on whatever its turn is, to be ended.
	Expires time.Time
	// Work works on it. Its context ends only some time after Run's, so that a
	// send can finish.
	Work func(ctx context.Context, turn Turn) Verdict
}

// Turn is the tenure in which a command is worked on.
type Turn struct {
	Epoch uint64
	// Began is when this process took the queue over.
	Began time.Time
	// Held says whether this process certainly owns the queue still: look
	// before what must not be out of order.
	Held func() bool
}

// Verdict is what comes of working on a command.
type Verdict struct {
	at   time.Time
	done bool
}

// Finish takes the command off the queue.
func Finish() Verdict { return Verdict{done: true} }

// Again brings the command back after d, and nothing of its lane before; a wait
// for a gate needs none.
func Again(d time.Duration) Verdict { return Verdict{at: time.Now().Add(max(d, 0))} }

// Done says that the verdict is Finish.
func (v Verdict) Done() bool { return v.done }
