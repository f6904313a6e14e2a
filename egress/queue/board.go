package queue

import (
	"sync"
	"time"
)

// board knows of every command that was read whose turn it is.
type board struct {
	now     func() time.Time
	budget  int // bytes of payload held for commands that wait for a worker
	ahead   int // commands that may wait for a worker before reading pauses
	most    int // commands in memory
	workers int // of which one gate has a share

	mu      sync.Mutex
	more    *sync.Cond // somebody's turn has come, or all is over
	space   *sync.Cond // there is room for reading on, or all is over
	closed  bool
	gates   map[string]*gate
	all     *gate // the gate of every command
	lanes   map[string]*lane
	ready   heap // whose turn it is, oldest first
	times   heap // all that have a time, soonest first
	over    []*entry
	entries int
	seats   int // taken at all gates
	crowded int // in the crowds of all gates
	running int
	held    int
	alarm   *time.Timer
	alarmAt int64
}

func newBoard(now func() time.Time, budget, ahead, most, workers int) *board {
	b := &board{
		now: now, budget: budget, ahead: ahead, most: most, workers: workers,
		gates: map[string]*gate{}, lanes: map[string]*lane{},
		ready: heap{before: olderFirst, place: turnOf}, times: heap{before: soonerFirst, place: dueOf},
	}
	b.more, b.space = sync.NewCond(&b.mu), sync.NewCond(&b.mu)
	b.all = &gate{}
	return b
}

// close ends take and room for good.
func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.alarm != nil {
		b.alarm.Stop()
	}
	b.more.Broadcast()
	b.space.Broadcast()
}

// room waits until another command may be read; false when all is over.
// Reading pauses when enough commands wait for a worker: what cannot run does
// not count, or one API that is paused or slow would keep everybody else's
// commands unread, and a paused account those whose time runs out: of their
// commands as many are read as there may be in memory.
func (b *board) room() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.closed && !b.hasRoom() {
		if b.crowded > 0 {
			b.arm(b.clock() + int64(slowAfter))
		}
		b.space.Wait()
	}
	return !b.closed
}

func (b *board) hasRoom() bool {
	waiting := len(b.over)
	if b.all.until == 0 {
		waiting += b.ready.len() + b.moving()
	}
	return waiting < b.ahead && b.entries < b.most
}

// add puts a command that was just read into its lane.
func (b *board) add(sequence uint64, ack string, task *Task, size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &entry{
		sequence: sequence, ack: ack, expires: nanos(task.Expires), due: -1, turn: -1,
		task: task, size: int32(size),
	}
	b.entries++
	b.held += size
	l := b.lane(task.Lane)
	place := l.line(b, task.Gate)
	e.line, e.prev = place, place.last
	if place.last == nil {
		place.first = e
	} else {
		place.last.next = e
	}
	place.last = e
	b.schedule(e)
	b.look(l)
	if b.held > b.budget || e.turn < 0 && !place.gate.lets(b.clock()) {
		b.drop(e)
	}
}

// take returns a command whose turn it is, oldest first; nil when all is over.
func (b *board) take() *entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if b.closed {
			return nil
		}
		if e := b.pop(); e != nil {
			b.unschedule(e)
			b.running++
			b.space.Signal()
			return e
		}
		b.more.Wait()
	}
}

// pop finds the command that runs next. One rests again whose turn it was when
// it came here and is not any more: its gate was shut, or one before it opened.
func (b *board) pop() *entry {
	if len(b.over) > 0 {
		e := b.over[0]
		b.over[0] = nil
		b.over = b.over[1:]
		return e
	}
	now := b.clock()
	for b.ready.len() > 0 && b.all.lets(now) {
		e := b.ready.pop()
		if e.line.lane.first(now) != e {
			b.rest(e)
			continue
		}
		e.line.gate.enter(e, now)
		b.all.enter(e, now)
		return e
	}
	return nil
}

// rest puts a command whose turn had come back into its lane.
func (b *board) rest(e *entry) {
	b.drop(e)
	b.vacate(e)
	l := e.line.lane
	l.busy = nil
	if g := e.line.gate; g.probe == e {
		g.probe = nil
		defer b.sweep(g)
	}
	b.look(l)
}

// finish forgets a command that take returned.
func (b *board) finish(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leave(e)
	b.drop(e)
	b.entries--
	if place := e.line; place != nil {
		l := place.lane
		l.busy = nil
		b.remove(e)
		b.look(l)
	}
	b.space.Signal()
}

// again brings a command that take returned back at a time; those behind it in
// its lane wait with it, unless its gate is shut and theirs is another.
func (b *board) again(e *entry, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leave(e)
	b.drop(e)
	e.wait = nanos(at)
	if e.line == nil {
		b.schedule(e)
		return
	}
	e.line.lane.busy = nil
	b.schedule(e)
	b.look(e.line.lane)
}

// leave ends what a command held while it ran.
func (b *board) leave(e *entry) {
	b.running--
	b.vacate(e)
	if b.all.probe == e {
		b.all.probe = nil
		b.more.Broadcast()
	}
	if e.line != nil && e.line.gate.probe == e {
		e.line.gate.probe = nil
		defer b.sweep(e.line.gate)
	}
}

// look gives somebody of a lane the turn, if it is nobody's yet.
func (b *board) look(l *lane) {
	now := b.clock()
	first := l.first(now)
	if e := l.busy; e != nil {
		if e.turn < 0 || e.seated || e == first {
			return
		}
		// It waits in a crowd, and one before it may go now.
		b.withdraw(e)
		l.busy = nil
		if g := e.line.gate; g.probe == e {
			g.probe = nil
			defer b.sweep(g)
		}
	}
	if first == nil {
		return
	}
	l.busy = first
	first.wait = 0
	first.line.gate.enter(first, now)
	b.schedule(first)
	b.seat(first)
}

// drop lets go of a command's payload; it is read again when its turn has come.
func (b *board) drop(e *entry) {
	if e.task != nil {
		b.held -= int(e.size)
		e.task = nil
	}
}
