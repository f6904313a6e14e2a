package ingress

import "sync"

// gate bounds what held callbacks may take of this process: how many there are,
// and the bytes of their bodies. Past a limit a callback is stored and answered
// success at once: a follower without an answer is better than a process
// without memory, which loses all of them.
type gate struct {
	maxHolds int
	maxBytes int64

	mu    sync.Mutex
	holds int
	bytes int64
	shed  int // since the gate was shut
}

// enter says whether one more callback may be held, whose body has so many
// bytes; leave ends that. shut is true for the first that may not.
func (g *gate) enter(bytes int64) (ok, shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.holds < g.maxHolds && g.bytes+bytes <= g.maxBytes {
		g.holds++
		g.bytes += bytes
		return true, false
	}
	g.shed++
	return false, g.shed == 1
}

// leave gives a place back. opened is how many were not held since the gate was
// shut, said once there is room again for as many as half of the limits.
func (g *gate) leave(bytes int64) (opened int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holds--
	g.bytes -= bytes
	if g.shed == 0 || g.holds > g.maxHolds/2 || g.bytes > g.maxBytes/2 {
		return 0
	}
	opened, g.shed = g.shed, 0
	return opened
}

// Held is how many callbacks are held now, and the bytes of their bodies.
func (i *Ingress) Held() (holds int, bytes int64) {
	i.gate.mu.Lock()
	defer i.gate.mu.Unlock()
	return i.gate.holds, i.gate.bytes
}

// admit says whether a callback may be held. If so, leave must be called at its end.
func (i *Ingress) admit(t *try) bool {
	ok, shut := i.gate.enter(t.size)
	if shut {
		i.logger.Warn("callbacks are stored and no longer held, answered success at once: there is no room for more",
			"max_holds", i.gate.maxHolds, "max_held_bytes", i.gate.maxBytes)
	}
	if !ok {
		i.observe.Shed(t.kind)
	}
	return ok
}

func (i *Ingress) leave(t *try) {
	if opened := i.gate.leave(t.size); opened > 0 {
		i.logger.Info("callbacks are held again", "not_held", opened)
	}
}
