// Package bustest gives tests a real NATS server in the test's own process.
package bustest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
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
	conf           string // accounts and permissions, "" for none
}

// Password is every user's in the configurations of StartWith.
const Password = "of the test"

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t)}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// StartWith runs a server with the accounts and permissions of a configuration
// file. A variable of the file is a password, and each is Password; user is who
// Conn and JetStream connect as.
func StartWith(t testing.TB, conf []byte, user string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: freePort(t), user: user, password: Password}
	defined := map[string]bool{}
	for _, v := range regexp.MustCompile(`\$[A-Z0-9_]+_PASSWORD\b`).FindAllString(string(conf), -1) {
		if !defined[v] {
			defined[v] = true
			s.conf += fmt.Sprintf("%s: %q\n", v[1:], Password)
		}
	}
	s.conf += string(conf)
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
	options := &server.Options{}
	if s.conf == "" {
		options.Username, options.Password = s.user, s.password
	} else if err := options.ProcessConfigString(s.conf); err != nil {
		s.t.Fatal(err)
	}
	options.Host, options.Port, options.JetStream, options.StoreDir = "127.0.0.1", s.port, true, s.dir
	options.NoLog, options.NoSigs = true, true
	srv, err := server.NewServer(options)
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
func (s *Server) Conn() *nats.Conn { return s.ConnAs(s.user, "_INBOX") }

// ConnAs is a client of the server as one of its users, with an inbox prefix.
func (s *Server) ConnAs(user, inbox string, more ...nats.Option) *nats.Conn {
	s.t.Helper()
	options := append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.CustomInboxPrefix(inbox),
	}, more...)
	if user != "" {
		options = append(options, nats.UserInfo(user, s.password))
	}
	nc, err := nats.Connect(s.URL(), options...)
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
