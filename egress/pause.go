package egress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Keys of WX_STATE. Whoever deletes one ends that pause; whoever writes one
// begins it: `nats kv del WX_STATE pause.api.get_groups`.
const (
	pauseKeys       = "pause."
	pauseAccountKey = pauseKeys + "account"
	pauseAPIKeys    = pauseKeys + "api."
)

// Pause says why an API, or the whole account, is not called for a while.
type Pause struct {
	// API is the verb, for call_api with the path; "" is the whole account.
	API     string      `json:"api,omitempty"`
	Class   wxapi.Class `json:"class"`
	ErrCode int         `json:"errcode,omitempty"`
	Reason  string      `json:"reason"`
	Since   time.Time   `json:"since"`
	// Until is when one command tries whether it is over.
	Until time.Time `json:"until"`
}

func (p Pause) key() string {
	if p.API == "" {
		return pauseAccountKey
	}
	return pauseAPIKeys + keyed(p.API)
}

func (p Pause) gate() string {
	if p.API == "" {
		return queue.Everything
	}
	return p.API
}

// keyed makes a text one that a bucket's key may hold.
func keyed(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '/', r == '=':
			return r
		}
		return '_'
	}, s)
}

// pauses are the pauses of an account, the same in every process: what one
// finds out stands in the bucket, and the next owner of the queue knows it.
type pauses struct {
	bus    *bus.Bus
	gates  gates
	logger *slog.Logger

	mu sync.Mutex
	by map[string]*paused // by key
}

// gates is what pauses shut and open.
type gates interface {
	Shut(gate string, until time.Time)
	Open(gate string)
}

type paused struct {
	Pause
	revision uint64 // of what the bucket holds, 0 for not yet
}

func newPauses(b *bus.Bus, gates gates, logger *slog.Logger) *pauses {
	return &pauses{bus: b, gates: gates, logger: logger, by: map[string]*paused{}}
}

// begin pauses an API or the account. Of many commands that were under way
// together and learned the same, the first one says so.
func (s *pauses) begin(ctx context.Context, p Pause) {
	s.mu.Lock()
	old := s.by[p.key()]
	if old != nil && p.Since.Before(old.Until) && !p.Until.After(old.Until.Add(time.Minute)) {
		s.mu.Unlock()
		return
	}
	now := &paused{Pause: p}
	if old != nil {
		now.Since, now.revision = old.Since, old.revision
	}
	s.by[p.key()] = now
	s.mu.Unlock()
	s.gates.Shut(p.gate(), p.Until)
	if old == nil || old.Reason != p.Reason {
		level := slog.LevelWarn
		if p.API == "" {
			level = slog.LevelError
		}
		s.logger.Log(ctx, level, "commands wait", "api", p.gate(), "reason", p.Reason, "until", p.Until.UTC().Format(time.RFC3339))
	}
	s.store(ctx, p.key(), now.Pause)
}

// passed notes that WeChat has executed or looked at a command. If it was one
// that tried whether a pause is over, it is.
func (s *pauses) passed(ctx context.Context, api string, sent time.Time) {
	s.mu.Lock()
	none := len(s.by) == 0
	s.mu.Unlock()
	if none {
		return
	}
	for _, p := range []Pause{{}, {API: api}} {
		s.mu.Lock()
		old := s.by[p.key()]
		s.mu.Unlock()
		if old != nil && !sent.Before(old.Until) {
			s.end(ctx, old.Pause)
		}
	}
}

// endQuota ends the pauses of used-up quotas, all or those of one path.
func (s *pauses) endQuota(ctx context.Context, path string) {
	s.mu.Lock()
	var over []Pause
	for _, p := range s.by {
		if p.Class == wxapi.ClassQuota && (path == "" || pathOf(p.API) == path) {
			over = append(over, p.Pause)
		}
	}
	s.mu.Unlock()
	for _, p := range over {
		s.end(ctx, p)
	}
}

func (s *pauses) end(ctx context.Context, p Pause) {
	s.forget(p.key())
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	kv, err := s.bucket(ctx)
	if err == nil {
		err = kv.Delete(ctx, p.key())
	}
	if err != nil {
		s.logger.Warn("the end of a pause is not stored", "api", p.gate(), "error", err)
	}
}

// forget opens the gate of a pause.
func (s *pauses) forget(key string) {
	s.mu.Lock()
	old := s.by[key]
	delete(s.by, key)
	s.mu.Unlock()
	if old != nil {
		s.logger.Info("commands are executed again", "api", old.gate(), "was", old.Reason)
		s.gates.Open(old.gate())
	}
}

func (s *pauses) store(ctx context.Context, key string, p Pause) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	value, err := json.Marshal(p)
	var kv jetstream.KeyValue
	if err == nil {
		kv, err = s.bucket(ctx)
	}
	var revision uint64
	if err == nil {
		revision, err = kv.Put(ctx, key, value)
	}
	if err != nil {
		s.logger.Warn("a pause is not stored: it ends with this process", "api", p.gate(), "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.by[key]; now != nil {
		now.revision = max(now.revision, revision)
	}
}

func (s *pauses) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	return s.bus.JetStream().KeyValue(ctx, s.bus.Prefix.Resource(bus.BucketState))
}

// follow learns what other processes and people say, until ctx ends.
func (s *pauses) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_, changed, err := s.bus.Settled(ctx)
		if err != nil {
			return
		}
		if err := s.watch(ctx, changed); err != nil && ctx.Err() == nil {
			s.logger.Warn("pauses cannot be followed", "error", err)
			sleep(ctx, time.Second)
		}
	}
}

// watch takes the bucket's word for what is paused, from now until something
// changes.
func (s *pauses) watch(ctx context.Context, changed <-chan struct{}) error {
	kv, err := s.bucket(ctx)
	if err != nil {
		return err
	}
	watcher, err := kv.Watch(ctx, pauseKeys+">")
	if err != nil {
		return fmt.Errorf("watch %s: %w", kv.Bucket(), err)
	}
	defer watcher.Stop() //nolint:errcheck // of a connection that is gone nothing is left
	there := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			return nil
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errors.New("the watch has ended")
			case entry == nil: // all that there was
				s.keep(there)
			default:
				there[entry.Key()] = entry.Operation() == jetstream.KeyValuePut
				s.hear(entry)
			}
		}
	}
}

// keep ends what the bucket held once and holds no more.
func (s *pauses) keep(there map[string]bool) {
	s.mu.Lock()
	var over []string
	for key, p := range s.by {
		if p.revision != 0 && !there[key] {
			over = append(over, key)
		}
	}
	s.mu.Unlock()
	for _, key := range over {
		s.forget(key)
	}
}

// hear takes over what somebody wrote, unless we know of something newer.
func (s *pauses) hear(entry jetstream.KeyValueEntry) {
	s.mu.Lock()
	old := s.by[entry.Key()]
	known := old != nil && old.revision >= entry.Revision()
	s.mu.Unlock()
	if known {
		return
	}
	var p Pause
	if entry.Operation() != jetstream.KeyValuePut || json.Unmarshal(entry.Value(), &p) != nil || p.Until.IsZero() || p.key() != entry.Key() {
		s.forget(entry.Key()) // it is over, or nothing that one could keep to
		return
	}
	s.mu.Lock()
	s.by[entry.Key()] = &paused{Pause: p, revision: entry.Revision()}
	s.mu.Unlock()
	s.gates.Shut(p.gate(), p.Until)
}

// trouble is what only an operator can mend, "" without.
func (s *pauses) trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.by[pauseAccountKey]; p != nil {
		return p.Reason
	}
	return ""
}
