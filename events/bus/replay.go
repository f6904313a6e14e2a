package bus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/wxbridge/wxbridge/events"
)

// Past is one stream of a Replay and how far back it is read, by the stream's
// own clock.
type Past struct {
	Stream string
	Back   time.Duration
	// Subject narrows it to one, "" for all.
	Subject string
}

// Replay reads what streams hold of their past and then what comes, each stream
// in its own order. handle is called from one goroutine at a time. caughtUp is
// called once, when each stream was read to where its end was at the start; what
// comes then is new.
//
// It returns when the connection changes, with nil: whoever wants to go on
// replays from the start, for what this process knew may be out of date. Any
// other end is an error, that of ctx too.
func (b *Bus) Replay(ctx context.Context, pasts []Past, handle func(stream string, m events.Message), caughtUp func()) error {
	epoch, moved, err := b.Settled(ctx)
	if err != nil {
		return err
	}
	whole := ctx
	ctx, stop := whileOn(ctx, moved)
	defer stop()
	var mu sync.Mutex
	behind := len(pasts)
	readers, reading := errgroup.WithContext(ctx)
	for _, past := range pasts {
		readers.Go(func() error {
			return b.replay(reading, past, func(m events.Message) {
				mu.Lock()
				defer mu.Unlock()
				handle(past.Stream, m)
			}, func() {
				mu.Lock()
				defer mu.Unlock()
				behind--
				if behind == 0 {
					caughtUp()
				}
			})
		})
	}
	err = readers.Wait()
	switch {
	case whole.Err() != nil:
		return whole.Err()
	case errors.Is(context.Cause(ctx), errMoved):
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound):
		b.unsettle(epoch)
	}
	return err
}

// replay reads one stream; caughtUp is called when the end that it had is reached.
func (b *Bus) replay(ctx context.Context, past Past, handle func(events.Message), caughtUp func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start, started := context.WithTimeout(ctx, 5*time.Second)
	defer started()
	stream, err := b.js.Stream(start, b.Prefix.Resource(past.Stream))
	if err != nil {
		return fmt.Errorf("replay of %s: %w", past.Stream, err)
	}
	from := stream.CachedInfo().TimeStamp.Add(-past.Back) // of the server's clock
	consumer, err := stream.CreateConsumer(start, passing(jetstream.ConsumerConfig{
		Description:   "replay",
		DeliverPolicy: jetstream.DeliverByStartTimePolicy,
		OptStartTime:  &from,
		FilterSubject: past.Subject,
	}))
	if err != nil {
		return fmt.Errorf("replay of %s: %w", past.Stream, err)
	}
	end := horizon{stream: stream, past: past, from: from, caughtUp: caughtUp, end: math.MaxUint64}
	if err := end.look(start); err != nil {
		return fmt.Errorf("replay of %s: %w", past.Stream, err)
	}
	messages, err := messagesOf(consumer)
	if err != nil {
		return fmt.Errorf("replay of %s: %w", past.Stream, err)
	}
	defer messages.Stop()
	var watching sync.WaitGroup
	watching.Go(func() { end.watch(ctx) })
	defer func() { cancel(); watching.Wait() }()
	err = inOrder(ctx, messages, func(m jetstream.Msg, meta *jetstream.MsgMetadata) {
		handle(consumed(m, meta))
		end.passed(meta.Sequence.Stream)
	})
	return fmt.Errorf("replay of %s: %w", past.Stream, err)
}
