package queue

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Post publishes a message, perhaps together with others, and calls failed if that
// cannot be done; failed does not block.
type Post func(m *nats.Msg, failed func(error))

// acks takes commands off the queue and sees to it that the server confirms
// each: an ack that is lost would leave the command in the stream for as long as
// the tenure lasts. Nobody waits for the confirmation but the end of a tenure.
// Whoever dies before it leaves a command whose claim is done: its heir
// publishes the same result again and acks it.
type acks struct {
	post   Post
	logger *slog.Logger
	inbox  string // the sequence follows
	heard  *nats.Subscription

	mu   sync.Mutex
	open map[uint64]openAck // by the command's sequence
	none chan struct{}      // closed when none is open; nil while nobody waits
}

// openAck is an ack that is not confirmed yet.
type openAck struct {
	subject string
	sent    time.Time
}

func newAcks(conn *nats.Conn, post Post, logger *slog.Logger) (*acks, error) {
	a := &acks{post: post, logger: logger, inbox: conn.NewInbox() + ".", open: map[uint64]openAck{}}
	var err error
	if a.heard, err = conn.Subscribe(a.inbox+"*", a.confirm); err != nil {
		return nil, fmt.Errorf("confirmations of acks: %w", err)
	}
	return a, nil
}

func (a *acks) stop() { _ = a.heard.Unsubscribe() } // a closed connection has no subscriptions

// ack takes a command off the queue.
func (a *acks) ack(sequence uint64, subject string) {
	a.mu.Lock()
	a.open[sequence] = openAck{subject, time.Now()}
	a.mu.Unlock()
	a.send(sequence, subject)
}

func (a *acks) send(sequence uint64, subject string) {
	a.post(&nats.Msg{Subject: subject, Reply: a.inbox + strconv.FormatUint(sequence, 10), Data: []byte("+ACK")}, func(error) {
		// Without a connection there is nothing to do: with it the tenure ends.
	})
}

// confirm hears the server. That nobody listens is no confirmation: a consumer
// may be without a leader for a moment.
func (a *acks) confirm(m *nats.Msg) {
	sequence, err := strconv.ParseUint(m.Subject[len(a.inbox):], 10, 64)
	if err != nil || m.Header.Get("Status") != "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, sequence)
	if len(a.open) == 0 && a.none != nil {
		close(a.none)
		a.none = nil
	}
}

// repeat sends again what is not confirmed, until ctx ends.
func (a *acks) repeat(ctx context.Context) {
	tick := time.NewTicker(ask)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n := a.sendAgain(time.Now().Add(-ask)); n > 0 {
			a.logger.Warn("acks of finished commands are not confirmed, sending them again", "acks", n)
		}
	}
}

// sendAgain sends what was sent before a time and is not confirmed, and says how
// many that is. The server confirms a second ack like the first.
func (a *acks) sendAgain(before time.Time) int {
	late := a.overdue(before)
	for sequence, subject := range late {
		a.send(sequence, subject)
	}
	return len(late)
}

// overdue are those that were sent before a time.
func (a *acks) overdue(before time.Time) map[uint64]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	late := map[uint64]string{}
	for sequence, ack := range a.open {
		if ack.sent.Before(before) {
			late[sequence] = ack.subject
		}
	}
	return late
}

// confirmed waits until all that was acked is confirmed, or ctx ends; not for
// ever, because the next tenure gets the rest again.
func (a *acks) confirmed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*ask)
	defer cancel()
	a.mu.Lock()
	if len(a.open) == 0 {
		a.mu.Unlock()
		return
	}
	none := make(chan struct{})
	a.none = none
	a.mu.Unlock()
	a.sendAgain(time.Now())
	select {
	case <-none:
	case <-ctx.Done():
	}
}
