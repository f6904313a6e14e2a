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

// asks sends messages that are answered, for many goroutines at once, with one
// inbox for all. Each message is sent once: that no answer came says nothing of
// whether it arrived.
type asks struct {
	conn  *nats.Conn
	inbox string // a number follows

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*waiter
	free    sync.Pool // of *waiter
}

// waiter is what one goroutine waits with.
type waiter struct {
	heard chan *nats.Msg
	over  *time.Timer
}

func newAsks(conn *nats.Conn) (*asks, error) {
	a := &asks{conn: conn, inbox: conn.NewInbox() + ".", waiting: map[uint64]*waiter{}}
	if _, err := conn.Subscribe(a.inbox+"*", a.hear); err != nil {
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
	if err := a.conn.PublishMsg(m); err != nil {
		return nil, err
	}
	select {
	case answer := <-w.heard:
		if len(answer.Data) == 0 && answer.Header.Get("Status") == "503" {
			return nil, nats.ErrNoResponders
		}
		return answer, nil
	case <-w.over.C:
		return nil, errNoAnswer
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *asks) expect(within time.Duration) (*waiter, uint64) {
	w, _ := a.free.Get().(*waiter)
	if w == nil {
		w = &waiter{make(chan *nats.Msg, 1), time.NewTimer(within)}
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

func (a *asks) hear(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(a.inbox):], 36, 64)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.waiting[number]; w != nil {
		select {
		case w.heard <- m:
		default: // a second answer
		}
	}
}
