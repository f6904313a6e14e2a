package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// memory is a small model of the bus: streams with sequences and dedupe windows,
// whose network delays, loses and goes away. All of its time is the test's.
type memory struct {
	names events.Prefix

	mu      sync.Mutex
	rng     *rand.Rand
	streams map[string]*memoryStream
	down    bool          // nothing goes in or out
	loss    float64       // of requests, and of acks
	changed chan struct{} // closed and replaced at each change
}

type memoryStream struct {
	messages []events.Message
	seen     map[string]seen // by Nats-Msg-Id
	window   time.Duration
}

type seen struct {
	sequence uint64
	at       time.Time
}

func newMemory(rng *rand.Rand) *memory {
	m := &memory{names: "wx", rng: rng, streams: map[string]*memoryStream{}, changed: make(chan struct{})}
	for _, s := range (bus.StreamConfig{Storage: "file", ReplyWindow: 10 * time.Minute}).Streams(m.names) {
		m.streams[strings.TrimPrefix(s.Name, "WX_")] = &memoryStream{seen: map[string]seen{}, window: s.Duplicates}
	}
	return m
}

// streamOf is the stream that carries a subject.
func (m *memory) streamOf(subject string) *memoryStream {
	branch, _, _ := m.names.Split(subject)
	return m.streams[map[events.Branch]string{
		events.Inbound: bus.StreamInbound, events.Replies: bus.StreamReply, events.Marks: bus.StreamReply,
		events.Outcomes: bus.StreamOutcome, events.Cmd: bus.StreamCmd, events.DLQ: bus.StreamDLQ,
	}[branch]]
}

// store is what the server does with a message that reached it.
func (m *memory) store(subject string, header events.Header, body []byte, id string) bus.Ack {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streamOf(subject)
	if before, again := s.seen[id]; id != "" && again && time.Since(before.at) < s.window {
		return bus.Ack{Sequence: before.sequence, Duplicate: true}
	}
	sequence := uint64(len(s.messages)) + 1
	s.messages = append(s.messages, events.Message{Subject: subject, Header: header, Body: body, Sequence: sequence, Time: time.Now()})
	if id != "" {
		s.seen[id] = seen{sequence, time.Now()}
	}
	m.broadcast()
	return bus.Ack{Sequence: sequence}
}

func (m *memory) broadcast() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// away makes the bus go away, or come back.
func (m *memory) away(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	m.broadcast()
}

// all is what a stream holds.
func (m *memory) all(stream string) []events.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.streams[stream].messages)
}

func (m *memory) chance(p float64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.Float64() < p
}

// loses says whether the way takes a message.
func (m *memory) loses() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rng.Float64() < m.loss
}

func (m *memory) upTo(d time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(m.rng.Int64N(int64(d)))
}

func (m *memory) isDown() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.down
}

// link is one process's connection to the bus.
type link struct {
	*memory
	// dead is closed when the process is killed: from then on it does nothing any more.
	dead   chan struct{}
	answer func(bus.Answer)

	state  sync.Mutex
	thawed chan struct{} // closed while the process runs
	moved  chan struct{} // closed and replaced when the connection is another one
}

func (m *memory) link() *link {
	l := &link{memory: m, dead: make(chan struct{}), thawed: make(chan struct{}), moved: make(chan struct{})}
	close(l.thawed)
	return l
}

// freeze stops the process, as far as the bus sees it: what it sends and reads
// waits, its clock goes on.
func (l *link) freeze(d time.Duration) {
	l.state.Lock()
	thawed := make(chan struct{})
	l.thawed = thawed
	l.state.Unlock()
	elapse(d)
	close(thawed)
}

// kill ends the process as kill -9 does.
func (l *link) kill() {
	if !l.killed() {
		close(l.dead)
	}
}

// runs waits while the process is frozen.
func (l *link) runs() {
	l.state.Lock()
	thawed := l.thawed
	l.state.Unlock()
	<-thawed
}

// flap makes the connection another one.
func (l *link) flap() {
	l.state.Lock()
	defer l.state.Unlock()
	close(l.moved)
	l.moved = make(chan struct{})
}

var (
	_ interface{ Names() events.Prefix } = (*link)(nil)
	// errAway is what a read ends with that gets no answer.
	errAway = errors.New("no answer")
)

func (l *link) Names() events.Prefix        { return l.names }
func (l *link) OnAnswer(f func(bus.Answer)) { l.answer = f }
func (l *link) Reasons() []string           { return nil }

// Request reaches nobody: the model's messages have no media.
func (l *link) Request(context.Context, string, cloudevents.Event) ([]byte, error) {
	return nil, nats.ErrNoResponders
}

func (l *link) PublishLetter(ctx context.Context, name string, e cloudevents.Event, id string) (bus.Ack, error) {
	return l.PublishEvent(ctx, l.names.Subject(events.DLQ, name), e, id, "")
}

func (l *link) killed() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// travel is the way to the server or back; false when it leads nowhere.
func (l *link) travel(ctx context.Context) bool {
	pause(ctx, l.upTo(3*time.Millisecond))
	l.runs()
	if l.killed() {
		<-ctx.Done() // a dead process waits for nothing and does nothing
	}
	return ctx.Err() == nil && !l.isDown() && !l.loses()
}

func (l *link) PublishEvent(ctx context.Context, subject string, e cloudevents.Event, id, key string) (bus.Ack, error) {
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return bus.Ack{}, err
	}
	return l.Publish(ctx, subject, header, body, id, key)
}

// Publish tries until ctx ends, as the real one does.
func (l *link) Publish(ctx context.Context, subject string, header events.Header, body []byte, id, _ string) (bus.Ack, error) {
	for ctx.Err() == nil {
		// What was written before a freeze arrives after it, though nobody waits for it any more.
		if l.travel(ctx) || ctx.Err() != nil && !l.killed() && !l.isDown() && l.chance(0.5) {
			ack := l.store(subject, header, body, id)
			if l.travel(ctx) {
				return ack, nil
			}
		}
		pause(ctx, 700*time.Millisecond)
	}
	return bus.Ack{}, ctx.Err()
}

func (l *link) Log(ctx context.Context, key string) ([]events.Message, error) {
	if !l.travel(ctx) {
		return nil, errAway
	}
	var log []events.Message
	for _, m := range l.all(bus.StreamReply) {
		if _, name, _ := l.names.Split(m.Subject); name == key {
			log = append(log, m)
		}
	}
	return log, nil
}

func (l *link) Stored(ctx context.Context, stream string, sequence uint64) (events.Message, error) {
	if !l.travel(ctx) {
		return events.Message{}, errAway
	}
	if all := l.all(stream); sequence >= 1 && sequence <= uint64(len(all)) {
		return all[sequence-1], nil
	}
	return events.Message{}, jetstream.ErrMsgNotFound
}

// follow brings a stream from a place on, in order, each message some time late.
func (l *link) follow(ctx context.Context, stream string, from int, handle func(events.Message)) {
	for at := from; ctx.Err() == nil && !l.killed(); {
		l.mu.Lock()
		s, down, changed := l.streams[stream], l.down, l.changed
		var m *events.Message
		if at < len(s.messages) && !down {
			m = &s.messages[at]
		}
		l.mu.Unlock()
		if m == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			case <-l.dead:
			}
			continue
		}
		pause(ctx, l.upTo(5*time.Millisecond))
		l.runs()
		if ctx.Err() == nil && !l.killed() {
			handle(*m)
			at++
		}
	}
}

func (l *link) Replay(ctx context.Context, pasts []bus.Past, handle func(string, events.Message), caughtUp func()) error {
	l.state.Lock()
	moved := l.moved
	l.state.Unlock()
	whole := ctx
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var following sync.WaitGroup
	behind := len(pasts)
	for _, past := range pasts {
		all := l.all(past.Stream)
		from := slices.IndexFunc(all, func(m events.Message) bool { return time.Since(m.Time) <= past.Back })
		if from < 0 {
			from = len(all)
		}
		caught := func(at int) {
			if at != len(all) {
				return
			}
			behind--
			if behind == 0 {
				caughtUp()
			}
		}
		mu.Lock()
		caught(from)
		mu.Unlock()
		following.Go(func() {
			at := from
			l.follow(ctx, past.Stream, from, func(m events.Message) {
				mu.Lock()
				defer mu.Unlock()
				handle(past.Stream, m)
				at++
				caught(at)
			})
		})
	}
	select {
	case <-moved:
	case <-ctx.Done():
	}
	stop()
	following.Wait()
	return whole.Err()
}

func (l *link) NewFeed(handle func(events.Branch, string, events.Message)) bus.Feed {
	return &memoryFeed{link: l, handle: handle, from: len(l.all(bus.StreamReply))}
}

type memoryFeed struct {
	link   *link
	handle func(events.Branch, string, events.Message)
	from   int
}

func (f *memoryFeed) Ready() bool                     { return true }
func (f *memoryFeed) WaitReady(context.Context) error { return nil }

func (f *memoryFeed) Run(ctx context.Context) {
	f.link.follow(ctx, bus.StreamReply, f.from, func(m events.Message) {
		if branch, key, ok := f.link.names.Split(m.Subject); ok {
			f.handle(branch, key, m)
		}
	})
	<-ctx.Done()
}

// pause is a sleep that ends with ctx.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return // as in elapse
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// elapse lets the bubble's own clock go on. A timer whose time is over already is
// run by the goroutine that looks at it, and where two do so at once in a bubble,
// Go 1.26's race detector crashes.
func elapse(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
}
