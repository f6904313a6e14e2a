package ingress

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

func sequences(log []events.Entry) (all []uint64) {
	for _, e := range log {
		all = append(all, e.Sequence)
	}
	return all
}

func entries(all ...uint64) (log []events.Entry) {
	for _, s := range all {
		log = append(log, events.Entry{Sequence: s})
	}
	return log
}

// The feed and a read of the log bring the same messages in any mixture; the
// room's log has each once, in the stream's order.
func TestRoomMergesBySequence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, then, want []uint64 }{
		{nil, []uint64{1, 2}, []uint64{1, 2}},
		{[]uint64{5}, []uint64{3, 4, 5, 6}, []uint64{3, 4, 5, 6}},
		{[]uint64{3, 4}, []uint64{3, 4}, []uint64{3, 4}},
		{[]uint64{9, 1}, []uint64{5, 5, 1}, []uint64{1, 5, 9}},
	} {
		rs := newRooms()
		r := rs.enter(about{"k", "text", "oAlice"})
		rs.add("k", entries(c.first...)...)
		rs.add("k", entries(c.then...)...)
		if log, _ := rs.look(r); !slices.Equal(sequences(log), c.want) {
			t.Errorf("%v and %v give %v", c.first, c.then, sequences(log))
		}
	}
}

// What is there already wakes nobody; what is new wakes all who look.
func TestRoomTellsOfNewsOnly(t *testing.T) {
	t.Parallel()
	rs := newRooms()
	r := rs.enter(about{"k", "text", "oAlice"})
	rs.add("k", entries(1)...)
	log, changed := rs.look(r)
	rs.add("k", entries(1)...)
	rs.add("another", entries(2)...)
	select {
	case <-changed:
		t.Error("woken by nothing new")
	default:
	}
	rs.add("k", entries(2)...)
	next(t, changed)
	if len(log) != 1 {
		t.Error("a log that was looked at has changed")
	}
}

// A room lives as long as somebody is inside; the next one begins with an empty log.
func TestRoomIsGivenBack(t *testing.T) {
	t.Parallel()
	rs := newRooms()
	a, b := rs.enter(about{"k", "text", "oAlice"}), rs.enter(about{"k", "text", "oAlice"})
	if a != b {
		t.Fatal("two rooms for one event")
	}
	rs.add("k", entries(1)...)
	rs.leave(a, true)
	if event, open := rs.event("k"); !open || event.kind != "text" {
		t.Errorf("event %v, open %v", event, open)
	}
	rs.leave(b, true)
	if _, open := rs.event("k"); open {
		t.Error("the room is open, and nobody inside")
	}
	rs.add("k", entries(2)...)
	if log, _ := rs.look(rs.enter(about{"k", "text", "oAlice"})); len(log) != 0 {
		t.Errorf("a new room knows %v", sequences(log))
	}
}

// Many come, look, bring news and go at once: each sees an ordered log that only grows.
func TestRoomUnderConcurrency(t *testing.T) {
	t.Parallel()
	rs := newRooms()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				r := rs.enter(about{"k", "text", "oAlice"})
				before, _ := rs.look(r)
				rs.add("k", entries(rand.Uint64N(50), rand.Uint64N(50))...)
				after, _ := rs.look(r)
				for _, s := range sequences(before) {
					if !slices.Contains(sequences(after), s) {
						t.Errorf("%d was forgotten", s)
					}
				}
				if !slices.IsSorted(sequences(after)) || len(slices.Compact(sequences(after))) != len(after) {
					t.Errorf("log %v", sequences(after))
				}
				rs.leave(r, true)
			}
		})
	}
	all.Wait()
	if len(rs.open) != 0 {
		t.Errorf("%d rooms are left", len(rs.open))
	}
}

// Work that began is waited for; after that none begins.
func TestTasksEnd(t *testing.T) {
	t.Parallel()
	var work tasks
	begun, finish, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	if !work.Go(func() { close(begun); <-finish }) {
		t.Fatal("not taken")
	}
	next(t, begun)
	go func() { defer close(ended); work.Close() }()
	eventually(t, "the tasks are closed", func() bool { return !work.Go(func() {}) })
	select {
	case <-ended:
		t.Error("closed before the work was done")
	default:
	}
	close(finish)
	next(t, ended)
}
