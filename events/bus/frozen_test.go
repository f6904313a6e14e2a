package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// freezer stands between a client and its server, and can stop reading what the
// client writes, as a peer that hangs does.
type freezer struct {
	listener net.Listener
	server   string
	links    sync.WaitGroup

	mu     sync.Mutex
	thawed chan struct{} // closed while it reads
}

func newFreezer(t *testing.T, server string) *freezer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &freezer{listener: l, server: strings.TrimPrefix(server, "nats://"), thawed: make(chan struct{})}
	close(f.thawed)
	f.links.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			f.links.Go(func() { f.link(client) })
		}
	})
	return f
}

// link passes on what one connection says, until either side ends.
func (f *freezer) link(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", f.server)
	if err != nil {
		return
	}
	defer server.Close()
	f.links.Go(func() {
		_, _ = io.Copy(client, server)
		client.Close()
	})
	for some := make([]byte, 4096); ; {
		n, err := client.Read(some)
		if err != nil {
			return
		}
		f.mu.Lock()
		thawed := f.thawed
		f.mu.Unlock()
		<-thawed
		if _, err := server.Write(some[:n]); err != nil {
			return
		}
	}
}

func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.thawed = make(chan struct{})
}

func (f *freezer) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.thawed)
}

// While a link takes nothing nobody waits longer than he said, and what he gave up
// is not stored when it takes something again.
func TestALinkThatTakesNothing(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	f := newFreezer(t, s.URL())
	b := connect(t, "nats://"+f.listener.Addr().String(), testStreams())
	t.Cleanup(func() { // before the bus is closed, which frees the links
		b.Close()
		f.listener.Close()
		f.links.Wait()
	})
	waitSettled(t, b)

	f.freeze()
	began := time.Now()
	failed := make(chan error, 200)
	large := make([]byte, 512<<10)
	for range cap(failed) { // more than the sockets between them hold
		b.Post(&nats.Msg{Subject: "nobody.listens", Data: large}, func(err error) { failed <- err })
	}
	const senders = 50
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			// Long enough for a second attempt, shorter than what the link is given.
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			if _, err := b.Publish(ctx, fmt.Sprintf("wx.mark.e-%d", i), nil, []byte("x"), "", ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
	b.Reasons()
	all.Wait()
	b.pub.out.mu.Lock()
	waiting := len(b.pub.out.waiting)
	b.pub.out.mu.Unlock()
	if waiting > cap(failed)+senders {
		t.Errorf("%d wait to be given", waiting)
	}
	b.Reasons()
	if took := time.Since(began); took > generous/3 {
		t.Errorf("it took %s", took)
	}

	if err := <-failed; err == nil { // what cannot be written is known
		t.Error("it failed without a reason")
	}
	eventually(t, b, "not connected", func() bool { return strings.Contains(strings.Join(b.Reasons(), ""), "not connected") })
	f.thaw()
	waitSettled(t, b)
	// One that the client already had cannot be taken back.
	if ack := publish(t, b, "wx.mark.e-1", "x", ""); ack.Sequence > 1+senders/10 {
		t.Errorf("%d messages that nobody waited for are stored, of %d", ack.Sequence-1, senders)
	}
}
