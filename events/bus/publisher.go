package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// publisher publishes for many goroutines with one inbox, and tells the PubAck
// from an answer itself: a subject's plain subscribers may respond too, even before
// the stream, and to a client that takes the first word such an answer is a broken ack.
type publisher struct {
	out    *gatherer
	inbox  string // a key and a number follow
	answer atomic.Pointer[func(Answer)]
	homes  map[string]string // the streams by their subjects without the last token

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*waiter
	free    sync.Pool // of *waiter
}

// waiter is what waits for the ack of one message.
type waiter struct {
	parcel
	number uint64
	stream string // whose ack it is, "" for anybody's
	acks   chan ack
	over   *time.Timer
}

func newPublisher(nc *nats.Conn, streams []jetstream.StreamConfig) (*publisher, error) {
	p := &publisher{out: newGatherer(nc), inbox: nc.NewInbox() + ".", homes: map[string]string{}, waiting: map[uint64]*waiter{}}
	for _, s := range streams {
		for _, subject := range s.Subjects {
			p.homes[strings.TrimSuffix(subject, ".*")] = s.Name
		}
	}
	if _, err := nc.Subscribe(p.inbox+"*.*", p.receive); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return p, nil
}

// home is the stream that stores a subject, "" if that is none of the bridge's.
func (p *publisher) home(subject string) string {
	if _, key, found := strings.Cut(subject, "$KV."); found { // a domain may stand before it
		bucket, _, _ := strings.Cut(key, ".")
		return "KV_" + bucket
	}
	return p.homes[subject[:max(0, strings.LastIndexByte(subject, '.'))]]
}

// expect waits for the ack of one message, whose answers are heard under key, ""
// for not at all. All its attempts share what is returned: an ack that comes after
// its attempt still counts, and says more than the next one, which can only be a
// duplicate.
func (p *publisher) expect(m *nats.Msg, key string) *waiter {
	if key == "" {
		key = "_"
	}
	w, _ := p.free.Get().(*waiter)
	if w == nil {
		w = &waiter{acks: make(chan ack, 1), over: time.NewTimer(attempt)}
		w.failed = func(err error) { p.hear(w.number, ack{unsent: err}) }
	}
	w.message, w.stream = m, p.home(m.Subject)
	w.withdrawn.Store(false)
	p.mu.Lock()
	p.last++
	w.number = p.last
	p.waiting[w.number] = w
	p.mu.Unlock()
	m.Reply = p.inbox + key + "." + strconv.FormatUint(w.number, 36)
	return w
}

// forget lets go of a waiter, to which hear gives nothing any more, and whose
// message is not sent if it has not been yet.
func (p *publisher) forget(w *waiter) {
	p.mu.Lock()
	delete(p.waiting, w.number)
	p.mu.Unlock()
	w.withdrawn.Store(true)
	w.over.Stop()
	select {
	case <-w.acks: // it came too late
	default:
	}
	if !w.queued.Load() {
		p.free.Put(w)
	}
}

// once makes one attempt.
func (p *publisher) once(ctx context.Context, m *nats.Msg, w *waiter, within time.Duration) (Ack, error) {
	w.over.Reset(within)
	p.out.publish(&w.parcel)
	select {
	case ack := <-w.acks:
		return ack.verdict(m.Subject)
	case <-w.over.C:
	case <-ctx.Done():
	}
	return Ack{}, errors.New("no ack from the stream")
}

// hear passes an ack on. A second one of one publish says nothing new, but that it
// is stored says more than that an earlier attempt was not sent or found nobody.
// Nobody waits for the ack of a publish that has ended, nor for that of a stream
// which has the subject too, as a copy in another domain.
func (p *publisher) hear(number uint64, a ack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.waiting[number]
	if w == nil || a.Stream != "" && w.stream != "" && a.Stream != w.stream {
		return
	}
	if a.stored() {
		select {
		case before := <-w.acks:
			if before.stored() {
				a = before
			}
		default:
		}
	}
	select {
	case w.acks <- a:
	default:
	}
}

// receive sorts what comes to the inbox into acks and answers.
func (p *publisher) receive(m *nats.Msg) {
	key, token, _ := strings.Cut(m.Subject[len(p.inbox):], ".")
	if ack, ok := readAck(m); ok {
		if number, err := strconv.ParseUint(token, 36, 64); err == nil {
			p.hear(number, ack)
		}
		return
	}
	if answer := p.answer.Load(); answer != nil && key != "_" {
		(*answer)(Answer{Key: key, Body: m.Data, Header: events.Header(m.Header)})
	}
}
