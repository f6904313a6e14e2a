package egress

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	// workers is how many commands are executed at once, of one API half as many:
	// enough that some of them always publish at the same moment and share a write,
	// and fewer than the connections to WeChat that are kept.
	workers = 192
	// grace is how long sends may go on after the process was told to stop.
	grace = 12 * time.Second
	// storeWithin bounds one try to write a claim.
	storeWithin = 5 * time.Second
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

	process string // names this process in claims and in the lease
	claims  *queue.Claims
	queue   *queue.Queue
	pauses  *pauses
	rates   *rates
	ledger  *ledger
	ends    ends

	// Tests shorten these: the waits of decisions, how long an heir leaves alone
	// what another was sending, and how long sends may go on after the end,
	// without which a process is as good as killed.
	decide           func(attempt) decision
	heirWaits, grace time.Duration

	mu      sync.Mutex
	running bool
	flying  map[string]bool // ids that this process works on now
	// unsure are ids whose claim may say sending although nothing was sent: the
	// bus did not tell whether it has stored it.
	unsure map[string]bool
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
	e := &Egress{
		cfg: cfg, appID: appID, bus: b, client: client, media: media, late: late, observe: observer, logger: logger,
		process: nuid.Next(), decide: decide, heirWaits: heirWaits, grace: grace,
		rates:  newRates(cfg.Rate),
		flying: map[string]bool{}, unsure: map[string]bool{},
	}
	e.queue = &queue.Queue{
		JetStream: b.JetStream(),
		Post:      b.Post,
		Stream:    b.Prefix.Resource(bus.StreamCmd),
		State:     b.Prefix.Resource(bus.BucketState),
		Consumer:  "egress",
		Probe:     func(process string) string { return string(b.Prefix) + ".owner." + process },
		Workers:   workers,
		Read:      e.read,
		Logger:    logger,
	}
	e.pauses = newPauses(b, e.queue, logger)
	e.queue.Settled = e.settledBus
	e.ledger = newLedger(b, logger)
	return e
}

// Run answers calls, and executes commands while this process owns the queue,
// until ctx ends; then it lets what is being sent finish.
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
	var beside sync.WaitGroup
	defer beside.Wait()
	if e.late != nil {
		beside.Go(func() { e.late.Run(ctx) })
	}
	beside.Go(func() { // beside the commands: the time to stop is the same for both
		<-ctx.Done()
		calls.stop(e.grace)
	})
	beside.Go(func() { e.pauses.follow(ctx) })
	beside.Go(func() { e.ledger.Run(ctx) })
	e.queue.Process, e.queue.Grace = e.process, e.grace
	e.queue.Run(ctx)
	return nil
}

// settledBus waits until the bus is in order and what is paused is known: an owner
// that began before would ask WeChat again what its predecessor was told.
func (e *Egress) settledBus(ctx context.Context) (epoch uint64, moved <-chan struct{}, err error) {
	e.ends.forget()
	for {
		epoch, moved, err = e.bus.Settled(ctx)
		if err != nil {
			return epoch, moved, err
		}
		select {
		case <-e.pauses.readOn(epoch):
			return epoch, moved, nil
		case <-moved:
		case <-ctx.Done():
			return epoch, moved, ctx.Err()
		}
	}
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
	claims, err := queue.OpenClaims(ctx, js, p.Resource(bus.BucketClaim), e.store)
	if err != nil {
		return err
	}
	e.claims = claims
	return nil
}

// store stores a claim.
func (e *Egress) store(ctx context.Context, m *nats.Msg) (uint64, error) {
	ack, err := e.bus.Once(ctx, storeWithin, m)
	return ack.Sequence, err
}

// Reasons says why commands cannot be executed now; none when they can.
func (e *Egress) Reasons() []string {
	reasons := e.bus.Reasons()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(reasons) == 0 && !e.running {
		reasons = append(reasons, "egress has not begun")
	}
	if trouble := e.queue.Trouble(); len(reasons) == 0 && trouble != nil {
		reasons = append(reasons, "commands are not executed: "+trouble.Error())
	}
	if len(reasons) == 0 && !e.pauses.known() {
		reasons = append(reasons, "commands are not executed: what is paused is not read yet")
	}
	if trouble := e.pauses.trouble(); trouble != "" {
		reasons = append(reasons, trouble)
	}
	if reason := e.ends.reason(); reason != "" {
		reasons = append(reasons, reason)
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

// sendingUnsure remembers that the claim of an id may say sending and nothing
// was sent.
func (e *Egress) sendingUnsure(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unsure[id] = true
}

// knownUnsent says whether this process knows that nothing was sent although
// the claim may say so, and forgets it.
func (e *Egress) knownUnsent(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.unsure[id]
	delete(e.unsure, id)
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
