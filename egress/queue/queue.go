package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ackWait is the default of Queue.AckWait.
	ackWait = 10 * time.Second
	// pull is how long one request for commands waits for some. It is seen to
	// its end also when Run is told to stop: a command on its way to a request
	// that nobody reads any more would come again only after AckWait.
	pull = 250 * time.Millisecond
	// retry is how soon the queue begins again after it could not.
	retry = time.Second
)

// Verdict is what a worker says of a command.
type Verdict struct {
	again time.Duration
	done  bool
}

// Finish takes the command off the queue.
func Finish() Verdict { return Verdict{done: true} }

// Again brings the command back after d.
func Again(d time.Duration) Verdict { return Verdict{again: max(d, 0)} }

// Queue works through a stream of commands.
type Queue struct {
	JetStream jetstream.JetStream
	Stream    string
	Consumer  string // name of the durable consumer
	Workers   int    // how many commands are worked on at once
	// Work handles one command. It is called from many goroutines. Its context
	// ends only some time after Run's, so that a send can finish.
	Work  func(ctx context.Context, m jetstream.Msg) Verdict
	Grace time.Duration // how long Work may go on after Run's context ended
	// AckWait is how long after a process died its commands come to another;
	// while one is worked on, it is extended again and again. Default 10 s
	AckWait time.Duration
	Logger  *slog.Logger
}

// Run works until ctx ends, then waits for the commands that are being worked on.
func (q *Queue) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	release := context.AfterFunc(ctx, func() { time.AfterFunc(q.Grace, stop) })
	defer release()
	for ctx.Err() == nil {
		if err := q.consume(ctx, work); err != nil && ctx.Err() == nil {
			q.Logger.Warn("queue of commands stopped, starting it again", "error", err)
			pause(ctx, retry)
		}
	}
}

func (q *Queue) consume(ctx, work context.Context) error {
	start, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	consumer, err := q.JetStream.CreateOrUpdateConsumer(start, q.Stream, jetstream.ConsumerConfig{
		Durable:   q.Consumer,
		AckPolicy: jetstream.AckExplicitPolicy,
		AckWait:   q.ackWait(),
		// The schedule lives in the claim; a limit here would leave messages
		// in the stream that nobody gets.
		MaxDeliver: -1,
		// Any limit lets commands that wait starve those that could run.
		MaxAckPending: -1,
	})
	if err != nil {
		return fmt.Errorf("consumer %s: %w", q.Consumer, err)
	}
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, q.Workers)
	for {
		// Only what can be worked on at once is pulled: a command that waited
		// here for a worker would come to another process too, when its time is up.
		free := q.free(ctx, slots)
		if free == 0 {
			return ctx.Err()
		}
		batch, err := consumer.Fetch(free, jetstream.FetchMaxWait(pull))
		if err != nil {
			return err
		}
		for m := range batch.Messages() {
			if ctx.Err() != nil {
				_ = m.Nak() // to whoever works now; without it, after AckWait
				continue
			}
			free--
			working.Go(func() {
				defer func() { <-slots }()
				q.workOn(work, m)
			})
		}
		for range free {
			<-slots
		}
		if err := batch.Error(); err != nil {
			return err
		}
	}
}

// free waits for a free slot, takes all that there are and counts them; none
// when ctx ends.
func (q *Queue) free(ctx context.Context, slots chan struct{}) (n int) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	for n = 1; n < q.Workers; n++ {
		select {
		case slots <- struct{}{}:
		default:
			return n
		}
	}
	return n
}

func (q *Queue) ackWait() time.Duration { return cmp.Or(q.AckWait, ackWait) }

// workOn handles one command and holds it meanwhile.
func (q *Queue) workOn(ctx context.Context, m jetstream.Msg) {
	done := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		tick := time.NewTicker(q.ackWait() * 3 / 10)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				_ = m.InProgress() // a link that is down is mended or the command comes again
			}
		}
	})
	verdict := q.Work(ctx, m)
	close(done)
	beating.Wait()
	var err error
	switch {
	case verdict.done:
		// Confirmed by the server: an ack that is lost brings the command again,
		// which the claim turns into a second ack and nothing else.
		ack, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		err = m.DoubleAck(ack)
	default:
		err = m.NakWithDelay(verdict.again)
	}
	if err != nil {
		q.Logger.Debug("command is not acked and will come again", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
