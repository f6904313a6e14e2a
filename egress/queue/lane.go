package queue

// Commands of one lane run one after another, in the stream's order. A lane has
// a line for each gate its commands go through, so that while one gate is shut
// the others' commands pass, and those of the shut one never pass each other.
//
// A command that waits is an entry and nothing more: no goroutine, no timer and
// no payload of its own.

// entry is one command in memory.
type entry struct {
	sequence uint64
	ack      string // where its ack goes
	line     *line  // its place; nil once it needs none, its time having run out
	prev     *entry
	next     *entry
	expires  int64 // Unix nanoseconds, as wait is
	wait     int64 // not before
	task     *Task // nil while its payload is not held
	size     int32
	due      int32 // its place in board.times, -1 without
	turn     int32 // its place in board.ready or its gate's crowd, -1 without
	seated   bool  // it has one of its gate's places
	since    int64 // when its turn came first, 0 before
}

// line is the commands of one lane that go through one gate, oldest first.
type line struct {
	lane  *lane
	gate  *gate
	first *entry
	last  *entry
	prev  *line // of the gate's lines
	next  *line
}

// lane is what one follower's commands wait in.
type lane struct {
	key   string // "" for a command that is not ordered and alone in its lane
	lines []*line
	busy  *entry // whose turn it is
}

// first is whose turn it is in a lane: of those whose gate is open the oldest,
// and if that one waits, nobody's.
func (l *lane) first(now int64) *entry {
	var first *entry
	for _, place := range l.lines {
		if e := place.first; (place.gate.lets(now) || place.gate.probe == e) && (first == nil || e.sequence < first.sequence) {
			first = e
		}
	}
	if first == nil || first.wait > now {
		return nil
	}
	return first
}

// remove takes a command out of its lane, and what it leaves empty.
func (b *board) remove(e *entry) {
	place := e.line
	if e.prev == nil {
		place.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		place.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.line, e.prev, e.next = nil, nil, nil
	if place.first != nil {
		return
	}
	b.part(place)
	l := place.lane
	for i, other := range l.lines {
		if other == place {
			l.lines = append(l.lines[:i], l.lines[i+1:]...)
			break
		}
	}
	if len(l.lines) == 0 && l.key != "" {
		delete(b.lanes, l.key)
	}
}

func (b *board) lane(key string) *lane {
	if key == "" {
		return &lane{}
	}
	l := b.lanes[key]
	if l == nil {
		l = &lane{key: key}
		b.lanes[key] = l
	}
	return l
}

func (l *lane) line(b *board, name string) *line {
	for _, place := range l.lines {
		if place.gate.name == name {
			return place
		}
	}
	place := &line{lane: l}
	l.lines = append(l.lines, place)
	b.join(place, name)
	return place
}
