package egress

import (
	"container/list"
	"context"
	"log/slog"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

const (
	// ripeAfter is how long after it saw an event the late worker takes its holder
	// for dead: WeChat's three tries are over after 15 s. It runs on this
	// process's own clock, never against the server's.
	ripeAfter = 17 * time.Second
	// lateAgain is how soon an action comes again that the bus did not take,
	// fileAgain one that nobody waits for.
	lateAgain = time.Second
	fileAgain = 5 * time.Second
	// lateWithin bounds one action, fileWithin one that may move a large original
	// into the object store.
	lateWithin = 5 * time.Second
	fileWithin = 30 * time.Second
	// lateWorkers is how many stories are acted on at once.
	lateWorkers = 8
	// lateMargin keeps replayed replies from being acted on when the streams may
	// have forgotten what was done about them before: an action may come ripeAfter
	// after the reading, and a dedupe window may be no longer than the reply window.
	lateMargin = 30 * time.Second
)

// LateBus is what the late worker needs of the bus. *bus.Bus is one.
type LateBus interface {
	Names() events.Prefix
	PublishEvent(ctx context.Context, subject string, e cloudevents.Event, id, key string) (bus.Ack, error)
	PublishLetter(ctx context.Context, name string, e cloudevents.Event, id string) (bus.Ack, error)
	Stored(ctx context.Context, stream string, sequence uint64) (events.Message, error)
	Replay(ctx context.Context, pasts []bus.Past, handle func(stream string, m events.Message), caughtUp func()) error
}

// Late turns replies that no callback could carry into commands, and ends the
// holds whose holders died. It is a fold in memory over the inbound events, the
// logs of their keys and their outcomes, made anew at each connection, and acts
// only after it has read all three to their end. All that it publishes is
// deduplicated by the event's id, so any number of replicas may do the same.
//
// If every egress is away for longer than the reply window, less lateMargin where
// that is as long as the streams remember ids, late replies of that time are lost.
type Late struct {
	bus     LateBus
	names   events.Prefix
	appID   string
	window  time.Duration
	drop    bool
	ripe    time.Duration // ripeAfter, shorter in tests
	observe Observer
	logger  *slog.Logger

	mu       sync.Mutex
	stories  map[string]*story
	order    list.List // of *story as they began, to forget them in that order
	now      time.Time // the newest time of the streams
	caughtUp bool
	todo     []*story      // to look at, oldest first
	wake     chan struct{} // tells a worker that there is something to do
	timers   timers
	troubles troubles
	filing   int  // how many workers file a line
	jammed   bool // the last filing failed; then one worker at a time tries, and the others have time for what matters
}

// NewLate makes a late worker; window is WX_REPLY_WINDOW. observer and logger
// may be nil.
func NewLate(cfg Config, appID string, window time.Duration, b LateBus, observer Observer, logger *slog.Logger) *Late {
	if observer == nil {
		observer = Observers(nil)
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Late{
		bus: b, names: b.Names(), appID: appID, window: window, drop: cfg.Late == lateDrop, ripe: ripeAfter,
		observe: observer, logger: logger, wake: make(chan struct{}, 1),
	}
}

// Reasons says why late replies are not sent now; none when they are.
func (l *Late) Reasons() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.caughtUp {
		return []string{"late replies: still reading what was held before"}
	}
	return l.troubles.reasons()
}

// Run works until ctx ends.
func (l *Late) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.follow(ctx); err != nil && ctx.Err() == nil {
			l.logger.Warn("late replies stopped, beginning again", "error", err)
			pause(ctx, lateAgain)
		}
	}
}

// follow works over one connection.
func (l *Late) follow(ctx context.Context) error {
	l.forget()
	ctx, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer stop()
	for range lateWorkers {
		working.Go(func() { l.work(ctx) })
	}
	working.Go(func() { l.ripen(ctx) })
	return l.bus.Replay(ctx, l.pasts(), l.read, l.begin)
}

// pasts is how far back the fold begins.
func (l *Late) pasts() []bus.Past {
	replies := min(l.window-time.Second, bus.Remembered(l.window)-lateMargin) // one that expires meanwhile would be waited for
	belong := l.window + replies                                              // what a reply of the window may belong to
	return []bus.Past{
		{Stream: bus.StreamInbound, Back: belong},
		{Stream: bus.StreamOutcome, Back: belong},
		{Stream: bus.StreamReply, Back: replies},
	}
}

// forget begins the fold anew.
func (l *Late) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stories, l.now, l.caughtUp = map[string]*story{}, time.Time{}, false
	l.order.Init()
	l.todo, l.timers = nil, nil
	l.troubles, l.filing, l.jammed = troubles{}, 0, false
}

// begin lets the workers act: all that was stored is read.
func (l *Late) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.caughtUp = true
	for _, s := range l.stories {
		l.look(s)
	}
}

// read takes one message into the fold.
func (l *Late) read(stream string, m events.Message) {
	branch, name, ok := l.names.Split(m.Subject)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Time.After(l.now) {
		l.now = m.Time
	}
	switch stream {
	case bus.StreamInbound:
		l.readInbound(m)
	case bus.StreamOutcome:
		l.readOutcome(m)
	default:
		l.readLog(branch, name, m)
	}
	l.expire()
}

func (l *Late) readInbound(m events.Message) {
	in, err := events.ParseInbound(l.names, m)
	if err != nil {
		l.logger.Error("an inbound event cannot be read: a reply to it will be unknown", "sequence", m.Sequence, "error", err)
		return
	}
	s := l.story(in.ID)
	if s.stored.IsZero() && len(s.log) > 0 {
		// A reply was here first: a plain subscriber hears an event that the stream
		// does not take yet. The tries count from the event.
		l.ripensFromNow(s)
	}
	s.kind, s.openID, s.stored, s.held = in.Kind, in.OpenID, m.Time, !in.Deadline.IsZero()
	l.look(s)
}

func (l *Late) readOutcome(m events.Message) {
	o, err := events.ParseOutcome(m.Header, m.Body)
	if err != nil || o.Event == "" {
		l.logger.Error("an outcome cannot be read", "sequence", m.Sequence, "error", err)
		return
	}
	s := l.story(o.Event)
	if o.Late() {
		s.late, s.counted = true, o.Sequence
	} else if s.hold == nil { // the first counts, should the stream hold two
		s.hold = &events.Outcome{Outcome: o.Outcome, Sequence: o.Sequence}
	}
	l.look(s)
}

func (l *Late) readLog(branch events.Branch, key string, m events.Message) {
	read := readLine(branch, m)
	if read.Mark != nil && (read.Mark.Mark == events.MarkProbe || read.Mark.Mark == events.MarkTry) {
		return // neither says anything here
	}
	s := l.story(key)
	s.log = append(s.log, read)
	l.look(s)
}

// story is that of a key, begun if there is none. The caller holds mu.
func (l *Late) story(key string) *story {
	s := l.stories[key]
	if s == nil {
		s = &story{about: about{key: key}}
		l.stories[key] = s
		s.place = l.order.PushBack(s)
		l.ripensFromNow(s)
	}
	return s
}

// expire forgets the stories that no reply can change any more. The caller holds mu.
func (l *Late) expire() {
	for l.caughtUp && l.order.Len() > 0 {
		s := l.order.Front().Value.(*story) //nolint:forcetypeassert // all are
		began := s.stored
		if began.IsZero() && len(s.log) > 0 {
			began = s.log[0].at
		}
		if s.working || !s.ripe || l.now.Sub(began) <= l.window+lateMargin {
			return
		}
		l.remove(s)
	}
}

// remove forgets a story. The caller holds mu.
func (l *Late) remove(s *story) {
	l.order.Remove(s.place)
	l.troubles.keep(s, noStep)
	delete(l.stories, s.key)
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
