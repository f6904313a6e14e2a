package bustest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// routes stand between the servers of a cluster, and can keep from one of them what
// leaders of streams tell their replicas.
type routes struct {
	links sync.WaitGroup

	mu      sync.Mutex
	lagging map[int]bool
	open    map[net.Conn]bool
	closed  bool
}

// StartLaggingCluster is StartCluster of servers that can be made to lag, see Lag.
func StartLaggingCluster(t testing.TB, n int) *Server {
	t.Helper()
	r := &routes{lagging: map[int]bool{}, open: map[net.Conn]bool{}}
	all := newCluster(t, n)
	var doors []net.Listener
	for i, from := range all {
		from.between = r
		for j, to := range all {
			if i == j {
				continue
			}
			door, err := net.Listen("tcp", at(0))
			if err != nil {
				t.Fatal(err)
			}
			doors = append(doors, door)
			from.routes = append(from.routes, server.RoutesFromStr("nats://"+door.Addr().String())...)
			r.links.Go(func() { r.accept(door, i, j, at(to.routePort)) })
		}
	}
	t.Cleanup(func() { // after the servers have stopped
		for _, door := range doors {
			door.Close()
		}
		r.close()
		r.links.Wait()
	})
	return startAll(all)
}

// Lag keeps from server i of the cluster what is stored in streams of several
// replicas from now on. It answers all it is asked, with what it has; it may
// not lead a stream. After a few seconds it wants to, and unsettles the cluster.
func (s *Server) Lag(i int) { s.between.lag(i, true) }

// CatchUp ends a Lag: the server gets what it has missed.
func (s *Server) CatchUp(i int) { s.between.lag(i, false) }

func (r *routes) lag(i int, lags bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lagging[i] = lags
}

func (r *routes) lags(i int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lagging[i]
}

func (r *routes) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.open {
		c.Close()
	}
}

// accept makes routes of one server to another.
func (r *routes) accept(door net.Listener, i, j int, address string) {
	for {
		from, err := door.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", address)
		if err != nil {
			from.Close()
			continue
		}
		r.mu.Lock()
		if r.closed {
			from.Close()
			to.Close()
		}
		r.open[from], r.open[to] = true, true
		r.mu.Unlock()
		r.links.Go(func() { r.carry(to, from, j) })
		r.links.Go(func() { r.carry(from, to, i) })
	}
}

// appends begins the subjects of what leaders of streams tell their replicas.
var appends = []byte(" $NRG.AE.S-")

// carry passes on what a server hears by one route, until it ends.
func (r *routes) carry(hears, from net.Conn, i int) {
	defer hears.Close()
	defer from.Close()
	for words := bufio.NewReader(from); ; {
		line, err := words.ReadBytes('\n')
		if err != nil {
			return
		}
		if len(line) > 4 && string(line[1:5]) == "MSG " { // the last number is how long it is
			length, err := strconv.Atoi(string(line[bytes.LastIndexByte(line, ' ')+1 : len(line)-2]))
			if err != nil {
				return
			}
			body := make([]byte, length+2)
			if _, err := io.ReadFull(words, body); err != nil {
				return
			}
			if bytes.Contains(line, appends) && r.lags(i) {
				continue
			}
			line = append(line, body...)
		}
		if _, err := hears.Write(line); err != nil {
			return
		}
	}
}
