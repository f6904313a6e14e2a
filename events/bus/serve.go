package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Service answers followers; App.Serve runs it.
type Service struct {
	// Name is that of its durable consumer on WX_INBOUND, of [A-Za-z0-9_-]: all
	// processes that serve under one name share the events.
	Name string
	// Answer makes the reply to one event. It is called from many goroutines. The
	// zero Reply is no answer: somebody else's event. in.Deadline tells until when
	// the follower waits; a later reply goes out as a custom message. ctx ends
	// with the reply window, and Grace after Serve's own; Answer must then return.
	//
	// An error, a panic and a reply that the bridge would refuse bring the event
	// again, after 250 ms and then twice as long each time; after Tries of them it
	// is given up, with a line at level error, and the follower gets what others
	// reply or the fallback. So is one, at once, whose reply is larger than NATS
	// takes or finds MaxReplies before it. Answer may see an event twice also without an error,
	// as when the process is killed; the second reply does no harm.
	Answer func(ctx context.Context, in events.InboundEvent) (events.Reply, error)
	// Kinds are the kinds it answers, as "text" or "event_subscribe". Default: all.
	Kinds []string
	// Workers is how many events are answered at once. Default 16.
	Workers int
	// Tries is how often Answer may fail for one event. Default 8.
	Tries int
	// Window is the bridge's WX_REPLY_WINDOW. An event that is older cannot be
	// answered and is passed over. Default 10 minutes.
	Window time.Duration
	// Grace is how long answers may go on after the end. Default 10 seconds.
	Grace time.Duration
}

// Defaults of a Service.
const (
	serveWorkers = 16
	serveTries   = 8
	serveWindow  = 10 * time.Minute
	serveGrace   = 10 * time.Second
)

// Serve answers events until ctx ends; then it takes no more, lets answers
// finish, and returns nil. Each event is acknowledged after its reply is stored.
// Events that came before the service's consumer was there are not its own.
// The error is why it could not begin; later faults are logged, and it goes on
// when they are over. The consumer is created if it is missing and the user may
// do so, and used as it is if not.
func (a App) Serve(ctx context.Context, s Service) error {
	if s.Name == "" || s.Answer == nil {
		return errors.New("a service needs a Name and an Answer")
	}
	s.Workers = cmp.Or(s.Workers, serveWorkers)
	s.Tries = cmp.Or(s.Tries, serveTries)
	s.Window = cmp.Or(s.Window, serveWindow)
	s.Grace = cmp.Or(s.Grace, serveGrace)
	v := &serving{App: a, Service: s, slots: make(chan struct{}, s.Workers)}
	from, err := v.open(ctx)
	if err != nil {
		return fmt.Errorf("service %s: %w", s.Name, err)
	}
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	release := context.AfterFunc(ctx, func() { time.AfterFunc(s.Grace, stop) })
	defer release()
	defer v.working.Wait()
	for ctx.Err() == nil {
		err := v.consume(ctx, work, from)
		for err != nil && ctx.Err() == nil {
			v.logger().Warn("service is interrupted, going on soon", "service", s.Name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
				from, err = v.open(ctx)
			}
		}
	}
	return nil
}

// serving is a Service at work.
type serving struct {
	App
	Service
	slots   chan struct{}
	working sync.WaitGroup
	next    uint64    // behind the last event that was delivered; 0 if none was
	made    time.Time // when the stream was created that counts so
}

// opened is a consumer at work.
type opened struct {
	jetstream.Consumer
	ackWait time.Duration
	skew    time.Duration // the server's clock less ours
}

// open finds or creates the consumer.
func (v *serving) open(ctx context.Context) (opened, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream := v.prefix().Resource(StreamInbound)
	var filters []string
	for _, kind := range v.Kinds {
		filters = append(filters, v.prefix().Subject(events.Inbound, kind))
	}
	consumer, err := v.JetStream.Consumer(ctx, stream, v.Name)
	v.recognise(ctx, stream)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		config := jetstream.ConsumerConfig{
			Durable: v.Name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: 30 * time.Second,
			DeliverPolicy: jetstream.DeliverNewPolicy, FilterSubjects: filters,
			MaxDeliver: -1, // counted here: what the server gives up, it gives up silently
		}
		if v.next > 0 { // somebody has deleted it
			config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, v.next
		}
		if consumer, err = v.JetStream.CreateConsumer(ctx, stream, config); err != nil {
			return opened{}, fmt.Errorf("consumer %s is not on %s, and cannot be created (may the user?): %w", v.Name, stream, err)
		}
	case err != nil:
		return opened{}, fmt.Errorf("consumer %s on %s: %w", v.Name, stream, err)
	case len(filters) > 0 && !slices.Equal(filters, subjectsOf(consumer.CachedInfo().Config)):
		config := consumer.CachedInfo().Config
		config.FilterSubject, config.FilterSubjects = "", filters
		if consumer, err = v.JetStream.UpdateConsumer(ctx, stream, config); err != nil {
			return opened{}, fmt.Errorf("consumer %s on %s has other kinds, and cannot be changed: %w", v.Name, stream, err)
		}
	}
	info := consumer.CachedInfo()
	if info.Config.AckPolicy != jetstream.AckExplicitPolicy {
		return opened{}, fmt.Errorf("consumer %s on %s: its ack policy is %s, it must be explicit", v.Name, stream, info.Config.AckPolicy)
	}
	return opened{consumer, info.Config.AckWait, time.Until(info.TimeStamp)}, nil
}

// recognise notices that the stream was deleted and made anew: it counts from 1
// again, and its first event is behind all that were delivered.
func (v *serving) recognise(ctx context.Context, stream string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	found, err := v.JetStream.Stream(ctx, stream)
	if err != nil {
		return // nothing serious, perhaps the user may not look
	}
	made := found.CachedInfo().Created
	if !v.made.IsZero() && !made.Equal(v.made) {
		v.logger().Warn("stream was made anew, its events are answered from the first", "service", v.Name, "stream", stream, "created", made)
		v.next = 1
	}
	v.made = made
}

func subjectsOf(c jetstream.ConsumerConfig) []string {
	if c.FilterSubject != "" {
		return []string{c.FilterSubject}
	}
	return c.FilterSubjects
}

// pullFor is how long one request for events waits for some. It is seen to its
// end also at the stop: an event on its way to a request that nobody reads any
// more would come again only after AckWait.
const pullFor = time.Second

// leave gives an event to another process. Not at once: this one's last request
// may still be open, and would get it again and again.
func leave(m jetstream.Msg) error { return m.NakWithDelay(pullFor) }

// consume works until ctx ends or the consumer fails. It asks for what can be
// worked on at once and no more: an event that waited here for a worker would
// come to another process too, when its time is up.
func (v *serving) consume(ctx, work context.Context, from opened) error {
	for {
		free := v.free(ctx)
		if free == 0 {
			return nil
		}
		batch, err := from.Fetch(free, jetstream.FetchMaxWait(pullFor))
		if err == nil {
			for m := range batch.Messages() {
				if ctx.Err() != nil {
					v.settle(leave(m)) // without it, another process gets it after AckWait
					continue
				}
				free--
				v.working.Go(func() {
					defer func() { <-v.slots }()
					v.handle(work, from, m)
				})
				if meta, err := m.Metadata(); err == nil {
					v.next = max(v.next, meta.Sequence.Stream+1)
				}
			}
			err = batch.Error()
		}
		for range free {
			<-v.slots
		}
		if err != nil {
			return err
		}
	}
}

// free waits for a free slot, takes all that there are and counts them; none
// when ctx ends.
func (v *serving) free(ctx context.Context) (n int) {
	select {
	case v.slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n = 1; n < v.Workers; n++ {
		select {
		case v.slots <- struct{}{}:
		default:
			return n
		}
	}
	return n
}
