package bus

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Do sends a command, see Send, and waits for its one result. A result that is
// not done is no error: look at its outcome. When ctx ends before, the command
// is carried out all the same, and the same Do with the same id goes on waiting
// for its result. For answers at once, ask wx.call.<verb> instead; who sends
// many commands reads WX_RESULT. An id is one command's: who gives it to another
// while the first is being carried out may be told the first one's result.
func (a App) Do(ctx context.Context, verb, id string, data any) (events.Result, error) {
	w, err := a.awaitResults(ctx, verb)
	if err != nil {
		return events.Result{}, fmt.Errorf("command %s is not sent: %w", id, err)
	}
	defer w.stop()
	if id == "" {
		id = nextID()
	}
	ack, err := a.send(ctx, verb, id, data)
	if err != nil {
		return events.Result{}, err
	}
	if ack.Duplicate {
		// Sent before, while its id is known: the result may be there since.
		if err := w.rewind(ctx, a.knows(ctx)); err != nil {
			return events.Result{}, fmt.Errorf("result of command %s: %w", id, err)
		}
	}
	result, err := w.await(ctx, map[string]bool{
		events.ResultID(id): true,
		// The command's own, if the id belongs to another command.
		events.ResultID(id + "-" + strconv.FormatUint(ack.Sequence, 10)): true,
	})
	if err != nil {
		return events.Result{}, fmt.Errorf("result of command %s: %w", id, err)
	}
	return result, nil
}

// knows is how long the stream of commands knows an id again, which may be longer
// than the bridge made it.
func (a App) knows(ctx context.Context) time.Duration {
	const longest = time.Hour // that the bridge makes it; for who may not look
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	stream, err := a.JetStream.Stream(ctx, a.prefix().Resource(StreamCmd))
	if err != nil {
		return longest
	}
	return stream.CachedInfo().Config.Duplicates
}

// results waits for results of one verb. It hears them as they are published,
// which also brings the copy that the stream drops as a duplicate; what it
// misses while the connection is down it reads from the stream.
type results struct {
	subject string
	heard   chan *nats.Msg
	sub     *nats.Subscription
	stream  jetstream.Stream
	next    uint64 // where reading the stream goes on
}

func (a App) awaitResults(ctx context.Context, verb string) (*results, error) {
	stream, err := a.JetStream.Stream(ctx, a.prefix().Resource(StreamResult))
	if err != nil {
		return nil, err
	}
	w := &results{
		subject: a.prefix().Subject(events.Results, verb), heard: make(chan *nats.Msg, 64),
		stream: stream, next: stream.CachedInfo().State.LastSeq + 1,
	}
	w.sub, err = a.JetStream.Conn().ChanSubscribe(w.subject, w.heard)
	return w, err
}

func (w *results) stop() { _ = w.sub.Unsubscribe() } // a closed connection has no subscriptions

// rewind goes back to the first result of a time.
func (w *results) rewind(ctx context.Context, back time.Duration) error {
	info, err := w.stream.Info(ctx)
	if err != nil {
		return err
	}
	first, since := info.State.FirstSeq, info.TimeStamp.Add(-back)
	n := sort.Search(int(w.next-first), func(i int) bool {
		var m *jetstream.RawStreamMsg
		if m, err = w.stream.GetMsg(ctx, first+uint64(i)); errors.Is(err, jetstream.ErrMsgNotFound) {
			err = nil // it grew old meanwhile
		}
		return m != nil && m.Time.After(since)
	})
	w.next = first + uint64(n)
	return err
}

// await waits for an event with one of the ids.
func (w *results) await(ctx context.Context, ids map[string]bool) (events.Result, error) {
	const look = time.Second
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return events.Result{}, ctx.Err()
		case m := <-w.heard:
			if result, ok := resultOf(ids, events.Header(m.Header), m.Data); ok {
				w.settle(ctx, ids)
				return result, nil
			}
		case <-again.C:
			if result, ok := w.read(ctx, ids); ok {
				return result, nil
			}
			again.Reset(look)
		}
	}
}

// settle waits until what was heard can be read: it is heard before it is stored, and
// whoever asks next, for another command with this id, would find it behind the end
// of the stream that it saw, and take it for its own. The copy of a result is not
// stored again; it is waited for in vain, and not for long.
func (w *results) settle(ctx context.Context, ids map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for {
		if _, ok := w.read(ctx, ids); ok {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// read looks through what the stream holds since the last look. A fault ends
// the look; the next one goes on there.
func (w *results) read(ctx context.Context, ids map[string]bool) (events.Result, bool) {
	for {
		// Bounded by itself: a request that a dying connection lost is never answered.
		one, cancel := context.WithTimeout(ctx, time.Second)
		m, err := w.stream.GetMsg(one, w.next, jetstream.WithGetMsgSubject(w.subject))
		cancel()
		if err != nil {
			return events.Result{}, false
		}
		if result, ok := resultOf(ids, events.Header(m.Header), m.Data); ok {
			return result, true
		}
		w.next = m.Sequence + 1
	}
}

func resultOf(ids map[string]bool, header events.Header, body []byte) (events.Result, bool) {
	e, isEvent, err := events.Decode(header, body)
	if err != nil || !isEvent || !ids[e.ID()] {
		return events.Result{}, false
	}
	result, _, err := events.ParseResult(header, body)
	return result, err == nil
}
