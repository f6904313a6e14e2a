package egress

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	// workers is how many commands are executed at once.
	workers = 16
	// grace is how long sends may go on after the process was told to stop.
	grace = 12 * time.Second
)

// Egress executes the commands of one account.
type Egress struct {
	cfg     Config
	appID   string
	bus     *bus.Bus
	client  *wxapi.Client
	media   *Media
	late    *Late
	observe Observer
	logger  *slog.Logger

	process string // names this process in claims
	claims  *queue.Claims
	created time.Time // of the command stream, part of a bare command's id

	// Tests shorten these: the waits of decisions, the time until a dead
	// process's commands come to another, and how long sends may go on after
	// the end, without which a process is as good as killed.
	decide         func(attempt) decision
	ackWait, grace time.Duration

	mu      sync.Mutex
	rests   time.Time // the account is not called before
	trouble string    // what only an operator can mend, "" without
	running bool
	flying  map[string]bool // ids that this process works on now
	// unsent are ids whose claim may say sending although nothing was sent: the
	// bus did not tell whether it has stored it.
	unsent map[string]bool
}

// New makes an egress; nothing runs before Run. The client must keep its token
// and media where every replica finds them: NewTokens, NewMedia.
// late may be nil: then late replies are another process's.
func New(cfg Config, appID string, b *bus.Bus, client *wxapi.Client, media *Media, late *Late, observer Observer, logger *slog.Logger) *Egress {
	if observer == nil {
		observer = Observers(nil)
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Egress{
		cfg: cfg, appID: appID, bus: b, client: client, media: media, late: late, observe: observer, logger: logger,
		process: nuid.Next(), decide: decide, grace: grace, flying: map[string]bool{}, unsent: map[string]bool{},
	}
}

// Run executes commands and answers calls until ctx ends, then lets what is
// being sent finish.
func (e *Egress) Run(ctx context.Context) error {
	if err := e.open(ctx); err != nil {
		return nil // only the end of ctx ends the tries to open
	}
	calls, err := e.serveCalls(ctx)
	if err != nil {
		return err
	}
	e.setRunning(true)
	defer e.setRunning(false)
	var calling sync.WaitGroup
	defer calling.Wait()
	if e.late != nil {
		calling.Go(func() { e.late.Run(ctx) })
	}
	calling.Go(func() { // beside the commands: the time to stop is the same for both
		<-ctx.Done()
		calls.stop(e.grace)
	})
	(&queue.Queue{
		JetStream: e.bus.JetStream(),
		Stream:    e.bus.Prefix.Resource(bus.StreamCmd),
		Consumer:  "egress",
		Workers:   workers,
		Work:      e.work,
		Grace:     e.grace,
		AckWait:   e.ackWait,
		Logger:    e.logger,
	}).Run(ctx)
	return nil
}

// open waits for the bus and opens what egress keeps there.
func (e *Egress) open(ctx context.Context) error {
	const again = time.Second
	for {
		err := e.tryOpen(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		e.logger.Warn("egress cannot begin yet", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

func (e *Egress) tryOpen(ctx context.Context) error {
	if _, _, err := e.bus.Settled(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	js, p := e.bus.JetStream(), e.bus.Prefix
	claims, err := queue.OpenClaims(ctx, js, p.Resource(bus.BucketClaim))
	if err != nil {
		return err
	}
	var stream jetstream.Stream
	if stream, err = js.Stream(ctx, p.Resource(bus.StreamCmd)); err != nil {
		return fmt.Errorf("stream %s: %w", p.Resource(bus.StreamCmd), err)
	}
	e.claims, e.created = claims, stream.CachedInfo().Created
	return nil
}

// Reasons says why commands cannot be executed now; none when they can.
func (e *Egress) Reasons() []string {
	reasons := e.bus.Reasons()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(reasons) == 0 && !e.running {
		reasons = append(reasons, "egress has not begun")
	}
	if e.trouble != "" {
		reasons = append(reasons, e.trouble)
	}
	if e.late != nil && e.running {
		reasons = append(reasons, e.late.Reasons()...)
	}
	return reasons
}

func (e *Egress) setRunning(running bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = running
}

// resting says how long the account is not to be called.
func (e *Egress) resting(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rests.Sub(now)
}

// rest keeps the account from being called; what is the reason for the operator.
func (e *Egress) rest(until time.Time, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trouble != what {
		e.logger.Error("commands wait for an operator", "reason", what, "again", until.UTC().Format(time.RFC3339))
	}
	e.rests, e.trouble = until, what
}

// recovered forgets the trouble: WeChat has answered a command.
func (e *Egress) recovered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.trouble != "" {
		e.logger.Info("commands are executed again", "was", e.trouble)
	}
	e.trouble = ""
}

// sendingUnsure remembers that the claim of an id may say sending and nothing
// was sent.
func (e *Egress) sendingUnsure(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unsent[id] = true
}

// knownUnsent says whether this process knows that nothing was sent although
// the claim may say so, and forgets it.
func (e *Egress) knownUnsent(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.unsent[id]
	delete(e.unsent, id)
	return known
}

// enter says whether this process may work on a command id: not while it does
// so already, as when NATS was away for so long that the command came again.
func (e *Egress) enter(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flying[id] {
		return false
	}
	e.flying[id] = true
	return true
}

func (e *Egress) leave(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.flying, id)
}
