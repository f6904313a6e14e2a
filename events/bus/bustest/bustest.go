// Package bustest gives tests a real NATS server in the test's own process.
package bustest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is a nats-server with JetStream on file storage. It keeps its port and
// its folder over Stop and Start, as a machine that reboots does.
type Server struct {
	t    testing.TB
	dir  string
	port int
	srv  *server.Server

	user, password string
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t)}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// freePort keeps restarts on one address; the server's own choice would change.
// It stays below the ports that systems give to outgoing connections, any of
// which could take it while the server is stopped.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(18000)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// URL is where clients connect.
func (s *Server) URL() string { return "nats://127.0.0.1:" + strconv.Itoa(s.port) }

// Start starts a stopped server.
func (s *Server) Start() {
	s.t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: s.port, JetStream: true, StoreDir: s.dir,
		NoLog: true, NoSigs: true, Username: s.user, Password: s.password,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		s.t.Fatal("the embedded NATS did not come up")
	}
	s.srv = srv
}

// Require makes the next Start ask clients for a user and a password.
func (s *Server) Require(user, password string) { s.user, s.password = user, password }

// Connections is how many clients have connected or tried to since Start.
func (s *Server) Connections() uint64 {
	s.t.Helper()
	varz, err := s.srv.Varz(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return varz.TotalConnections
}

// Stop stops the server and waits for its end.
func (s *Server) Stop() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}

// Conn is a plain client of the server, closed at the end of the test.
func (s *Server) Conn() *nats.Conn {
	s.t.Helper()
	nc, err := nats.Connect(s.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	return nc
}

// JetStream is a JetStream context of a new client.
func (s *Server) JetStream() jetstream.JetStream {
	s.t.Helper()
	js, err := jetstream.New(s.Conn())
	if err != nil {
		s.t.Fatal(err)
	}
	return js
}
