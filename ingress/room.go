package ingress

import (
	"slices"
	"sync"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// rooms holds, by key, the events whose tries wait in this process.
type rooms struct {
	mu    sync.Mutex
	open  map[string]*room
	early early
}

// about names an inbound event.
type about struct{ key, kind, openID string }

// room is where the tries of one event wait: they share its log, and so come to
// one decision.
type room struct {
	about
	early   bool // its log may hold something from before somebody was inside
	stored  bool // its event is
	inside  int
	log     []events.Entry // in stream order, each sequence once; never written to
	changed chan struct{}  // closed and replaced when the log grows
}

func newRooms() *rooms { return &rooms{open: map[string]*room{}} }

// enter must come before the event is published: a fast service answers sooner
// than the stream acks.
func (rs *rooms) enter(event about) *room {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.open[event.key]
	if r == nil {
		r = &room{about: event, early: rs.early.has(event.key), changed: make(chan struct{})}
		rs.open[event.key] = r
	}
	r.inside++
	return r
}

// leave ends a try's wait; stored says whether its event is.
func (rs *rooms) leave(r *room, stored bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.stored = r.stored || stored
	r.inside--
	if r.inside > 0 {
		return
	}
	delete(rs.open, r.key)
	if !r.stored {
		rs.early.add(r.key, time.Now())
	}
}

// add merges entries into the log of a key, if anybody waits for it.
func (rs *rooms) add(key string, entries ...events.Entry) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.open[key]
	if r == nil {
		return
	}
	grown := false
	for _, entry := range entries {
		at, seen := slices.BinarySearchFunc(r.log, entry.Sequence, func(e events.Entry, seq uint64) int {
			switch {
			case e.Sequence < seq:
				return -1
			case e.Sequence > seq:
				return 1
			}
			return 0
		})
		if !seen {
			r.log = slices.Insert(slices.Clone(r.log), at, entry) // who has looked keeps what was
			grown = true
		}
	}
	if grown {
		close(r.changed)
		r.changed = make(chan struct{})
	}
}

// look returns the log as it is and a channel that closes when it grows.
func (rs *rooms) look(r *room) (log []events.Entry, changed <-chan struct{}) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return r.log, r.changed
}

// hear is event for a message of the feed: of a reply that nobody waits for, the
// key is remembered. Both at once, or who enters meanwhile would miss it.
func (rs *rooms) hear(branch events.Branch, key string) (event about, waiting bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.open[key]; r != nil {
		return r.about, true
	}
	if branch == events.Replies {
		rs.early.add(key, time.Now())
	}
	return about{}, false
}

// event is the event that waits under a key.
func (rs *rooms) event(key string) (event about, waiting bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.open[key]; r != nil {
		return r.about, true
	}
	return about{}, false
}
