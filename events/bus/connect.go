package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// takes is how long a link may take nothing.
const takes = 2 * time.Second

// Bus is one process's connection to the bus.
type Bus struct {
	Prefix events.Prefix

	nc      *nats.Conn
	js      jetstream.JetStream
	streams StreamConfig
	logger  *slog.Logger
	pub     *publisher

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	moved   chan struct{} // closed and replaced when the connection is another one
	// epoch counts the connections; it is what a feed compares to know that
	// it must prove itself again.
	epoch uint64
	// settled is the epoch whose streams were found in order, settleErr why the
	// last look did not find them so.
	settled   uint64
	settleErr error
	denied    error
	// up is whether the connection is there, and away why not. Both are as the
	// connection has told: asked, it would answer only after what it is writing.
	up   bool
	away error
}

// Connect starts connecting and returns at once: a NATS that is away is no
// error, the bus keeps trying and says so in Reasons. The error is a setting
// that no retry can mend. Run must be running for the bus to become ready.
func Connect(name string, c Config, p events.Prefix, streams StreamConfig, logger *slog.Logger) (*Bus, error) {
	b := &Bus{Prefix: p, streams: streams, logger: logger, changed: make(chan struct{}), moved: make(chan struct{})}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	options = append(options,
		nats.Name(name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, time.Second),
		// A ping unanswered for that long is a dead link; the default takes minutes.
		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2),
		// Nothing is buffered for a dead link: markers would arrive minutes late.
		nats.ReconnectBufSize(-1),
		// So is a link that takes nothing: while something is being written the client
		// does nothing else, not even count pings. The default is a minute.
		nats.FlusherTimeout(takes), nats.ReconnectOnFlusherError(),
		// Credentials that are refused today may be right tomorrow; the default
		// gives up for good after the second refusal.
		nats.IgnoreAuthErrorAbort(),
		nats.ConnectHandler(func(nc *nats.Conn) { b.linked(nc, "first") }),
		nats.ReconnectHandler(func(nc *nats.Conn) { b.linked(nc, "again") }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { b.unlinked(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { b.unreached(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { b.asyncError(err) }),
	)
	b.nc, err = nats.Connect(c.URL, options...)
	if err != nil {
		return nil, urlError(err)
	}
	if err := b.open(c.Domain); err != nil {
		b.nc.Close()
		return nil, err
	}
	return b, nil
}

func (b *Bus) open(domain string) (err error) {
	if domain == "" {
		b.js, err = jetstream.New(b.nc)
	} else {
		b.js, err = jetstream.NewWithDomain(b.nc, domain)
	}
	if err != nil {
		return fmt.Errorf("jetstream: %w", err)
	}
	b.pub, err = newPublisher(b.nc, b.streams.Streams(b.Prefix))
	return err
}

// Names is the prefix, for those who know the bus by an interface.
func (b *Bus) Names() events.Prefix { return b.Prefix }

// Conn is the NATS connection, for what is plain NATS: services.
func (b *Bus) Conn() *nats.Conn { return b.nc }

// JetStream is the JetStream context, for consumers and buckets.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// Close closes the connection at once; Conn().Drain lets what is on its way finish first.
func (b *Bus) Close() {
	b.nc.Close()
	b.pub.out.rest()
}

// Run keeps the streams right: it looks after each connection, and again until
// all is in order. It returns when ctx ends, or with the reason when the very
// first look finds what no retry can mend (*PromiseError, *MissingError).
func (b *Bus) Run(ctx context.Context) error {
	const again = time.Second
	first := true
	for {
		epoch, up, changed := b.link()
		var retry <-chan time.Time
		if up {
			err := b.settle(ctx, epoch)
			switch {
			case err == nil:
				first = false
			case ctx.Err() != nil:
				return nil //nolint:nilerr // the end, not a failure
			case first && unmendable(err):
				return err
			default:
				retry = time.After(again)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry:
		}
	}
}

func unmendable(err error) bool {
	var promise *PromiseError
	var missing *MissingError
	return errors.As(err, &promise) || errors.As(err, &missing)
}

func (b *Bus) settle(ctx context.Context, epoch uint64) error {
	b.mu.Lock()
	done := b.settled == epoch
	b.mu.Unlock()
	if done {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := Ensure(ctx, b.js, b.Prefix, b.streams)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil && (b.settleErr == nil || b.settleErr.Error() != err.Error()) {
		b.logger.Warn("streams are not in order", "error", err)
	}
	b.settleErr = err
	if err == nil {
		b.settled = epoch
		b.broadcast()
	}
	return err
}

// unsettle asks Run to look after the streams again: one of them is gone.
func (b *Bus) unsettle(epoch uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settled == epoch {
		b.settled = 0
		b.broadcast()
	}
}

// Settled waits until the streams of the present connection are in order, and
// returns the connection's number and a channel that closes when it is another.
func (b *Bus) Settled(ctx context.Context) (epoch uint64, moved <-chan struct{}, err error) {
	for {
		b.mu.Lock()
		epoch, ok, changed, moved := b.epoch, b.up && b.settled == b.epoch, b.changed, b.moved
		b.mu.Unlock()
		if ok {
			return epoch, moved, nil
		}
		select {
		case <-ctx.Done():
			return 0, nil, ctx.Err()
		case <-changed:
		}
	}
}

// Reasons says why the bus is not ready; none when it is.
func (b *Bus) Reasons() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.denied != nil:
		return []string{"NATS refuses a subject: " + b.denied.Error()}
	case !b.up && b.away != nil:
		return []string{"NATS is not connected: " + b.away.Error()}
	case !b.up:
		return []string{"NATS is not connected"}
	case b.settleErr != nil:
		return []string{"streams: " + b.settleErr.Error()}
	case b.settled != b.epoch:
		return []string{"streams are being checked"}
	}
	return nil
}

func (b *Bus) link() (epoch uint64, up bool, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.epoch, b.up, b.changed
}

// linked gets the connection from NATS: it may be called before Connect has it.
func (b *Bus) linked(nc *nats.Conn, how string) {
	b.mu.Lock()
	b.up, b.away, b.denied = true, nil, nil
	b.move()
	b.mu.Unlock()
	b.logger.Info("NATS is connected", "how", how, "server", nc.ConnectedUrlRedacted())
}

func (b *Bus) unlinked(err error) {
	b.mu.Lock()
	b.up, b.away = false, err
	b.move()
	b.mu.Unlock()
	if err != nil {
		b.logger.Warn("NATS connection lost, trying again", "error", err)
	}
}

func (b *Bus) unreached(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

// asyncError hears of what a publisher only sees as a time-out: the server
// refused a subject.
func (b *Bus) asyncError(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		b.mu.Lock()
		b.denied = err
		b.mu.Unlock()
	}
	b.logger.Error("NATS reports an error", "error", err)
}

// move begins a new epoch; the caller holds mu.
func (b *Bus) move() {
	b.epoch++
	close(b.moved)
	b.moved = make(chan struct{})
	b.broadcast()
}

// broadcast wakes all who wait for a change; the caller holds mu.
func (b *Bus) broadcast() {
	close(b.changed)
	b.changed = make(chan struct{})
}
