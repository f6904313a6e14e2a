package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ackWait is longer than any command lives: the schedule is the claim's, and
	// a command that waits must not come again meanwhile.
	ackWait = 30 * 24 * time.Hour
	// batch is how many commands are under way from the server at most.
	batch = 256
)

// reader reads the stream through a consumer of this tenure's own.
type reader struct {
	stream   jetstream.Stream
	origin   string
	consumer jetstream.Consumer
	look     func(m Message) Task
}

// epochOf reads the epoch out of a consumer's name.
func (q *Queue) epochOf(consumer string) (uint64, bool) {
	digits, ours := strings.CutPrefix(consumer, q.Consumer+"-")
	epoch, err := strconv.ParseUint(digits, 10, 64)
	return epoch, ours && err == nil
}

// epochs is the largest epoch that the stream's consumers know of.
func (q *Queue) epochs(ctx context.Context) (uint64, error) {
	found, err := q.consumers(ctx)
	return found.epoch, err
}

// found is what consumers the stream has.
type found struct {
	epoch     uint64   // the largest
	former    []string // of this queue
	strangers []string
}

func (q *Queue) consumers(ctx context.Context) (f found, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*ask)
	defer cancel()
	stream, err := q.JetStream.Stream(ctx, q.Stream)
	if err != nil {
		return f, fmt.Errorf("stream %s: %w", q.Stream, err)
	}
	list := stream.ConsumerNames(ctx)
	for name := range list.Name() {
		epoch, ours := q.epochOf(name)
		if ours || name == q.Consumer {
			f.epoch = max(f.epoch, epoch)
			f.former = append(f.former, name)
		} else {
			f.strangers = append(f.strangers, name)
		}
	}
	if err := list.Err(); err != nil {
		return f, fmt.Errorf("consumers of %s: %w", q.Stream, err)
	}
	return f, nil
}

// takeOver deletes the consumers of former owners, whose pulls and acks then go
// nowhere, and creates one: all that was not acked comes again, in order.
func (q *Queue) takeOver(ctx context.Context, epoch uint64) (*reader, error) {
	found, err := q.consumers(ctx)
	if err != nil {
		return nil, err
	}
	if found.epoch >= epoch {
		return nil, errTaken
	}
	ctx, cancel := context.WithTimeout(ctx, 5*ask)
	defer cancel()
	stream, err := q.JetStream.Stream(ctx, q.Stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", q.Stream, err)
	}
	for _, name := range found.former {
		if err := stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, fmt.Errorf("consumer %s: %w", name, err)
		}
	}
	name := q.Consumer + "-" + strconv.FormatUint(epoch, 10)
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: name, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait,
		// Any limit would let commands that wait starve those that could run.
		MaxAckPending: -1,
		// What it knows is worth nothing after it: the next tenure begins anew.
		MemoryStorage: true,
	})
	if err != nil && len(found.strangers) > 0 {
		return nil, fmt.Errorf("consumer %s: %w: somebody else's consumer is in its way, delete it: %s", name, err, strings.Join(found.strangers, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("consumer %s: %w", name, err)
	}
	info := stream.CachedInfo()
	return &reader{
		stream: stream, consumer: consumer, look: q.Read,
		origin: fmt.Sprintf("%s-%d", info.Config.Name, info.Created.Unix()),
	}, nil
}

// read puts every command on the board, in the stream's order, as far as there
// is room. It returns when ctx ends, or with the reason why it cannot go on.
//
// It asks for one batch after another. A continuous pull of the client's keeps
// its status messages where the commands are, and drops commands when that is
// full: tried, with a reader that is slower than the server.
func (r *reader) read(ctx context.Context, b *board) error {
	expected := uint64(0)
	for b.room() {
		// Two heartbeats missed end it: with the server that led the consumer its pull
		// is gone, and the commands stay where they are.
		commands, err := r.consumer.Fetch(batch, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(time.Second))
		if err != nil {
			return fmt.Errorf("reading commands: %w", err)
		}
		for m := range commands.Messages() {
			if !b.room() {
				return ctx.Err()
			}
			expected++
			if err := r.put(b, m, expected); err != nil {
				return fmt.Errorf("reading commands: %w", err)
			}
		}
		if err := commands.Error(); err != nil {
			return fmt.Errorf("reading commands: %w", err)
		}
	}
	return ctx.Err()
}

// put puts one command on the board.
func (r *reader) put(b *board, m jetstream.Msg, expected uint64) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	if meta.Sequence.Consumer != expected {
		// Lost on the way: it would come again after AckWait only.
		return fmt.Errorf("delivery %d came instead of %d", meta.Sequence.Consumer, expected)
	}
	task := r.look(Message{
		Subject: m.Subject(), Header: m.Headers(), Body: m.Data(),
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp, Origin: r.origin,
	})
	b.add(meta.Sequence.Stream, m.Reply(), &task, len(m.Data()))
	return nil
}

// again reads one command whose payload was not kept; nil if it is gone.
func (r *reader) again(ctx context.Context, sequence uint64) (*Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*ask)
	defer cancel()
	m, err := r.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Message{
		Subject: m.Subject, Header: m.Header, Body: m.Data,
		Sequence: m.Sequence, Time: m.Time, Origin: r.origin,
	}, nil
}
