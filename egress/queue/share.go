package queue

import "time"

// An API that hangs must not have all the workers, or all others would hang with
// it. So a command has a seat while it waits for the next worker and while it
// runs, and a gate has half of the seats that the others leave: where one hangs
// the rest have half of the workers, where two do a quarter, and so on. Those whose
// lane's turn it is besides wait in the gate's crowd. They keep their lane: only a
// shut gate may be passed.

// slowAfter is how long ago the turn of a crowd's first may have come before the gate
// is taken for slow, and what is stored behind its commands is read all the same. A
// command that is tried again keeps its time: an API that hangs is slow at each try.
const slowAfter = 800 * time.Millisecond

// seat gives a command whose turn it is a seat, or a place in the crowd.
func (b *board) seat(e *entry) {
	g := e.line.gate
	if e.since == 0 {
		e.since = b.clock()
	}
	if !b.hasSeat(g) {
		g.crowd.push(e)
		b.crowded++
		return
	}
	g.seats++
	b.seats++
	e.seated = true
	b.ready.push(e)
	b.more.Signal()
}

// hasSeat says whether a gate has another seat: half of what the others leave, and one
// in any case.
func (b *board) hasSeat(g *gate) bool {
	left := b.workers - (b.seats - g.seats)
	return g.seats == 0 || g.seats < (left+1)/2
}

// vacate takes a command's seat away, and lets in those of the crowds who have one now.
func (b *board) vacate(e *entry) {
	if !e.seated {
		return
	}
	e.seated = false
	e.line.gate.seats--
	b.seats--
	for b.crowded > 0 {
		g := b.oldest()
		if g == nil {
			return
		}
		next := g.crowd.pop()
		b.crowded--
		b.seat(next)
	}
}

// oldest is the gate with a seat for its crowd whose first has waited for longest, nil
// if there is none.
func (b *board) oldest() (oldest *gate) {
	for _, g := range b.gates {
		if g.crowd.len() > 0 && b.hasSeat(g) && (oldest == nil || olderFirst(g.crowd.first(), oldest.crowd.first())) {
			oldest = g
		}
	}
	return oldest
}

// withdraw takes back the turn of a command that no worker has.
func (b *board) withdraw(e *entry) {
	if !e.seated {
		e.line.gate.crowd.remove(e)
		b.crowded--
		return
	}
	b.ready.remove(e)
	b.vacate(e)
}

// disperse takes back the turns of a crowd whose gate was shut: others may pass.
func (b *board) disperse(g *gate) {
	for g.crowd.len() > 0 {
		e := g.crowd.pop()
		b.crowded--
		e.line.lane.busy = nil
		if g.probe == e {
			g.probe = nil
		}
	}
}

// moving is how many are in crowds that soon have a seat for each.
func (b *board) moving() (n int) {
	if b.crowded == 0 {
		return 0
	}
	slow := b.clock() - int64(slowAfter)
	for _, g := range b.gates {
		if g.crowd.len() > 0 && g.crowd.first().since > slow {
			n += g.crowd.len()
		}
	}
	return n
}
