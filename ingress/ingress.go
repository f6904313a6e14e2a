package ingress

import (
	"context"
	"log/slog"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Bus is what ingress needs of the bus. *bus.Bus is one.
type Bus interface {
	Names() events.Prefix
	// Publish and PublishEvent store a message; the subscribers' answers to one
	// that was published with a key go to whom OnAnswer named.
	Publish(ctx context.Context, subject string, header events.Header, body []byte, id, key string) (bus.Ack, error)
	PublishEvent(ctx context.Context, subject string, e cloudevents.Event, id, key string) (bus.Ack, error)
	PublishLetter(ctx context.Context, name string, e cloudevents.Event, id string) (bus.Ack, error)
	OnAnswer(f func(bus.Answer))
	// Request asks who serves a subject, and waits for the answer.
	Request(ctx context.Context, subject string, e cloudevents.Event) ([]byte, error)
	// Log is what is stored under a key, Stored one message of a stream.
	Log(ctx context.Context, key string) ([]events.Message, error)
	Stored(ctx context.Context, stream string, sequence uint64) (events.Message, error)
	// NewFeed brings the logs of all keys, from now on.
	NewFeed(handle func(branch events.Branch, key string, m events.Message)) bus.Feed
	Reasons() []string
}

// Ingress serves the callbacks of one account.
type Ingress struct {
	cfg     Config
	account *callback.Account
	bus     Bus
	names   events.Prefix
	feed    bus.Feed
	rooms   *rooms
	gate    gate
	kinds   map[string]bool // of WX_HOLD_KINDS, nil without
	fetches chan struct{}   // a place for each file that is being fetched
	observe Observer
	logger  *slog.Logger

	// work is answers on their way into a log, and dead letters. Run waits for it.
	work tasks
	// ctx ends soon after Run was told to; it bounds work.
	ctx  context.Context //nolint:containedctx // bounds goroutines that outlive the request that began them
	stop context.CancelFunc
}

// New makes an ingress; nothing runs before Run. observer and logger may be nil.
func New(cfg Config, account *callback.Account, b Bus, observer Observer, logger *slog.Logger) *Ingress {
	if observer == nil {
		observer = Observers(nil)
	}
	i := &Ingress{
		cfg: cfg, account: account, bus: b, names: b.Names(), rooms: newRooms(),
		gate: gate{maxHolds: cfg.MaxHolds, maxBytes: cfg.MaxHeldBytes}, fetches: make(chan struct{}, fetchesAtOnce), observe: observer, logger: discard(logger),
	}
	if len(cfg.HoldKinds) > 0 {
		i.kinds = map[string]bool{}
		for _, kind := range cfg.HoldKinds {
			i.kinds[kind] = true
		}
	}
	i.ctx, i.stop = context.WithCancel(context.Background()) //nolint:forbidigo // begins here, ends in Run
	i.feed = b.NewFeed(i.heard)
	b.OnAnswer(i.answered)
	return i
}

// lastWork bounds what is still on its way when Run ends.
const lastWork = 3 * time.Second

// Run feeds the held callbacks until ctx ends, then waits for what is still on
// its way. End it only after the HTTP server has shut down: held tries need it.
func (i *Ingress) Run(ctx context.Context) {
	i.feed.Run(ctx)
	timer := time.AfterFunc(lastWork, i.stop)
	defer timer.Stop()
	i.work.Close()
	i.stop()
}

// WaitReady returns when the feed has run once; the callback port stays closed until then.
func (i *Ingress) WaitReady(ctx context.Context) error { return i.feed.WaitReady(ctx) }

// Reasons says why callbacks cannot be served now; none when they can.
func (i *Ingress) Reasons() []string {
	reasons := i.bus.Reasons()
	if len(reasons) == 0 && !i.feed.Ready() {
		reasons = []string{"the feed of replies has not shown that it runs on this connection"}
	}
	return reasons
}

// holds says whether callbacks of a kind are held.
func (i *Ingress) holds(kind string) bool {
	if i.cfg.Hold == 0 {
		return false
	}
	if i.kinds != nil {
		return i.kinds[kind]
	}
	row, _ := callback.LookupKind(kind)
	return row.Held
}
