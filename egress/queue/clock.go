package queue

import (
	"math"
	"time"
)

// longest is how long the alarm is set at most, so that a wall clock that was
// set right is noticed soon: waits and expiries are wall time, as in the claims.
const longest = time.Minute

// nanos is a time as the board keeps it. No time at all is never, and what lies
// outside of what fits is as near as it gets.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero(), t.Unix() >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case t.Unix() < 1:
		return 1
	}
	return t.UnixNano()
}

func (b *board) clock() int64 { return b.now().UnixNano() }

// at is when a command must be looked at: when its wait ends, and when its life
// does. Whose turn it is waits for nothing any more.
func (e *entry) at() int64 {
	if e.wait != 0 && (e.wait < e.expires || e.line == nil) {
		return e.wait
	}
	return e.expires
}

// schedule puts a command where its time is looked after, or moves it there.
func (b *board) schedule(e *entry) {
	if e.due < 0 {
		b.times.push(e)
	} else {
		b.times.fix(e)
	}
	b.arm(e.at())
}

func (b *board) unschedule(e *entry) {
	if e.due >= 0 {
		b.times.remove(e)
	}
}

// arm sets the alarm to a time if that is sooner.
func (b *board) arm(at int64) {
	if b.closed || b.alarmAt != 0 && b.alarmAt <= at {
		return
	}
	b.alarmAt = at
	d := min(max(time.Duration(at-b.clock()), 0), longest)
	if b.alarm == nil {
		b.alarm = time.AfterFunc(d, b.ring)
	} else {
		b.alarm.Reset(d)
	}
}

// ring looks at all whose time has come.
func (b *board) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.alarmAt = 0
	now := b.clock()
	soonest := now + int64(longest)
	for b.times.len() > 0 {
		e := b.times.first()
		if e.at() > now {
			soonest = min(soonest, e.at())
			break
		}
		b.times.remove(e)
		b.comesDue(e, now)
	}
	for _, g := range b.gates {
		soonest = b.tries(g, now, soonest)
	}
	b.arm(b.tries(b.all, now, soonest))
	b.space.Signal() // a crowd may have waited for too long
}

// tries lets somebody try a gate whose time is over.
func (b *board) tries(g *gate, now, soonest int64) int64 {
	switch {
	case g.until == 0:
	case g.until > now:
		return min(soonest, g.until)
	default:
		b.sweep(g)
	}
	return soonest
}

// comesDue: its life is over, and it ends at once, whatever it waits for; or its
// wait is, and it may be its turn.
func (b *board) comesDue(e *entry, now int64) {
	switch {
	case e.line == nil:
		e.wait = 0
		b.overdue(e)
	case e.expires <= now:
		l := e.line.lane
		if l.busy == e {
			b.withdraw(e)
			l.busy = nil
		}
		g := e.line.gate
		b.remove(e)
		b.look(l)
		if g.probe == e {
			g.probe = nil
			b.sweep(g)
		}
		b.overdue(e)
	default:
		e.wait = 0
		b.schedule(e)
		b.look(e.line.lane)
	}
}

// overdue is finished before all others: it calls nobody, so no gate matters.
func (b *board) overdue(e *entry) {
	b.drop(e)
	b.over = append(b.over, e)
	b.more.Signal()
}
