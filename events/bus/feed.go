package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
)

// Feed brings the key logs of a prefix (wx.reply.* and wx.mark.*) to one
// process, in the stream's order, from the moment it started.
//
// It is an ordered consumer and not a core subscription: two connections that
// publish at once arrive at a core subscriber in another order than the
// stream's, and it also sees what the stream refuses.
type Feed interface {
	// Run feeds until ctx ends. After each connection it goes on where it stood,
	// so nothing that was stored meanwhile is passed over.
	Run(ctx context.Context)
	// Ready says whether, on the present connection, a marker of this process has
	// come back through the feed: proof that a decision would too.
	Ready() bool
	// WaitReady returns when the feed is ready.
	WaitReady(ctx context.Context) error
}

// logFeed is the Feed of a Bus.
type logFeed struct {
	bus    *Bus
	handle func(events.Branch, string, events.Message)
	logger *slog.Logger

	// proven is the bus's epoch in which a marker of this process came back.
	proven atomic.Uint64
	probe  atomic.Pointer[string]

	// Where the next message is expected; only Run touches these.
	next    uint64
	created time.Time
}

// probePrefix begins the keys of the feed's own markers, which are no event's.
const probePrefix = "probe-"

// NewFeed makes a feed; Run starts it. handle is called from one goroutine, in
// stream order, with the branch and the key; it must not block.
func (b *Bus) NewFeed(handle func(branch events.Branch, key string, m events.Message)) Feed {
	return &logFeed{bus: b, handle: handle, logger: b.logger}
}

func (f *logFeed) Ready() bool {
	epoch, up, _ := f.bus.link()
	return up && epoch > 0 && f.proven.Load() == epoch
}

func (f *logFeed) WaitReady(ctx context.Context) error {
	for {
		_, _, changed := f.bus.link()
		if f.Ready() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (f *logFeed) Run(ctx context.Context) {
	const again = 250 * time.Millisecond
	for ctx.Err() == nil {
		epoch, moved, err := f.bus.Settled(ctx)
		if err != nil {
			return
		}
		err = f.follow(ctx, epoch, moved)
		f.proven.Store(0) // whatever ended it: nothing comes through now
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			f.bus.unsettle(epoch)
		}
		if err != nil && ctx.Err() == nil {
			f.logger.Warn("feed of replies stopped, starting it again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}
}

// errMoved ends a consumer whose connection is gone.
var errMoved = errors.New("connection changed")

// whileOn is a context that ends, with errMoved, when the connection is another one.
func whileOn(ctx context.Context, moved <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
		case <-moved:
			stop(errMoved)
		}
	}()
	return ctx, func() { stop(nil); <-watched }
}

// follow consumes until the connection changes.
func (f *logFeed) follow(ctx context.Context, epoch uint64, moved <-chan struct{}) error {
	ctx, stop := whileOn(ctx, moved)
	defer stop()
	messages, err := f.consume(ctx)
	if err != nil {
		return f.unlessMoved(ctx, err)
	}
	defer messages.Stop()
	var proving sync.WaitGroup
	proving.Go(func() { f.prove(ctx, epoch) })
	defer func() { stop(); proving.Wait() }()
	err = inOrder(ctx, messages, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		f.next = meta.Sequence.Stream + 1
		f.pass(epoch, m, meta)
	})
	return f.unlessMoved(ctx, err)
}

// inOrder handles what a consumer brings until it ends, or until it shows a gap:
// an AckNone consumer does not bring again what a connection has lost.
func inOrder(ctx context.Context, messages jetstream.MessagesContext, handle func(jetstream.Msg, *jetstream.MsgMetadata)) error {
	for delivered := uint64(1); ; delivered++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != delivered {
			return fmt.Errorf("message %d of the consumer is number %d", delivered, meta.Sequence.Consumer)
		}
		handle(m, meta)
	}
}

func (f *logFeed) unlessMoved(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errMoved) {
		return nil
	}
	return err
}

// consume starts a consumer at the place where the feed stands. It is no
// jetstream.OrderedConsumer: that one, after a fault, starts again by itself and
// by number alone, which in a stream that was deleted and made anew passes over
// all that is in it. Here every fault ends the consumer, and follow begins again.
func (f *logFeed) consume(ctx context.Context) (jetstream.MessagesContext, error) {
	p := f.bus.Prefix
	start, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := f.bus.js.Stream(start, p.Resource(StreamReply))
	if err != nil {
		return nil, err
	}
	created, end := stream.CachedInfo().Created, stream.CachedInfo().State.LastSeq+1
	switch {
	case f.created.IsZero():
		f.next = end
	case !f.created.Equal(created):
		f.next = 1 // the stream was made anew: all that is in it is unseen
	case f.next > end:
		// A NATS that lost power may have lost its newest messages, and gives
		// their numbers again.
		f.next = end
	}
	f.created = created
	consumer, err := stream.CreateConsumer(start, passing(jetstream.ConsumerConfig{
		Description:    "feed of replies",
		FilterSubjects: []string{p.Subject(events.Replies, "*"), p.Subject(events.Marks, "*")},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    f.next,
	}))
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(start)
	if err != nil {
		return nil, err
	}
	if !info.Created.Equal(created) {
		return nil, errors.New("the stream was made anew just now")
	}
	return messagesOf(consumer)
}

// passing makes of a consumer what an ordered one is too: nothing is acked,
// nothing comes twice, and it dies with its server.
func passing(c jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	c.AckPolicy, c.MaxDeliver = jetstream.AckNonePolicy, 1
	c.MemoryStorage, c.Replicas, c.InactiveThreshold = true, 1, 30*time.Second
	return c
}

// messagesOf reads a consumer. Two heartbeats missed end it: a follower waits 4.5 s.
func messagesOf(consumer jetstream.Consumer) (jetstream.MessagesContext, error) {
	return consumer.Messages(jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(time.Second))
}

func (f *logFeed) pass(epoch uint64, m jetstream.Msg, meta *jetstream.MsgMetadata) {
	branch, key, ok := f.bus.Prefix.Split(m.Subject())
	if !ok {
		return
	}
	if strings.HasPrefix(key, probePrefix) {
		if probe := f.probe.Load(); probe != nil && *probe == key {
			f.proven.Store(epoch)
			f.bus.mu.Lock()
			f.bus.broadcast()
			f.bus.mu.Unlock()
		}
		return
	}
	f.handle(branch, key, consumed(m, meta))
}

// consumed is a message that a consumer brought.
func consumed(m jetstream.Msg, meta *jetstream.MsgMetadata) events.Message {
	return events.Message{
		Subject: m.Subject(), Header: events.Header(m.Headers()), Body: m.Data(),
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp,
	}
}

// prove publishes a marker of this process's own; pass sees it come back.
func (f *logFeed) prove(ctx context.Context, epoch uint64) {
	key := probePrefix + nuid.Next()
	f.probe.Store(&key)
	for {
		e, err := events.NewMark(key, "urn:wxbridge:feed", time.Now(), events.Mark{Mark: events.MarkProbe})
		if err == nil {
			_, err = f.bus.PublishEvent(ctx, f.bus.Prefix.Subject(events.Marks, key), e, "", "")
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		// A full stream, say; it may have room again in a while.
		f.logger.Warn("feed cannot be proven, trying again", "epoch", epoch, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
