package bustest

import (
	"net"
	"testing"
)

// After Stop no client calls itself connected, so who then waits for a connection
// waits for the next one.
func TestClientsKnowThatTheServerStopped(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for range 20 {
		nc := s.Conn()
		s.Stop()
		if nc.IsConnected() {
			t.Fatal("connected to a server that has stopped")
		}
		s.Start()
	}
}

// A port belongs to one test, also while nobody listens there.
func TestFreePort(t *testing.T) {
	t.Parallel()
	address := at(FreePort(t))
	if second, err := net.ListenPacket("udp", address); err == nil {
		second.Close()
		t.Error("a second test could have it")
	}
	server, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("no server can have it: %v", err)
	}
	server.Close()
}
