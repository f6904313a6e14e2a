package egress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// customMessage is the verb whose messages are counted.
const customMessage = "send_custom_message"

const (
	// ledgerSweep is how often those are forgotten who did nothing for 48 h.
	ledgerSweep = 10 * time.Minute
	// calledKeys are the keys in WX_CLAIM of what went out through wx.call, which
	// leaves no result. The bucket forgets them after 7 days.
	calledKeys = "called."
	// copied is how old a result is that may have been stored before: not within the
	// stream's dedupe window, less what clocks differ.
	copied = 5 * time.Minute
)

// ledger knows how many custom messages each follower may still get. It is a
// fold in memory over what followers did and what became of the messages to
// them, the same in every process and after each restart, because both streams
// last longer than a window. Nothing is written for it, and nothing is read
// before somebody asks for the first time; then this process follows on.
//
// It informs, and no command is refused because of it. It cannot know what
// people send on the console, or other programs with the account's token, until
// WeChat refuses a message.
type ledger struct {
	bus    *bus.Bus
	logger *slog.Logger
	wanted chan struct{} // somebody has asked
	once   sync.Once

	mu        sync.Mutex
	followers map[[16]byte][]stamp // by the hash of the OpenID: half the memory
	caughtUp  chan struct{}        // closed when both streams are read
	swept     time.Time            // by the streams' clock
}

func newLedger(b *bus.Bus, logger *slog.Logger) *ledger {
	return &ledger{
		bus: b, logger: logger, wanted: make(chan struct{}),
		followers: map[[16]byte][]stamp{}, caughtUp: make(chan struct{}),
	}
}

// Run waits until somebody asks and then follows the streams, until ctx ends.
func (l *ledger) Run(ctx context.Context) {
	select {
	case <-l.wanted:
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		l.forget()
		err := l.bus.Replay(ctx, []bus.Past{
			{Stream: bus.StreamInbound, Back: messageWindow},
			{Stream: bus.StreamResult, Back: messageWindow, Subject: l.bus.Prefix.Subject(events.Results, customMessage)},
		}, l.read, l.begin)
		if err != nil && ctx.Err() == nil {
			l.logger.Warn("the ledger of custom messages stopped, beginning again", "error", err)
			pause(ctx, lateAgain)
		}
	}
}

// forget begins the fold anew.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.followers)
	l.swept = time.Time{}
	select {
	case <-l.caughtUp:
		l.caughtUp = make(chan struct{})
	default:
	}
}

// begin lets questions be answered: all that was stored is read.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.caughtUp)
	for key, stamps := range l.followers {
		l.followers[key] = trim(stamps)
	}
}

// read takes one message into the fold.
func (l *ledger) read(_ string, m events.Message) {
	openID, d, at := l.deed(m)
	if openID == "" || d == noDeed {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := ledgerKey(openID)
	s := stampOf(d, at)
	if !at.Equal(m.Time) && tells(l.followers[key], s) {
		return
	}
	l.followers[key] = note(l.followers[key], s)
	select {
	case <-l.caughtUp:
		l.followers[key] = trim(l.followers[key])
	default: // the other stream may still tell of what was before
	}
	if m.Time.Sub(l.swept) < ledgerSweep {
		return
	}
	l.swept = m.Time
	for key, stamps := range l.followers {
		if m.Time.Sub(stamps[len(stamps)-1].at()) > messageWindow {
			delete(l.followers, key)
		}
	}
}

// glance is all that the ledger needs of an event. The bridge's own ones are
// structured; reading them whole takes ten times as long, and there are two days
// of them.
type glance struct {
	Subject string `json:"subject"`
	Time    string `json:"time"`
	Data    struct {
		Item    string `json:"bizmsgmenuid"` // of an inbound text
		Outcome string `json:"outcome"`      // of a result
		ErrCode int    `json:"errcode"`
	} `json:"data"`
}

// deed says who did what, and when, by a message of either stream. What cannot be
// read says nothing here: others complain of it.
//
// When is the stream's time. A result that is much older was stored late, or is a
// copy of one that was stored before: a command's id that comes again after the
// dedupe window publishes its result again. It tells of its own time.
func (l *ledger) deed(m events.Message) (openID string, d deed, at time.Time) {
	branch, name, _ := l.bus.Prefix.Split(m.Subject)
	if branch == events.Inbound {
		if d = deedOf(name); d == noDeed {
			return "", d, m.Time // most events are none
		}
	}
	var e glance
	var odd *json.UnmarshalTypeError // in a field; the others are read
	if err := json.Unmarshal(m.Body, &e); err != nil && !errors.As(err, &odd) {
		return "", noDeed, m.Time
	}
	at = m.Time
	switch {
	case branch != events.Inbound:
		if own, err := time.Parse(time.RFC3339Nano, e.Time); err == nil && m.Time.Sub(own) > copied {
			at = own
		}
		d = deedOfResult(events.Result{Outcome: e.Data.Outcome, ErrCode: e.Data.ErrCode})
	case name == "text" && e.Data.Item != "":
		d = deedMenu // the tap on an item of a msgmenu message counts as one on the menu
	}
	return e.Subject, d, at
}

func ledgerKey(openID string) [16]byte {
	sum := sha256.Sum256([]byte(openID))
	return [16]byte(sum[:16])
}

// errReading says that the streams are still being read.
var errReading = errors.New("the messages of the last 48 hours are still being read: ask again")

// windows is what a follower may still get. The first question waits until the
// streams are read, or ctx ends.
func (l *ledger) windows(ctx context.Context, openID string) ([]events.QuotaWindow, error) {
	l.once.Do(func() { close(l.wanted) })
	l.mu.Lock()
	caughtUp := l.caughtUp
	l.mu.Unlock()
	select {
	case <-caughtUp:
	case <-ctx.Done():
		return nil, errReading
	}
	called, _, err := l.called(ctx, openID)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	stamps := append([]stamp(nil), l.followers[ledgerKey(openID)]...)
	l.mu.Unlock()
	for _, s := range called {
		stamps = note(stamps, s)
	}
	return windows(stamps, time.Now()), nil
}

// called is what went to a follower through wx.call, and the bucket's revision.
func (l *ledger) called(ctx context.Context, openID string) (stamps []stamp, revision uint64, err error) {
	kv, err := l.bus.JetStream().KeyValue(ctx, l.bus.Prefix.Resource(bus.BucketClaim))
	if err != nil {
		return nil, 0, err
	}
	entry, err := kv.Get(ctx, calledKey(openID))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if json.Unmarshal(entry.Value(), &stamps) != nil {
		stamps = nil // whatever that is, it is replaced by the next
	}
	return stamps, entry.Revision(), nil
}

func calledKey(openID string) string {
	key := ledgerKey(openID)
	return calledKeys + hex.EncodeToString(key[:])
}

// noteCall remembers what became of a custom message that was a call.
func (l *ledger) noteCall(ctx context.Context, openID string, r events.Result) {
	d := deedOfResult(r)
	if openID == "" || d == noDeed {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for {
		err := l.addCall(ctx, openID, stampOf(d, time.Now()))
		if bus.Conflict(err) && ctx.Err() == nil {
			continue // another call to this follower was faster
		}
		if err != nil {
			l.logger.Warn("a custom message is missing in the ledger", "error", err)
		}
		return
	}
}

func (l *ledger) addCall(ctx context.Context, openID string, s stamp) error {
	stamps, revision, err := l.called(ctx, openID)
	if err != nil {
		return err
	}
	stamps = note(stamps, s)
	value, err := json.Marshal(stamps[max(0, len(stamps)-mostStamps):])
	if err != nil {
		return err
	}
	kv, err := l.bus.JetStream().KeyValue(ctx, l.bus.Prefix.Resource(bus.BucketClaim))
	if err != nil {
		return err
	}
	if revision == 0 {
		_, err = kv.Create(ctx, calledKey(openID), value)
	} else {
		_, err = kv.Update(ctx, calledKey(openID), value, revision)
	}
	return err
}
