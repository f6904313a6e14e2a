package egress

import (
	"context"
	"encoding/json"
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
	// cleared is when a quota was last cleared, by path, "" for all of them.
	cleared map[string]time.Time
	read    reading
}

// gates is what pauses shut and open.
type gates interface {
	Shut(gate string, until time.Time)
	Open(gate string)
}

type paused struct {
	Pause
	revision uint64    // of what the bucket holds, 0 for not yet
	told     time.Time // when it was last told of, here
	storing  bool      // what the bucket gets comes after all that is heard now
}

func newPauses(b *bus.Bus, gates gates, logger *slog.Logger) *pauses {
	return &pauses{bus: b, gates: gates, logger: logger, by: map[string]*paused{}, cleared: map[string]time.Time{}}
}

// begin pauses an API or the account. Of many commands that were under way
// together and learned the same, the first one says so. One that was sent before
// its quota was cleared has learned nothing of the new one.
func (s *pauses) begin(ctx context.Context, p Pause, sent time.Time) {
	s.mu.Lock()
	if p.Class == wxapi.ClassQuota && (sent.Before(s.cleared[""]) || sent.Before(s.cleared[pathOf(p.API)])) {
		s.mu.Unlock()
		return
	}
	old := s.by[p.key()]
	if old != nil && p.Since.Before(old.Until) && !p.Until.After(old.Until.Add(time.Minute)) {
		s.mu.Unlock()
		return
	}
	now := &paused{Pause: p, told: p.Since, storing: true}
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

// passed notes that WeChat has executed or looked at a command, and has taken the
// account's token if it was one with it. If it was one that tried whether a pause
// is over, it is.
func (s *pauses) passed(ctx context.Context, api string, token bool, sent time.Time) {
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
		if old != nil && !sent.Before(old.Until) && (token || p.API != "") {
			s.end(ctx, old.Pause)
		}
	}
}

// proven ends the trouble of the account: WeChat took its token in a call that was
// sent later than what told of the trouble. A pause that a person made stays.
func (s *pauses) proven(ctx context.Context, sent time.Time) {
	s.mu.Lock()
	old := s.by[pauseAccountKey]
	s.mu.Unlock()
	if old != nil && old.ErrCode != 0 && sent.After(old.told) {
		s.end(ctx, old.Pause)
	}
}

// endQuota ends the pauses of used-up quotas, all or those of one path.
func (s *pauses) endQuota(ctx context.Context, path string) {
	s.mu.Lock()
	s.cleared[path] = time.Now()
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
	if old != nil && old.Class == wxapi.ClassQuota && old.API != "" {
		s.cleared[pathOf(old.API)] = time.Now() // by another process, or a person
	}
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
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.by[key]; now != nil {
		now.revision, now.storing = max(now.revision, revision), false
	}
}

func (s *pauses) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	return s.bus.JetStream().KeyValue(ctx, s.bus.Prefix.Resource(bus.BucketState))
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
