package egress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// follow learns what other processes and people say, until ctx ends.
func (s *pauses) follow(ctx context.Context) {
	for ctx.Err() == nil {
		epoch, changed, err := s.bus.Settled(ctx)
		if err != nil {
			return
		}
		if err := s.watch(ctx, epoch, changed); err != nil && ctx.Err() == nil {
			s.logger.Warn("pauses cannot be followed", "error", err)
			sleep(ctx, time.Second)
		}
	}
}

// watch takes the bucket's word for what is paused, from now until something
// changes.
func (s *pauses) watch(ctx context.Context, epoch uint64, changed <-chan struct{}) error {
	kv, err := s.bucket(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
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
				s.keep(there, began)
				s.wasRead(epoch)
			default:
				there[entry.Key()] = entry.Operation() == jetstream.KeyValuePut
				s.hear(entry)
			}
		}
	}
}

// reading is on which connection the bucket is read, and whether it was.
type reading struct {
	epoch uint64
	done  chan struct{} // closed when it was; nil before anybody asks
}

// readOn is closed when all that the bucket holds is known, as it was after a
// connection began.
func (s *pauses) readOn(epoch uint64) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reading(epoch).done
}

// known says whether that is so on the connection that was asked for last.
func (s *pauses) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.read.done: // nil before the first
		return true
	default:
		return false
	}
}

func (s *pauses) wasRead(epoch uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.reading(epoch)
	if r.epoch != epoch {
		return // another connection is read already
	}
	select {
	case <-r.done: // also after a watch that began again
	default:
		close(r.done)
	}
}

// reading wants the lock.
func (s *pauses) reading(epoch uint64) reading {
	if s.read.done == nil || s.read.epoch < epoch {
		s.read = reading{epoch, make(chan struct{})}
	}
	return s.read
}

// keep ends what the bucket held once and holds no more. What began only since
// may be stored behind the place up to which the bucket was read.
func (s *pauses) keep(there map[string]bool, since time.Time) {
	s.mu.Lock()
	var over []string
	for key, p := range s.by {
		if p.revision != 0 && !there[key] && p.told.Before(since) {
			over = append(over, key)
		}
	}
	s.mu.Unlock()
	for _, key := range over {
		s.forget(key)
	}
}

// hear takes over what somebody wrote, unless we know of something newer. While a
// pause of ours is on its way to the bucket what is heard may be older than it, an
// echo of our own even: then only a longer pause counts.
func (s *pauses) hear(entry jetstream.KeyValueEntry) {
	var p Pause
	over := entry.Operation() != jetstream.KeyValuePut || json.Unmarshal(entry.Value(), &p) != nil || p.Until.IsZero() || p.key() != entry.Key()
	s.mu.Lock()
	old := s.by[entry.Key()]
	storing := old != nil && old.storing
	if old != nil && old.revision >= entry.Revision() || storing && (over || !p.Until.After(old.Until)) {
		s.mu.Unlock()
		return
	}
	if !over {
		s.by[entry.Key()] = &paused{Pause: p, revision: entry.Revision(), told: time.Now(), storing: storing}
	}
	s.mu.Unlock()
	if over { // or nothing that one could keep to
		s.forget(entry.Key())
		return
	}
	s.gates.Shut(p.gate(), p.Until)
}
