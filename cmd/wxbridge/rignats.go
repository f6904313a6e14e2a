package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/wxbridge/wxbridge/events/bus"
)

// natsNode is one server of a rig's NATS, which comes back where it was.
type natsNode struct {
	*natsd
	rig             *rig
	name            string
	address, routes *net.TCPAddr // where it listens for clients and for the others
	others          []string     // where those do
}

// openNATS starts the servers of NATS.
func (r *rig) openNATS(ctx context.Context) error {
	count := max(1, r.nodes)
	var urls []string
	for i := range count {
		n := &natsNode{rig: r, name: fmt.Sprintf("nats-%d", i)}
		for _, address := range []**net.TCPAddr{&n.address, &n.routes} {
			var err error
			if *address, err = r.freeAddress(ctx); err != nil {
				return err
			}
		}
		urls = append(urls, "nats://"+n.address.String())
		r.nats = append(r.nats, n)
	}
	r.natsURL = strings.Join(urls, ",")
	for _, n := range r.nats {
		for _, other := range r.nats {
			if other != n {
				n.others = append(n.others, "nats://"+other.routes.String())
			}
		}
		if err := n.start(); err != nil {
			return err
		}
	}
	return nil
}

// freeAddress is one where a server can be started again. It lies below the ports
// that systems give to outgoing connections, any of which could take it while the
// server is stopped; and it is no other server's, of this rig or of another one or
// of a test: those leave it to who holds the UDP port of its number.
func (r *rig) freeAddress(ctx context.Context) (*net.TCPAddr, error) {
	var listen net.ListenConfig
	var last error
	for range 100 {
		address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 12000 + rand.IntN(18000)}
		held, err := listen.ListenPacket(ctx, "udp", address.String())
		if err != nil {
			last = err
			continue
		}
		l, err := listen.Listen(ctx, "tcp", address.String())
		if err != nil {
			last = errors.Join(err, held.Close())
			continue
		}
		r.held = append(r.held, held)
		return &address, l.Close()
	}
	return nil, fmt.Errorf("no free port: %w", last)
}

func (n *natsNode) start() error {
	fresh, err := startNATS(n.address.String(), filepath.Join(n.rig.dir, n.name), n.rig.logger, n.join)
	if err == nil {
		n.natsd = fresh // one that did not come back can still be stopped
	}
	return err
}

// join makes the server one of several.
func (n *natsNode) join(options *server.Options) {
	if len(n.others) == 0 {
		return
	}
	options.ServerName = n.name
	options.Cluster = server.ClusterOpts{Name: "wxbridge", Host: n.routes.IP.String(), Port: n.routes.Port}
	options.Routes = server.RoutesFromStr(strings.Join(n.others, ","))
}

// restartNATS stops a server of NATS, each in turn, and starts it where it was. It
// returns when a cluster is whole again, however long that takes: one that loses its
// next server before is no cluster any more, and nothing moves.
func (r *rig) restartNATS(ctx context.Context, turn int) error {
	n := r.nats[turn%len(r.nats)]
	n.stop()
	if err := n.start(); err != nil || len(r.nats) == 1 {
		return err
	}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !r.whole() {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
	return nil
}

// whole says whether the servers of a cluster have a leader and have caught up with it.
func (r *rig) whole() bool {
	leaders := 0
	for _, n := range r.nats {
		if n.JetStreamIsLeader() {
			leaders++
		}
		if !n.JetStreamIsCurrent() {
			return false
		}
	}
	return leaders == 1
}

// ensure makes the streams, as soon as a cluster has its leaders.
func (r *rig) ensure(ctx context.Context) error {
	config := bus.StreamConfig{Mode: "create", Replicas: len(r.nats), Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
	for {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := bus.Ensure(within, r.js, "wx", config)
		cancel()
		if err == nil || len(r.nats) == 1 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
