package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// natsNode is one server of a rig's NATS: a process, which comes back where it was.
type natsNode struct {
	*rig
	name            string
	address, routes *net.TCPAddr // where it listens for clients and for the others
	others          []string     // where those do

	cmd   *exec.Cmd
	leash io.Closer
	log   *os.File
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
				r.closeNATS()
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
	}
	for _, n := range r.nats {
		if err := n.start(ctx); err != nil {
			r.closeNATS()
			return err
		}
	}
	return nil
}

func (r *rig) closeNATS() {
	for _, n := range r.nats {
		n.end(syscall.SIGKILL)
	}
	for _, h := range r.held {
		_ = h.Close()
	}
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

// start starts the process and waits until it can be reached.
func (n *natsNode) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(n.dir, n.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n.log = log
	n.cmd = exec.Command(self, "bench", "nats", "-name", n.name, "-dir", filepath.Join(n.dir, n.name), //nolint:noctx,gosec // it ends by end, and by nothing else; and it is this very program
		"-listen", n.address.String(), "-routes", n.routes.String(), "-others", strings.Join(n.others, ","))
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if n.leash, err = n.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return err
	}
	return n.reachable(ctx)
}

func (n *natsNode) reachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		link, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.address.String())
		if err == nil {
			return link.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not start, see its log in -dir: %w", n.name, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end ends the process with a signal and waits for its end.
func (n *natsNode) end(how os.Signal) {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Signal(how)
	_ = n.cmd.Wait() // it was killed, and says so
	_ = n.leash.Close()
	_ = n.log.Close()
}

// restartNATS ends a server of NATS, each in turn, now with kill -9 and now at its
// leisure, and starts it where it was.
func (r *rig) restartNATS(ctx context.Context, turn int) error {
	n, how := r.nats[turn%len(r.nats)], os.Signal(syscall.SIGKILL)
	if turn%2 == 1 {
		how = syscall.SIGTERM
	}
	n.end(how)
	return n.start(ctx)
}

// whole waits until every stream of a cluster has a leader and no replica that lags:
// of three servers NATS can do without one, and sees only after 4 to 9 s that a leader
// was killed. Who kills the next one before stops everything, and proves nothing.
func (r *rig) whole(ctx context.Context) {
	for len(r.nats) > 1 && !r.isWhole(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (r *rig) isWhole(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c, p := r.streams(), events.Prefix("wx")
	missing := len(c.Streams(p)) + len(c.Buckets(p)) + len(c.Objects(p))
	list := r.js.ListStreams(ctx)
	for info := range list.Info() {
		if info.Cluster == nil || info.Cluster.Leader == "" || len(info.Cluster.Replicas) != len(r.nats)-1 {
			return false
		}
		for _, replica := range info.Cluster.Replicas {
			if !replica.Current || replica.Offline {
				return false
			}
		}
		missing--
	}
	return list.Err() == nil && missing == 0
}

func (r *rig) streams() bus.StreamConfig {
	return bus.StreamConfig{Mode: "create", Replicas: len(r.nats), Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
}

// ensure makes the streams, as soon as a cluster has its leaders.
func (r *rig) ensure(ctx context.Context) error {
	for {
		within, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := bus.Ensure(within, r.js, "wx", r.streams())
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
