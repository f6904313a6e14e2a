package queue

import "time"

// An API that hangs must not have all the workers, or all others would hang with
// it. So a gate has a number of seats, and a command has one while it waits for
// the next worker and while it runs. Those whose lane's turn it is besides wait
// in the gate's crowd. They keep their lane: only a shut gate may be passed.

// slowAfter is how long a crowd's first may wait for its seat before the gate is
// taken for slow, and what is stored behind its commands is read all the same.
const slowAfter = 500 * time.Millisecond

// seat gives a command whose turn it is a seat, or a place in the crowd.
func (b *board) seat(e *entry) {
	g := e.line.gate
	if g.seats == b.share {
		e.since = b.clock()
		g.crowd.push(e)
		b.crowded++
		return
	}
	g.seats++
	e.seated = true
	b.ready.push(e)
	b.more.Signal()
}

// vacate gives a command's seat to the first of the crowd.
func (b *board) vacate(e *entry) {
	if !e.seated {
		return
	}
	g := e.line.gate
	e.seated = false
	g.seats--
	if g.crowd.len() > 0 {
		next := g.crowd.pop()
		b.crowded--
		b.seat(next)
	}
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
