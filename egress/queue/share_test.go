package queue

import (
	"testing"
	"time"
)

// An API that hangs does not have all the workers: what is stored behind its
// commands is read and has its turn. Nobody passes in a follower's lane until the
// API is paused. Row 51.
func TestHangingAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workers, d.ahead = 4, 3
	for range 5 {
		d.reads("- x")
	}
	d.runs(1, 2)
	if d.roomy() {
		t.Error("reading goes on although those that were read have their turn soon")
	}
	d.passes(slowAfter)
	if !d.roomy() {
		t.Error("those that wait for a slow API keep others from being read")
	}
	d.reads("- y", "anna x", "anna y")
	d.runs(6)
	d.waits(1, time.Minute) // its seat is free meanwhile
	d.runs(3)
	d.shut("x", d.time.Add(time.Minute))
	d.runs() // anna's next has no seat yet
	d.done(6)
	d.runs(8)
	d.passes(time.Minute)
	d.open("x")
	d.done(8)
	d.runs()
	d.done(2, 3)
	d.runs(1, 4)
	d.done(1, 4)
	d.runs(5, 7)
	d.done(5, 7)
	d.empty()
}

// Several hang: each has half of what those before it left, so that there is
// something left for the next. What one gives back goes to all.
func TestHangingAPIs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workers = 8
	for _, api := range []string{"x", "y", "z"} {
		for range 6 {
			d.reads("- " + api)
		}
	}
	d.runs(1, 2, 3, 4, 7, 8, 13)
	d.reads("- other")
	d.runs(19)
	d.done(19)
	d.done(1)
	d.runs(14) // now x has three, the others two each
	d.done(2)
	d.runs() // two each, and two for others
	d.done(3, 4)
	d.runs(5, 6)
	for len(d.out) > 0 {
		for sequence := range d.out {
			d.done(sequence)
		}
		d.turns()
	}
	d.empty()
}

// What waits in the crowd of an API that hangs does not hold up one before it in
// its lane, whose API was paused.
func TestPauseEndsBeforeTheCrowd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workers = 4
	d.reads("- x", "- x")
	d.runs(1, 2)
	d.shut("y", d.time.Add(time.Minute))
	d.reads("anna y", "anna x")
	d.runs()
	d.open("y")
	d.runs(3)
	d.done(1, 2, 3)
	d.runs(4)
	d.done(4)
	d.empty()
}

// Commands of an API that hangs are tried again: it does not count as quick then, and
// what is stored behind them is read.
func TestHangingAPIIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workers, d.ahead = 2, 2
	d.reads("- x", "- x", "- x", "- x")
	d.runs(1)
	d.passes(slowAfter)
	d.waits(1, time.Second)
	d.runs(2)
	d.passes(time.Second) // the first has its turn again, before all others
	if !d.roomy() {
		t.Error("an API that hangs keeps others from being read at each try")
	}
	d.done(2)
	d.runs(1)
	d.done(1)
	d.runs(3)
	d.done(3)
	d.runs(4)
	d.done(4)
	d.empty()
}

// A command whose time runs out in the crowd ends at once.
func TestExpiryInTheCrowd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.workers = 2
	d.reads("- x", "anna x", "anna y")
	d.runs(1)
	d.passes(time.Hour)
	over := d.turns()
	if len(over) != 2 {
		t.Fatalf("over are %v", over)
	}
	d.done(over...)
	d.done(1)
	d.empty()
}

// While the account is paused reading goes on: what nobody has read cannot end in
// time. Row 42.
func TestReadingWhileTheAccountIsPaused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ahead = 3
	d.reads("- x", "- x", "- y")
	if d.roomy() {
		t.Error("reading goes on although enough can run")
	}
	d.shut(Everything, d.time.Add(time.Minute))
	if !d.roomy() {
		t.Error("a paused account keeps commands from being read")
	}
	d.open(Everything)
	if d.roomy() {
		t.Error("reading goes on although enough can run")
	}
}
