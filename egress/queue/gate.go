package queue

import "time"

// Everything is the name of the gate that all commands go through.
const Everything = "*"

// gate is what commands go through to run: an API, or the account. While it is
// shut nothing does; when its time is over one command tries whether it is open
// again, and the rest follow when Open says so.
type gate struct {
	name  string
	until int64  // shut until then at least; 0 when it is open
	probe *entry // who tries, while the gate is shut
	first *line
	last  *line
	seats int  // taken
	crowd heap // whose lane's turn it is and who wait for a seat, oldest first
}

// lets says whether a command may go through now.
func (g *gate) lets(now int64) bool { return g.until == 0 || g.probe == nil && now >= g.until }

// enter notes who tries.
func (g *gate) enter(e *entry, now int64) {
	if g.until != 0 && g.probe == nil && now >= g.until {
		g.probe = e
	}
}

func (b *board) gate(name string) *gate {
	if name == Everything {
		return b.all
	}
	g := b.gates[name]
	if g == nil {
		g = &gate{name: name, crowd: heap{before: olderFirst, place: turnOf}}
		b.gates[name] = g
	}
	return g
}

// shut lets nothing through a gate until a time.
func (b *board) shut(name string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.gate(name)
	g.until = nanos(until)
	b.arm(g.until)
	b.disperse(g)
	if g == b.all {
		b.space.Signal() // reading goes on, for those whose time runs out
	}
	for place := g.first; place != nil && b.held > 0; place = place.next {
		for e := place.first; e != nil; e = e.next {
			if e.due >= 0 {
				b.drop(e)
			}
		}
	}
	// Others may pass now who were behind somebody of this gate.
	for place := g.first; place != nil; place = place.next {
		if len(place.lane.lines) > 1 {
			b.look(place.lane)
		}
	}
}

// open lets everything through a gate.
func (b *board) open(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.gate(name)
	g.until, g.probe = 0, nil
	b.sweep(g)
	if g.first == nil && g != b.all {
		delete(b.gates, name)
	}
}

// sweep looks for those whose turn has come as a gate lets them through: one of
// them while it is shut, to try, else all.
func (b *board) sweep(g *gate) {
	if g == b.all {
		b.more.Broadcast()
		return
	}
	for place := g.first; place != nil && g.lets(b.clock()); {
		next := place.next
		b.look(place.lane)
		place = next
	}
}

// join adds a line to its gate.
func (b *board) join(place *line, name string) {
	g := b.gate(name)
	place.gate, place.prev = g, g.last
	if g.last == nil {
		g.first = place
	} else {
		g.last.next = place
	}
	g.last = place
}

// part takes an empty line from its gate. A gate that is open and that nobody
// goes through is forgotten.
func (b *board) part(place *line) {
	g := place.gate
	if place.prev == nil {
		g.first = place.next
	} else {
		place.prev.next = place.next
	}
	if place.next == nil {
		g.last = place.prev
	} else {
		place.next.prev = place.prev
	}
	if g.first == nil && g.until == 0 {
		delete(b.gates, g.name)
	}
}
