// Package bustest gives tests a real NATS server in the test's own process.
package bustest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
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
	nobody         string // the user that a client is which names none

	// Of a member of a cluster; cluster is all of them, in the first one.
	name      string
	routePort int
	routes    []*url.URL
	cluster   []*Server
	between   *routes // of a cluster whose servers can be made to lag

	mu      sync.Mutex
	clients []*nats.Conn // that Conn gave
}

// Password is every user's in the configurations of StartWith.
const Password = "of the test"

// Start runs a server until the test ends. Whole suites can be run under
// permissions: BUSTEST_CONF names the configuration file for the server, and
// BUSTEST_USER the user that the bridge under test is, with any inbox:
//
//	BUSTEST_CONF=$PWD/events/bus/permissions/nats-create.conf BUSTEST_USER=wx.ingress go test ./ingress
func Start(t testing.TB) *Server {
	t.Helper()
	if file := os.Getenv("BUSTEST_CONF"); file != "" {
		return startSuite(t, file, os.Getenv("BUSTEST_USER"))
	}
	if n := Replicas(); n > 1 {
		return StartCluster(t, n)
	}
	s := &Server{t: t, dir: t.TempDir(), port: FreePort(t)}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// StartWith runs a server with the accounts and permissions of a configuration
// file. A variable of the file is a password, and each is Password; user is who
// Conn and JetStream connect as.
func StartWith(t testing.TB, conf []byte, user string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: FreePort(t), user: user, password: Password}
	s.configure(conf)
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// startSuite is StartWith for tests that know nothing of it: a client without a
// name is the user, and its inboxes are under _INBOX; tests look as the operator.
func startSuite(t testing.TB, file, user string) *Server {
	t.Helper()
	conf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prefix, role, _ := strings.Cut(user, ".")
	inbox := "_INBOX_" + strings.ToUpper(prefix+"_"+role)
	s := &Server{t: t, dir: t.TempDir(), port: FreePort(t), user: prefix + ".operator", password: Password, nobody: user}
	s.configure(bytes.ReplaceAll(conf, []byte(inbox+"."), []byte("_INBOX.")))
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// configure takes a configuration and gives its variables the test's password.
func (s *Server) configure(conf []byte) {
	defined := map[string]bool{}
	for _, v := range regexp.MustCompile(`\$[A-Z0-9_]+_PASSWORD\b`).FindAllString(string(conf), -1) {
		if !defined[v] {
			defined[v] = true
			s.conf += fmt.Sprintf("%s: %q\n", v[1:], Password)
		}
	}
	s.conf += string(conf)
}

// FreePort is a port for a server that a test starts, and starts again. No other
// test gets it, of whatever process: it belongs to whoever holds the UDP port of
// its number, which is until the end of the test. It lies below the ports that
// systems give to outgoing connections, any of which could take it while the
// server is stopped.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 12000 + rand.IntN(18000)
		held, err := net.ListenPacket("udp", at(port))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", at(port))
		if err != nil {
			held.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { held.Close() })
		return port
	}
	t.Fatal("no free port")
	return 0
}

// URL is where clients connect.
func (s *Server) URL() string {
	urls := []string{}
	for _, one := range s.members() {
		urls = append(urls, "nats://"+at(one.port))
	}
	return strings.Join(urls, ",")
}

// members are the servers of a cluster, or the one.
func (s *Server) members() []*Server {
	if s.cluster == nil {
		return []*Server{s}
	}
	return s.cluster
}

// Start starts a stopped server, of a cluster all.
func (s *Server) Start() {
	s.t.Helper()
	if s.cluster != nil {
		s.startCluster()
		return
	}
	s.launch()
}

func (s *Server) launch() {
	s.t.Helper()
	options := &server.Options{}
	if s.conf == "" {
		options.Username, options.Password = s.user, s.password
	} else if err := options.ProcessConfigString(s.conf); err != nil {
		s.t.Fatal(err)
	}
	options.Host, options.Port, options.JetStream, options.StoreDir = "127.0.0.1", s.port, true, s.dir
	options.NoLog, options.NoSigs, options.NoAuthUser = true, true, s.nobody
	s.join(options)
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
func (s *Server) Require(user, password string) {
	for _, one := range s.members() {
		one.user, one.password = user, password
	}
}

// Connections is how many clients have connected or tried to since Start.
func (s *Server) Connections() uint64 {
	s.t.Helper()
	var total uint64
	for _, one := range s.members() {
		varz, err := one.srv.Varz(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		total += varz.TotalConnections
	}
	return total
}

// Stop stops the server, of a cluster all, and waits for its end. The clients that
// Conn gave know of it then: one that has not noticed calls itself connected, and
// what it asks is lost.
func (s *Server) Stop() {
	s.t.Helper()
	for _, one := range s.members() {
		if one.srv != nil {
			s.shut(one)
		}
	}
}

func (s *Server) shut(one *Server) {
	s.t.Helper()
	id := one.srv.ID()
	one.srv.Shutdown()
	one.srv.WaitForShutdown()
	one.srv = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, client := range s.clients {
		for end := time.Now().Add(30 * time.Second); client.ConnectedServerId() == id; <-time.After(time.Millisecond) {
			if time.Now().After(end) {
				s.t.Fatal("a client does not notice that its server has stopped")
			}
		}
	}
}

// Conn is a plain client of the server, closed at the end of the test.
func (s *Server) Conn() *nats.Conn { return s.ConnAs(s.user, "_INBOX") }

// ConnAs is a client of the server as one of its users, with an inbox prefix.
func (s *Server) ConnAs(user, inbox string, more ...nats.Option) *nats.Conn {
	s.t.Helper()
	options := append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(50 * time.Millisecond), nats.CustomInboxPrefix(inbox),
		// A server that stops may refuse who comes back to it; the default gives up for good.
		nats.IgnoreAuthErrorAbort(),
	}, more...)
	if user != "" {
		options = append(options, nats.UserInfo(user, s.password))
	}
	nc, err := nats.Connect(s.URL(), options...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(nc.Close)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, nc)
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
