package bus

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// gatherer gives the connection in one go what many goroutines publish at the same
// moment: the client writes to the socket as soon as it is given something, so that
// one by one each message would be a write and a read of its own.
//
// A goroutine of its own gives, as long as there is something: a link that takes
// nothing holds up whoever writes to it, and who publishes has a deadline.
type gatherer struct {
	conn *nats.Conn

	mu      sync.Mutex
	waiting []*parcel
	busy    bool      // the goroutine is there
	idle    sync.Cond // of mu: it is not any more
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
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, p)
	if !g.busy {
		g.busy = true
		go g.give()
	}
}

// give gives what all have brought.
func (g *gatherer) give() {
	runtime.Gosched() // whoever is about to publish too comes first
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > 0 {
		all := g.waiting
		g.waiting = nil
		g.mu.Unlock()
		for _, p := range all {
			if !p.withdrawn.Load() {
				if err := g.conn.PublishMsg(p.message); err != nil {
					p.failed(err)
				}
			}
			p.queued.Store(false)
		}
		g.mu.Lock()
	}
	g.busy = false
	g.idle.Broadcast()
}

// rest waits until nothing is being given. On a closed connection that is soon.
func (g *gatherer) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.busy {
		g.idle.Wait()
	}
}
