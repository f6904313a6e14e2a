package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
)

// LeaseKey is where in the bucket of states people read who owns the queue.
const LeaseKey = "owner"

const (
	beat = 500 * time.Millisecond
	// lease is how long a stand-by sees no beat, on its own monotonic clock,
	// before it takes over.
	lease = 3 * time.Second
	// trust is how long an owner believes in a beat that was stored: less than
	// lease, and counted from before it was sent, so that with no process frozen
	// two never own the queue at once.
	trust = 2500 * time.Millisecond
	// look is how often a stand-by looks after the owner.
	look = 250 * time.Millisecond
	// ask bounds one request to the bus.
	ask = time.Second
)

// record is the lease as it stands in the bucket.
type record struct {
	Process string    `json:"process"`
	Epoch   uint64    `json:"epoch"`
	Since   time.Time `json:"since"`
	Beat    uint64    `json:"beat"`
	// Released says that the owner stopped and left nothing unfinished.
	Released bool `json:"released,omitempty"`
}

// owner takes part in the election of the process that owns the queue.
type owner struct {
	kv      jetstream.KeyValue
	conn    *nats.Conn
	process string
	// probe is where a process answers as long as it lives.
	probe func(process string) string
	// epochs returns the largest epoch that the stream's consumers know of.
	epochs func(ctx context.Context) (uint64, error)
}

// watched is what a stand-by has seen of the owner.
type watched struct {
	revision uint64
	since    time.Time // when it saw this revision first
}

// acquire stands by until this process owns the queue or ctx ends, and says when
// it does stand by. An error is the bus's: the caller tries again.
func (o *owner) acquire(ctx context.Context, standsBy func()) (*tenure, error) {
	var seen watched
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		t, err := o.try(ctx, &seen)
		if t != nil || err != nil {
			return t, err
		}
		standsBy()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// try looks once, and takes over if nobody owns the queue.
func (o *owner) try(ctx context.Context, seen *watched) (*tenure, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*ask)
	defer cancel()
	last, revision, err := o.load(ctx)
	if err != nil {
		return nil, err // and time counts only while the owner can be seen
	}
	beats := seen.revision != 0 && revision != seen.revision // so it lives
	if revision != seen.revision {
		*seen = watched{revision, time.Now()}
	}
	switch {
	case revision == 0, last.Released, last.Process == o.process, time.Since(seen.since) >= lease:
	case !beats && o.gone(ctx, last.Process):
	default:
		return nil, nil
	}
	return o.take(ctx, last, revision)
}

// gone says whether a process is certainly not connected: the server has no
// subscription of it. Silence says nothing.
func (o *owner) gone(ctx context.Context, process string) bool {
	ctx, cancel := context.WithTimeout(ctx, look)
	defer cancel()
	_, err := o.conn.RequestWithContext(ctx, o.probe(process), nil)
	return errors.Is(err, nats.ErrNoResponders)
}

// take makes this process the owner, unless another was faster.
func (o *owner) take(ctx context.Context, last record, revision uint64) (*tenure, error) {
	// A bucket that was lost and made anew has forgotten the epoch; the consumers have not.
	epoch, err := o.epochs(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	mine := record{Process: o.process, Epoch: max(epoch, last.Epoch) + 1, Since: began.UTC()}
	revision, err = o.save(ctx, mine, revision)
	if bus.Conflict(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t := &tenure{owner: o, record: mine, revision: revision, began: began}
	t.beaten.Store(&began)
	return t, nil
}

func (o *owner) load(ctx context.Context) (record, uint64, error) {
	entry, err := o.kv.Get(ctx, LeaseKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return record{}, 0, nil
	}
	if err != nil {
		return record{}, 0, fmt.Errorf("lease: %w", err)
	}
	var r record
	if json.Unmarshal(entry.Value(), &r) != nil {
		r = record{Released: true} // whatever that is, nobody beats for it
	}
	return r, entry.Revision(), nil
}

func (o *owner) save(ctx context.Context, r record, revision uint64) (uint64, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, ask)
	defer cancel()
	if revision == 0 {
		revision, err = o.kv.Create(ctx, LeaseKey, value)
	} else {
		revision, err = o.kv.Update(ctx, LeaseKey, value, revision)
	}
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	return revision, nil
}

// tenure is the time in which this process owns the queue.
type tenure struct {
	*owner
	record   record
	revision uint64
	began    time.Time
	beaten   atomic.Pointer[time.Time] // when the last stored beat was sent
}

// held says whether this process certainly owns the queue still.
func (t *tenure) held() bool { return time.Since(*t.beaten.Load()) < trust }

// keep beats until ctx ends, or the lease is lost; then it says why.
func (t *tenure) keep(ctx context.Context) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := t.beat(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
		case bus.Conflict(err):
			if err := t.adopt(ctx); err != nil {
				return err
			}
		case !t.held():
			return fmt.Errorf("no beat was stored in %s: %w", trust, err)
		}
	}
}

func (t *tenure) beat(ctx context.Context) error {
	sent := time.Now()
	t.record.Beat++
	revision, err := t.save(ctx, t.record, t.revision)
	if err != nil {
		return err
	}
	t.revision = revision
	t.beaten.Store(&sent)
	return nil
}

var errTaken = errors.New("another process owns the queue")

// adopt finds out whether the record that was changed was changed by a beat of
// our own, of which the bus did not tell whether it has stored it.
func (t *tenure) adopt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ask)
	defer cancel()
	now, revision, err := t.load(ctx)
	switch {
	case err != nil && t.held():
		return nil
	case err != nil:
		return err
	case now.Process != t.process || now.Epoch != t.record.Epoch:
		return errTaken
	}
	t.revision = revision
	return nil
}

// release gives the queue up; a stand-by sees it when it looks next.
func (t *tenure) release(ctx context.Context) error {
	t.record.Released = true
	_, err := t.save(ctx, t.record, t.revision)
	return err
}
