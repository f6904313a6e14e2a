package bus

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// horizon is where the past ends that a replay reads. The consumer cannot tell: it
// may be on a replica that lags, and knows of nothing behind what that one has.
// So the stream's leader is asked.
type horizon struct {
	stream   jetstream.Stream
	past     Past
	from     time.Time // where the past begins
	caughtUp func()

	mu      sync.Mutex
	end     uint64 // the last message of the past, 0 if there is none, the largest number before the first look
	reached uint64
	told    bool
}

// look asks for the last message. The end only moves back: what grew old since the
// first look does not come any more, and what is newer is no past.
func (h *horizon) look(ctx context.Context) error {
	m, err := h.last(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	last := uint64(0)
	if err == nil && !m.Time.Before(h.from) {
		last = m.Sequence
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = min(h.end, last)
	h.check()
	return nil
}

// last is the last message. To find that of a filter the server looks at all
// subjects, of which a stream may have many.
func (h *horizon) last(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	if h.past.Subject != "" {
		return h.stream.GetLastMsgForSubject(ctx, h.past.Subject)
	}
	info, err := h.stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	if info.State.Msgs == 0 {
		return nil, jetstream.ErrMsgNotFound
	}
	m, err := h.stream.GetMsg(ctx, info.State.LastSeq)
	if errors.Is(err, jetstream.ErrMsgNotFound) { // deleted by hand, and its number stays
		return h.stream.GetLastMsgForSubject(ctx, ">")
	}
	return m, err
}

// passed is told how far the replay has read.
func (h *horizon) passed(sequence uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reached = sequence
	h.check()
}

func (h *horizon) check() {
	if !h.told && h.reached >= h.end {
		h.told = true
		h.caughtUp()
	}
}

// watch looks again as long as the end is not reached.
func (h *horizon) watch(ctx context.Context) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		h.mu.Lock()
		told := h.told
		h.mu.Unlock()
		if told {
			return
		}
		_ = h.look(ctx) // the next look may succeed
	}
}
