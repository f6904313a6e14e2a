package bus

import (
	"runtime"
	"sync"

	"github.com/nats-io/nats.go"
)

// gatherer gives the connection in one go what many goroutines publish at the same
// moment: the client writes to the socket as soon as it is given something, so that
// one by one each message would be a write and a read of its own.
type gatherer struct {
	conn *nats.Conn

	mu      sync.Mutex
	waiting []parcel
	busy    bool // somebody is giving
}

// Post publishes a message in one go with those that others publish at the same
// moment. failed is called if that cannot be done, perhaps before Post returns,
// and must not block. That a stream has stored it is for the sender to hear.
func (b *Bus) Post(m *nats.Msg, failed func(error)) { b.pub.out.publish(m, failed) }

// parcel is a message and who hears that it could not be given.
type parcel struct {
	message *nats.Msg
	failed  func(error)
}

// publish gives the connection a message, now or with those of others; failed is
// called if that cannot be done. Who finds nobody at it gives what all have brought.
func (g *gatherer) publish(m *nats.Msg, failed func(error)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, parcel{m, failed})
	if g.busy {
		return
	}
	g.busy = true
	g.mu.Unlock()
	runtime.Gosched() // whoever is about to publish too comes first
	g.mu.Lock()
	for len(g.waiting) > 0 {
		all := g.waiting
		g.waiting = nil
		g.mu.Unlock()
		for _, p := range all {
			if err := g.conn.PublishMsg(p.message); err != nil {
				p.failed(err)
			}
		}
		g.mu.Lock()
	}
	g.busy = false
}
