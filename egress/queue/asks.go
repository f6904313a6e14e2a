package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Post publishes a message, perhaps together with others, and calls failed if that
// cannot be done; failed does not block.
type Post func(m *nats.Msg, failed func(error))

// asks sends messages that are answered, for many goroutines at once, with one
// inbox for all. Each message is sent once: that no answer came says nothing of
// whether it arrived.
type asks struct {
	post  Post
	inbox string // a number follows

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*waiter
	free    sync.Pool // of *waiter
}

// waiter is what one goroutine waits with.
type waiter struct {
	heard chan answer
	over  *time.Timer
}

// answer is what comes of a message.
type answer struct {
	*nats.Msg
	unsent error
}

func newAsks(conn *nats.Conn, post Post) (*asks, error) {
	a := &asks{post: post, inbox: conn.NewInbox() + ".", waiting: map[uint64]*waiter{}}
	if _, err := conn.Subscribe(a.inbox+"*", a.receive); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return a, nil
}

var errNoAnswer = errors.New("no answer")

// ask sends a message and waits for its answer, not longer than within.
func (a *asks) ask(ctx context.Context, m *nats.Msg, within time.Duration) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, number := a.expect(within)
	defer a.forget(w, number)
	m.Reply = a.inbox + strconv.FormatUint(number, 36)
	a.post(m, func(err error) { a.hear(number, answer{unsent: err}) })
	select {
	case answer := <-w.heard:
		if answer.unsent != nil {
			return nil, answer.unsent
		}
		if len(answer.Data) == 0 && answer.Header.Get("Status") == "503" {
			return nil, nats.ErrNoResponders
		}
		return answer.Msg, nil
	case <-w.over.C:
		return nil, errNoAnswer
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *asks) expect(within time.Duration) (*waiter, uint64) {
	w, _ := a.free.Get().(*waiter)
	if w == nil {
		w = &waiter{make(chan answer, 1), time.NewTimer(within)}
	} else {
		w.over.Reset(within)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	a.waiting[a.last] = w
	return w, a.last
}

// forget lets go of a waiter, to which hear gives nothing any more.
func (a *asks) forget(w *waiter, number uint64) {
	a.mu.Lock()
	delete(a.waiting, number)
	a.mu.Unlock()
	w.over.Stop()
	select {
	case <-w.heard: // it came too late
	default:
	}
	a.free.Put(w)
}

func (a *asks) receive(m *nats.Msg) {
	if number, err := strconv.ParseUint(m.Subject[len(a.inbox):], 36, 64); err == nil {
		a.hear(number, answer{Msg: m})
	}
}

// hear tells whoever waits for it.
func (a *asks) hear(number uint64, what answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.waiting[number]; w != nil {
		select {
		case w.heard <- what:
		default: // a second answer
		}
	}
}
