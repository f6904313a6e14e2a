package wxapi

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

// house is a server that nobody outside may reach, and how often it was.
func house(t *testing.T) (url string, at netip.AddrPort, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(s.Close)
	return s.URL, netip.MustParseAddrPort(s.Listener.Addr().String()), reached
}

func fetch(t *testing.T, transport *http.Transport, url string) error {
	t.Helper()
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

// names is a resolver that answers each question for an IPv4 address with the
// next of some.
func names(t *testing.T, addrs ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-ended })
	go func() {
		defer close(ended)
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(dnsAnswer(question[:n], func() netip.Addr {
				n := min(int(asked.Add(1)), len(addrs))
				return netip.MustParseAddr(addrs[n-1])
			}), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}, asked
}

// dnsAnswer answers a question (RFC 1035 §4.1) with one address if it is for
// IPv4, else with none.
func dnsAnswer(question []byte, addr func() netip.Addr) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the end of the name, type and class
	answer := append([]byte{}, question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer without error
	copy(answer[6:12], make([]byte, 6))            // no other records
	if binary.BigEndian.Uint16(question[end-4:]) != 1 {
		return answer
	}
	binary.BigEndian.PutUint16(answer[6:], 1)
	answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(answer, addr().AsSlice()...)
}

// B80: whatever a URL calls an address inside, it is refused before a byte is sent.
func TestGuardRefusesWhatIsInside(t *testing.T) {
	t.Parallel()
	_, at, reached := house(t)
	_, port, _ := strings.Cut(at.String(), ":")
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "0.0.0.0", "127.1.2.3", // loopback
		"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fc00::1]", "[::ffff:10.0.0.1]", // private
		"169.254.169.254", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", // link-local, and IPv4 inside of IPv6
	} {
		if err := fetch(t, guarded(nil, nil), "http://"+host+":"+port+"/latest/meta-data"); !errors.Is(err, errInside) {
			t.Errorf("%s: %v", host, err)
		}
	}
	// Some resolvers know these spellings and others find no such name.
	for _, host := range []string{"0x7f.1", "2130706433", "0177.0.0.1", "127.1"} {
		if err := fetch(t, guarded(nil, nil), "http://"+host+":"+port); err == nil {
			t.Errorf("%s: no error", host)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d requests came through", reached.Load())
	}
}

// B80: a name that stood for a public address a moment ago, and now stands for one
// inside (DNS rebinding): the guard looks at what is dialled.
func TestGuardLooksAtWhatIsDialled(t *testing.T) {
	t.Parallel()
	_, at, reached := house(t)
	resolver, asked := names(t, "203.205.254.1", "127.0.0.1")
	before, err := resolver.LookupNetIP(t.Context(), "ip4", "video.example")
	if err != nil || len(before) != 1 || !isPublic(before[0]) {
		t.Fatalf("%v, %v", before, err)
	}
	_, port, _ := strings.Cut(at.String(), ":")
	if err := fetch(t, guarded(nil, resolver), "http://video.example:"+port); !errors.Is(err, errInside) {
		t.Errorf("the second answer: %v", err)
	}
	if reached.Load() != 0 || asked.Load() < 2 {
		t.Errorf("%d requests came through, %d questions", reached.Load(), asked.Load())
	}
}

// A simulator's videos are where it is itself; a neighbour of it is not.
func TestGuardKnowsWhereTheAPIIs(t *testing.T) {
	t.Parallel()
	api, at, reached := house(t)
	neighbour, _, notReached := house(t)
	c, err := New(Config{AppID: "wx0123456789abcdef", AppSecret: "s", APIURL: api})
	if err != nil {
		t.Fatal(err)
	}
	ours := c.inside(t.Context())
	if len(ours) != 1 || ours[0] != at {
		t.Fatalf("%v, the API is at %v", ours, at)
	}
	if err := fetch(t, guarded(ours, nil), api); err != nil || reached.Load() != 1 {
		t.Errorf("its own: %v", err)
	}
	if err := fetch(t, guarded(ours, nil), neighbour); !errors.Is(err, errInside) || notReached.Load() != 0 {
		t.Errorf("its neighbour: %v", err)
	}
	if c.api.Host = "203.205.254.1"; len(c.inside(t.Context())) != 0 {
		t.Error("WeChat itself is not inside")
	}
}
