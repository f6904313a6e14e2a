package bus

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// gatherer gives the connection in one go what many goroutines publish at the same
// moment: the client writes to the socket as soon as it is given something, so that
// one by one each message would be a write and a read of its own.
//
// Who finds nobody at it gives what all have brought. But a link that takes nothing
// holds up whoever writes to it, and who publishes has a deadline: once giving took
// long, a goroutine of its own gives until it is quick again. So of all who publish
// one is held up, once, for no longer than the connection's write limit.
type gatherer struct {
	conn *nats.Conn

	mu      sync.Mutex
	waiting []*parcel
	busy    bool      // somebody is giving
	slow    bool      // the last time it took long, or was refused
	idle    sync.Cond // of mu: nobody is any more
}

// parcel is a message and who hears that it could not be given.
type parcel struct {
	message *nats.Msg
	failed  func(error)

	queued    atomic.Bool // it waits or is being given, and must not be changed
	withdrawn atomic.Bool // nobody wants it to be given any more
}

func newGatherer(nc *nats.Conn) *gatherer {
	g := &gatherer{conn: nc}
	g.idle.L = &g.mu
	return g
}

// Post publishes a message in one go with those that others publish at the same
// moment. failed is called if that cannot be done, and must not block. That a
// stream has stored it is for the sender to hear.
func (b *Bus) Post(m *nats.Msg, failed func(error)) {
	b.pub.out.publish(&parcel{message: m, failed: failed})
}

// publish has a parcel given to the connection, with those of others. One that is
// not even given yet is not given twice: a copy of each attempt would pile up
// before a link that takes nothing.
func (g *gatherer) publish(p *parcel) {
	if p.queued.Swap(true) {
		return
	}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	first, slow := !g.busy, g.slow
	g.busy = true
	g.mu.Unlock()
	switch {
	case first && slow:
		go g.give(true)
	case first:
		runtime.Gosched() // whoever is about to publish too comes first
		if !g.give(false) {
			go g.give(true)
		}
	}
}

// quick is how long it takes at the most to give what waits to a link that takes it.
const quick = 10 * time.Millisecond

// give gives what all have brought, until nothing is left or, unless it must go on,
// it was slow.
func (g *gatherer) give(on bool) (done bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > 0 {
		all := g.waiting
		g.waiting = nil
		g.mu.Unlock()
		began, refused := time.Now(), false
		for _, p := range all {
			if !p.withdrawn.Load() {
				if err := g.conn.PublishMsg(p.message); err != nil {
					refused = true // while it looks for a new link it is slow to say so, too
					p.failed(err)
				}
			}
			p.queued.Store(false)
		}
		took := time.Since(began)
		g.mu.Lock()
		if g.slow = refused || took > quick; g.slow && !on {
			return false
		}
	}
	g.busy = false
	g.idle.Broadcast()
	return true
}

// rest waits until nothing is being given. On a closed connection that is soon.
func (g *gatherer) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.busy {
		g.idle.Wait()
	}
}
