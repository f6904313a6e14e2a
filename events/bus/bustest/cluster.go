package bustest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Replicas is of how many servers the bus of a suite is made, and how many
// replicas its streams have: BUSTEST_REPLICAS, 1 without it. Whole suites can be
// run on a cluster:
//
//	BUSTEST_REPLICAS=3 go test ./egress
func Replicas() int {
	n, err := strconv.Atoi(os.Getenv("BUSTEST_REPLICAS"))
	if err != nil {
		return 1
	}
	return n
}

// StartCluster runs a cluster of n servers until the test ends. Stop and Start are
// of all of them; Kill and Revive of one.
func StartCluster(t testing.TB, n int) *Server {
	t.Helper()
	all := newCluster(t, n)
	for i, s := range all {
		for j, other := range all {
			if i != j {
				s.routes = append(s.routes, server.RoutesFromStr("nats://"+at(other.routePort))...)
			}
		}
	}
	return startAll(all)
}

// newCluster makes the servers of a cluster, which know no way to each other yet.
func newCluster(t testing.TB, n int) []*Server {
	t.Helper()
	all := make([]*Server, n)
	for i := range all {
		all[i] = &Server{t: t, dir: t.TempDir(), port: FreePort(t), routePort: FreePort(t), name: fmt.Sprint("n", i+1)}
	}
	return all
}

func startAll(all []*Server) *Server {
	first := all[0]
	first.t.Helper()
	first.cluster = all
	first.Start()
	first.t.Cleanup(first.Stop)
	return first
}

// startCluster starts all servers that do not run, and waits until they have a
// leader and know each other. The streams of servers that ran before may take
// another moment to find a leader.
func (s *Server) startCluster() {
	s.t.Helper()
	for _, one := range s.cluster {
		if one.srv == nil {
			one.launch()
		}
	}
	s.awaitLeader()
}

// look is between two looks at what nobody announces.
const look = 20 * time.Millisecond

func (s *Server) awaitLeader() {
	s.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); <-time.After(look) {
		running, leaders, current, peers := 0, 0, 0, 0
		for _, one := range s.cluster {
			if one.srv == nil {
				continue
			}
			running++
			if one.srv.JetStreamIsLeader() {
				leaders++
				peers = len(one.srv.JetStreamClusterPeers()) // on which it would place a stream
			}
			if one.srv.JetStreamIsCurrent() {
				current++
			}
		}
		if leaders == 1 && current == running && peers >= running {
			return
		}
	}
	s.t.Fatal("the cluster has no leader")
}

// Kill stops one server of a cluster, counted from 0.
func (s *Server) Kill(i int) {
	s.t.Helper()
	s.shut(s.cluster[i])
}

// Revive starts a server that was killed, and waits until the cluster is whole.
func (s *Server) Revive(i int) {
	s.t.Helper()
	s.cluster[i].launch()
	s.awaitLeader()
}

func at(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// join makes a server's options those of a member of its cluster.
func (s *Server) join(options *server.Options) {
	if s.routes == nil {
		return
	}
	options.ServerName = s.name
	options.Cluster = server.ClusterOpts{Name: "bustest", Host: "127.0.0.1", Port: s.routePort}
	options.Routes = s.routes
	if s.between != nil {
		// Servers tell each other of the others; nobody is to find a way around.
		options.Cluster.Advertise = at(1)
	}
}

// Follower is a server of the cluster that has a stream's messages and leads neither
// it nor the cluster.
func (s *Server) Follower(t testing.TB, stream string) int {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); <-time.After(look) {
		for i, one := range s.cluster {
			if one.srv.JetStreamIsLeader() {
				continue
			}
			if one.srv.JetStreamIsStreamCurrent("$G", stream) && !one.srv.JetStreamIsStreamLeader("$G", stream) {
				return i
			}
		}
	}
	t.Fatalf("no replica of %s has its messages", stream)
	return 0
}

// ConnTo is a plain client of one server of the cluster, closed at the end of the test.
func (s *Server) ConnTo(i int) *nats.Conn {
	s.t.Helper()
	one := &Server{t: s.t, port: s.cluster[i].port, password: s.password}
	return one.ConnAs(s.user, "_INBOX", nats.IgnoreDiscoveredServers())
}

// Spread waits until every server of a cluster knows what a client has subscribed to
// so far: a flush says so of the client's own server alone, and at the others
// nobody listens yet.
func (s *Server) Spread(nc *nats.Conn) {
	s.t.Helper()
	subject := nats.NewInbox()
	probe, err := nc.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond(nil) }) // who asks looks at the error
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = probe.Unsubscribe() }()
	for i := range s.cluster {
		asks := s.ConnTo(i)
		for end := time.Now().Add(60 * time.Second); ; <-time.After(look) {
			if _, err = asks.Request(subject, nil, time.Second); err == nil {
				break
			}
			if time.Now().After(end) {
				s.t.Fatal(err)
			}
		}
		asks.Close()
	}
}
