package queue

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// desk is a board with a clock that stands still until a test moves it.
type desk struct {
	*board
	t    *testing.T
	time time.Time
	read uint64
	out  map[uint64]*entry // taken, by sequence
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), out: map[uint64]*entry{}}
	d.board = newBoard(func() time.Time { return d.time }, 1000, 100, 1000, 1000)
	t.Cleanup(d.close)
	return d
}

// reads puts commands on the board, each "lane api"; the lane - is none.
func (d *desk) reads(commands ...string) {
	d.t.Helper()
	for _, command := range commands {
		lane, gate, _ := strings.Cut(command, " ")
		d.read++
		d.add(d.read, "", &Task{Lane: strings.Trim(lane, "-"), Gate: gate, Expires: d.time.Add(time.Hour)}, 10)
	}
}

// passes moves the clock.
func (d *desk) passes(by time.Duration) {
	d.mu.Lock()
	d.time = d.time.Add(by)
	d.mu.Unlock()
	d.ring()
}

// turns takes all whose turn it is, in that order.
func (d *desk) turns() (all []uint64) {
	for {
		d.mu.Lock()
		e := d.pop()
		if e != nil {
			d.unschedule(e)
			d.running++
			d.out[e.sequence] = e
			all = append(all, e.sequence)
		}
		d.mu.Unlock()
		if e == nil {
			return all
		}
	}
}

// runs expects these to be taken now.
func (d *desk) runs(want ...uint64) {
	d.t.Helper()
	if got := d.turns(); !slices.Equal(got, want) {
		d.t.Fatalf("it is the turn of %v, not of %v", got, want)
	}
}

func (d *desk) done(sequences ...uint64) {
	d.t.Helper()
	for _, sequence := range sequences {
		d.finish(d.out[sequence])
		delete(d.out, sequence)
	}
}

func (d *desk) waits(sequence uint64, wait time.Duration) {
	d.t.Helper()
	d.again(d.out[sequence], d.time.Add(wait))
	delete(d.out, sequence)
}

// empty expects that nothing is left, of anything.
func (d *desk) empty() {
	d.t.Helper()
	if d.entries+d.crowded+d.seats+d.running+d.held+len(d.lanes)+len(d.gates)+d.times.len()+d.ready.len()+len(d.over) != 0 {
		d.t.Errorf("left: %d entries, %d in crowds, %d seats, %d running, %d bytes, %d lanes, %d gates, %d times, %d ready, %d over",
			d.entries, d.crowded, d.seats, d.running, d.held, len(d.lanes), len(d.gates), d.times.len(), d.ready.len(), len(d.over))
	}
}

// Commands of a lane run one after another over all APIs, those of others beside.
func TestLaneIsInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reads("anna x", "anna y", "bert x", "- x", "- x", "anna x")
	d.runs(1, 3, 4, 5)
	d.done(3, 4)
	d.runs()
	d.done(1)
	d.runs(2)
	d.reads("anna y", "bert z")
	d.runs(8)
	d.done(2)
	d.runs(6)
	d.done(6)
	d.runs(7)
	d.done(5, 7, 8)
	d.empty()
}

// A command that waits for itself holds its lane and nobody else.
func TestWaitHoldsTheLane(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reads("anna x", "anna y", "bert x", "- x")
	d.runs(1, 3, 4)
	d.waits(1, time.Minute)
	d.waits(4, time.Second)
	d.done(3)
	d.runs()
	d.passes(time.Second)
	d.runs(4)
	d.passes(58 * time.Second)
	d.runs()
	d.passes(time.Second)
	d.runs(1)
	d.done(1, 4)
	d.runs(2)
	d.done(2)
	d.empty()
}

// While an API is paused its commands wait in order, and the others' pass, also
// in the same lane. Rows 36 and 51.
func TestPausedAPI(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reads("anna x", "anna x", "anna y", "bert x", "- x", "anna x", "anna y")
	d.runs(1, 4, 5)
	d.shut("x", d.time.Add(time.Minute)) // 1 was told that the quota is used up
	d.waits(1, 0)
	d.waits(4, 0)
	d.done(5)
	d.runs(3) // has passed two of its own lane
	d.reads("- x", "carl x", "carl y")
	d.runs(10)
	d.done(3, 10)
	d.runs(7)
	d.done(7)
	d.runs()

	// When the minute is over one of them tries, and the others wait for it.
	d.passes(time.Minute)
	d.runs(1)
	d.runs()
	d.shut("x", d.time.Add(time.Minute))
	d.waits(1, 0)
	d.runs()
	d.passes(time.Minute)
	d.runs(1)
	d.open("x")
	d.done(1)
	d.runs(2, 4, 8, 9)
	d.done(2, 4, 8, 9)
	d.runs(6)
	d.done(6)
	d.empty()
}

// Whoever tries and learns nothing leaves it to the next.
func TestNextOneTries(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reads("anna x", "bert x", "carl x")
	d.shut("x", d.time.Add(time.Second))
	d.runs() // their turn had come before, and is not any more
	d.passes(time.Second)
	d.runs(1)
	d.waits(1, time.Hour/2) // the network is down
	d.runs(2)
	d.done(2)
	d.runs(3)
	d.open("x")
	d.done(3)
	d.passes(time.Hour / 2)
	d.runs(1)
	d.done(1)
	d.empty()
}

// While the account is paused nothing runs, and then one command tries. Row 42.
func TestPausedAccount(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.reads("anna x", "bert y", "- z")
	d.shut(Everything, d.time.Add(time.Minute))
	d.runs()
	d.passes(time.Minute)
	d.runs(1)
	d.shut(Everything, d.time.Add(time.Minute))
	d.waits(1, 0)
	d.runs()
	d.passes(time.Minute)
	d.runs(1)
	d.open(Everything)
	d.runs(2, 3)
	d.done(1, 2, 3)
	d.empty()
}

// A command whose life ends is finished at once, wherever it waits: behind
// others, before a gate, for itself, for a worker. Its lane goes on. Row 50.
func TestExpiry(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	brief := func(lane, gate string) {
		d.read++
		d.add(d.read, "", &Task{Lane: lane, Gate: gate, Expires: d.time.Add(time.Second)}, 10)
	}
	d.shut("shut", d.time.Add(time.Minute))
	d.reads("anna x")
	brief("anna", "x")        // 2: behind another
	brief("anna", "shut")     // 3: before a gate
	d.reads("anna x")         // 4
	brief("bert", "y")        // 5: waits for itself
	d.reads("bert y")         // 6
	d.runs(1, 5)              //
	d.waits(5, 2*time.Second) //
	brief("carl", "z")        // 7: waits for a worker
	d.shut(Everything, d.time.Add(time.Minute))
	d.runs()
	d.passes(time.Second)
	over := d.turns() // of the same time, in any order
	slices.Sort(over)
	if !slices.Equal(over, []uint64{2, 3, 5, 7}) {
		t.Fatalf("over are %v", over)
	}
	d.waits(3, time.Second)
	d.done(2, 5, 7)
	d.runs()
	d.passes(time.Second)
	d.runs(3)
	d.done(3)
	d.open(Everything)
	d.runs(6)
	d.done(1)
	d.runs(4)
	d.done(4, 6)
	d.open("shut")
	d.empty()
}

// Payloads are held for what runs soon, within a budget, and for nobody who waits.
func TestPayloadsAreNotHeld(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shut("x", d.time.Add(time.Minute))
	d.reads("anna x", "bert x")
	if d.held != 0 {
		t.Errorf("%d bytes are held before a shut gate", d.held)
	}
	for range 300 {
		d.reads("- y")
	}
	if d.held != 1000 {
		t.Errorf("%d bytes are held of a budget of 1000", d.held)
	}
	d.shut("y", d.time.Add(time.Minute))
	if d.held != 0 {
		t.Errorf("%d bytes are held after the gate was shut", d.held)
	}
	d.open("y")
	d.reads("carl z", "carl z")
	all := d.turns()
	if d.held != 20 {
		t.Errorf("%d bytes are held", d.held)
	}
	for _, sequence := range all {
		d.waits(sequence, time.Minute)
	}
	if d.held != 10 { // of the one behind in carl's lane
		t.Errorf("%d bytes are held of what waits", d.held)
	}
}

// Reading goes on as long as too little can run, and pauses when enough can.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.ahead, d.most = 3, 1003
	d.shut("x", d.time.Add(time.Minute))
	for range 500 {
		d.reads("- x", "anna y")
	}
	if !d.roomy() {
		t.Error("what cannot run keeps others from being read")
	}
	d.reads("- y", "- y")
	if d.roomy() {
		t.Error("reading goes on although enough can run")
	}
	d.turns()
	d.reads("- x")
	if d.entries != 1003 || d.roomy() {
		t.Errorf("%d commands, and reading goes on", d.entries)
	}
}

func (d *desk) roomy() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hasRoom()
}

// Whatever happens in whatever order: a lane has one command running at most,
// and it runs when all before it in its lane are over or before a gate that was
// shut when it was taken. In the end nothing is left.
func TestBoardKeepsItsPromise(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		d := newDesk(t)
		if seed%2 == 1 {
			d.workers = 4 // two of one API at once
		}
		type command struct {
			lane, gate string
			tries      int
		}
		known := map[uint64]*command{}
		shut := map[string]bool{}
		gates, lanes := []string{"x", "y", "z"}, []string{"anna", "bert", "-"}
		for step := range 400 {
			switch random.IntN(8) {
			case 0, 1:
				if d.read < 100 {
					c := &command{lane: lanes[random.IntN(len(lanes))], gate: gates[random.IntN(len(gates))]}
					known[d.read+1] = c
					d.reads(c.lane + " " + c.gate)
				}
			case 2:
				g := gates[random.IntN(len(gates))]
				if shut[g] = random.IntN(2) == 0; shut[g] {
					d.shut(g, d.time.Add(time.Duration(random.IntN(50))*time.Millisecond))
				} else {
					d.open(g)
				}
			case 3:
				d.passes(time.Duration(random.IntN(20)) * time.Millisecond)
			case 4, 5:
				turns := d.turns()
				busy := map[string]int{}
				for sequence := range d.out {
					gate := known[sequence].gate
					busy[gate]++
					if busy[gate] > d.workers/2 {
						t.Fatalf("seed %d, step %d: too many of %s at once", seed, step, gate)
					}
				}
				for _, sequence := range turns {
					c := known[sequence]
					for earlier, other := range known {
						if earlier < sequence && other.lane == c.lane && c.lane != "-" && (!shut[other.gate] || other.gate == c.gate) {
							t.Fatalf("seed %d, step %d: %d (%s %s) has passed %d (%s)", seed, step, sequence, c.lane, c.gate, earlier, other.gate)
						}
						if _, running := d.out[earlier]; earlier != sequence && running && other.lane == c.lane && c.lane != "-" {
							t.Fatalf("seed %d, step %d: %d and %d of one lane run together", seed, step, sequence, earlier)
						}
					}
				}
			default:
				for sequence := range d.out {
					if c := known[sequence]; c.tries < 3 && random.IntN(3) == 0 {
						c.tries++
						d.waits(sequence, time.Duration(random.IntN(30))*time.Millisecond)
					} else {
						delete(known, sequence)
						d.done(sequence)
					}
					break
				}
			}
		}
		for _, g := range gates {
			d.open(g)
		}
		d.passes(time.Second)
		for len(known) > 0 {
			d.turns()
			if len(d.out) == 0 {
				t.Fatalf("seed %d: %d commands never have their turn", seed, len(known))
			}
			for sequence := range d.out {
				delete(known, sequence)
				d.done(sequence)
			}
		}
		d.empty()
	}
}
