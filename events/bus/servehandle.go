package bus

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// handle answers one event and tells the stream what became of it.
func (v *serving) handle(ctx context.Context, from opened, m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return // not from a stream
	}
	log := v.logger().With("service", v.Name, "sequence", meta.Sequence.Stream, "delivery", meta.NumDelivered)
	in, err := events.ParseInbound(v.prefix(), events.Message{
		Subject: m.Subject(), Header: events.Header(m.Headers()), Body: m.Data(),
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp,
	})
	end := meta.Timestamp.Add(v.Window - from.skew)
	switch {
	case err != nil:
		log.Error("event cannot be read and is given up", "error", err)
		v.settle(m.TermWithReason("cannot be read"))
		return
	case !time.Now().Before(end):
		log.Warn("event is older than the reply window and is passed over", "event", in.ID)
		v.settle(m.Ack())
		return
	case meta.NumDelivered > uint64(v.Tries):
		// Without its failing here so often: it takes the process down.
		log.Error("event was delivered too often and is given up", "event", in.ID)
		v.settle(m.TermWithReason("delivered too often"))
		return
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	rest := v.keep(m, from.ackWait)
	err = v.answer(ctx, in)
	rest()
	var never *hopeless
	switch {
	case err == nil:
		// Confirmed by the server: an ack that is lost brings the event again.
		acking, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		v.settle(m.DoubleAck(acking))
	case errors.Is(ctx.Err(), context.Canceled):
		log.Warn("answer is cut short by the end of the process, another may take it", "event", in.ID, "error", err)
		v.settle(leave(m))
	case errors.As(err, &never), meta.NumDelivered >= uint64(v.Tries):
		log.Error("event is given up", "event", in.ID, "error", err)
		v.settle(m.TermWithReason("the service failed"))
	default:
		wait := 250 * time.Millisecond << min(meta.NumDelivered-1, 10)
		log.Warn("answer failed, the event comes again", "event", in.ID, "after", wait, "error", err)
		v.settle(m.NakWithDelay(wait))
	}
}

// settle hears whether the stream could be told. If not, the event comes again.
func (v *serving) settle(err error) {
	if err != nil {
		v.logger().Debug("stream could not be told, the event comes again", "service", v.Name, "error", err)
	}
}

// answer calls Answer and stores its reply.
func (v *serving) answer(ctx context.Context, in events.InboundEvent) (err error) {
	reply, err := v.call(ctx, in)
	if err != nil || reply.MsgType == "" && len(reply.Data) == 0 {
		return err
	}
	if err = v.Reply(ctx, in, reply); TooLarge(err) || logIsFull(err) {
		return &hopeless{err}
	}
	return err
}

// hopeless is why a reply is never stored, however often it is tried. It is not for
// errors of Answer's own, whatever they are.
type hopeless struct{ error }

// panicked is what a recovered panic said, with its stack.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// call calls Answer; a panic of one event must not end the others.
func (v *serving) call(ctx context.Context, in events.InboundEvent) (reply events.Reply, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicked{value, debug.Stack()}
		}
	}()
	return v.Answer(ctx, in)
}

// keep holds an event while it is answered, until the returned function is called.
func (v *serving) keep(m jetstream.Msg, ackWait time.Duration) (rest func()) {
	done := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		tick := time.NewTicker(ackWait * 3 / 10)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				v.settle(m.InProgress())
			}
		}
	})
	return func() {
		close(done)
		beating.Wait()
	}
}
