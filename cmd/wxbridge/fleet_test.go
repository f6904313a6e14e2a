package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// fleet is the bridge as several processes: ingresses behind a balancer, stand-by
// egresses, NATS in a container, and WeChat as a process of its own. All of them
// have the rights of the permission files and no more; whoever replies is an
// application, and the test that looks on is an operator.
type fleet struct {
	apart
	app                 *nats.Conn
	ingresses, egresses []*replica
	balancer            *balancer
	// misses: a holder may claim a reply, freeze, and find its peer gone. It says so,
	// and the reply is sent late: such an event ends twice, and is answered once.
	misses bool
}

// replica is one process that can be started again where it was.
type replica struct {
	*process
	command, admin string
	vars           map[string]string
}

func (r *replica) start(t *testing.T) {
	t.Helper()
	r.process = start(t, r.vars, nil, r.command)
}

// startFleet starts ingresses and egresses; vars are for all of them.
func startFleet(t *testing.T, ingresses, egresses int, vars ...string) *fleet {
	t.Helper()
	f := &fleet{}
	f.nats = startGuardedNATS(t)
	address := func() string { return "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)) }
	f.balancer = startBalancer(t)
	simAddress := address()
	f.sim = "http://" + simAddress
	f.simProcess = start(t, with(good(), "WX_SIM_LISTEN", simAddress, "WX_SIM_CALLBACK", f.balancer.url), nil, "sim")
	f.simProcess.says(t, "WeChat is pretended at")
	as := func(role string) map[string]string {
		return with(with(good(), vars...), "WX_NATS_URL", f.nats.URL, "WX_NATS_USER", "wx."+role,
			"WX_NATS_PASSWORD", bustest.Password, "WX_NATS_INBOX_PREFIX", "_INBOX_WX_"+strings.ToUpper(role))
	}
	for range ingresses {
		callback, admin := address(), address()
		f.balancer.add(t, "http://"+callback)
		f.ingresses = append(f.ingresses, &replica{command: "ingress", admin: admin, vars: with(as("ingress"), "WX_LISTEN", callback, "WX_ADMIN_LISTEN", admin)})
	}
	for range egresses {
		admin := address()
		f.egresses = append(f.egresses, &replica{command: "egress", admin: admin, vars: with(as("egress"), "WX_API_URL", f.sim, "WX_ADMIN_LISTEN", admin)})
	}
	for _, r := range f.all() {
		r.start(t)
	}
	f.ready(t)
	f.nc = f.connect(t, "operator")
	f.app = f.connect(t, "application")
	var err error
	if f.js, err = jetstream.New(f.nc); err != nil {
		t.Fatal(err)
	}
	return f
}

// connect is a client with the rights of a role.
func (f *fleet) connect(t *testing.T, role string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(f.nats.URL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond),
		nats.UserInfo("wx."+role, bustest.Password), nats.CustomInboxPrefix("_INBOX_WX_"+strings.ToUpper(role)),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { t.Errorf("%s: %v", role, err) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// reply stores a reply, as an application may.
func (f *fleet) reply(ctx context.Context, subject, text string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	answer, err := f.app.RequestWithContext(ctx, subject, []byte(text))
	if err == nil && !strings.Contains(string(answer.Data), `"seq"`) {
		err = fmt.Errorf("not stored: %s", answer.Data)
	}
	return err
}

func (f *fleet) all() []*replica { return append(append([]*replica{}, f.ingresses...), f.egresses...) }

func (f *fleet) ready(t *testing.T) {
	t.Helper()
	for _, r := range f.all() {
		ready(t, r.admin)
	}
}

// balancer is what stands before ingresses: each request goes to the next one, or
// to the one that a test chooses, and past those where nobody listens.
type balancer struct {
	url      string
	mu       sync.Mutex
	backends []*url.URL
	next     atomic.Int64
	choose   func(n int) int // by the number of the request, from 0

	transport *http.Transport
}

func startBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{transport: &http.Transport{MaxIdleConnsPerHost: 512}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + listener.Addr().String() + "/wx"
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(*httputil.ProxyRequest) {},
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // killed processes are what the tests are about
		Transport: b,
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		b.transport.CloseIdleConnections()
	})
	return b
}

func (b *balancer) add(t *testing.T, backend string) {
	t.Helper()
	u, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, u)
}

// route has requests go where choose says, counted from now.
func (b *balancer) route(choose func(n int) int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.choose = choose
	b.next.Store(0)
}

// pick is whom the next request is for, and all who could take it instead.
func (b *balancer) pick() (first int, backends []*url.URL) {
	first = int(b.next.Add(1)) - 1
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.choose != nil {
		first = b.choose(first)
	}
	return first, b.backends
}

// RoundTrip carries a request to the first who takes the connection.
func (b *balancer) RoundTrip(r *http.Request) (response *http.Response, err error) {
	first, backends := b.pick()
	body, err := io.ReadAll(r.Body) // a transport that reaches nobody closes it
	if err != nil {
		return nil, err
	}
	for n := range backends {
		backend := backends[(first+n)%len(backends)]
		r.URL.Scheme, r.URL.Host = backend.Scheme, backend.Host
		r.Body = io.NopCloser(bytes.NewReader(body))
		response, err = b.transport.RoundTrip(r)
		var refused *net.OpError
		if !errors.As(err, &refused) || refused.Op != "dial" {
			break
		}
	}
	return response, err
}

// seen is one thing on a follower's phone.
type seen struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// inbox is all that a follower has seen.
func (f *fleet) inbox(t *testing.T, openID string) (all []seen) {
	t.Helper()
	status, body, err := get(t, f.sim+"/_sim/followers/"+openID+"/inbox")
	if err != nil || status != http.StatusOK {
		t.Fatalf("inbox of %s: %d, %v", openID, status, err)
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// reads waits until a follower has seen something that is not their own doing.
func (f *fleet) reads(t *testing.T, openID string) (all []seen) {
	t.Helper()
	eventually(t, 2*time.Minute, openID+" reads something", func() error {
		if all = f.inbox(t, openID); len(all) == 0 {
			return errNotYet
		}
		return nil
	})
	return all
}

// subscribe hears every inbound event once, as a consumer of the stream.
func (f *fleet) subscribe(t *testing.T, heard func(events.InboundEvent)) {
	t.Helper()
	consumer, err := f.js.OrderedConsumer(t.Context(), "WX_INBOUND", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	reading, err := consumer.Consume(func(m jetstream.Msg) {
		meta, err := m.Metadata()
		if err != nil {
			t.Errorf("inbound: %v", err)
			return
		}
		in, err := events.ParseInbound("wx", events.Message{
			Subject: m.Subject(), Header: events.Header(m.Headers()), Body: m.Data(), Sequence: meta.Sequence.Stream,
		})
		if err != nil {
			t.Errorf("inbound: %v", err)
			return
		}
		heard(in)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(reading.Stop)
}

// outcomes is what WX_OUTCOME holds, by inbound event; two of one sort are a failure.
func (f *fleet) outcomes(t *testing.T) (holds, lates map[string]events.Outcome) {
	t.Helper()
	holds, lates = map[string]events.Outcome{}, map[string]events.Outcome{}
	for n := range f.count(t, "WX_OUTCOME") {
		m := f.stored(t, "WX_OUTCOME", n+1)
		o, err := events.ParseOutcome(m.Header, m.Body)
		if err != nil {
			t.Fatal(err)
		}
		into := holds
		if o.Late() {
			into = lates
		}
		if before, twice := into[o.Event]; twice {
			t.Errorf("event %s has two outcomes: %s, %s", o.Event, before.Outcome, o.Outcome)
		}
		into[o.Event] = o
	}
	return holds, lates
}

// eachOnce checks that every follower has read exactly one answer, the right one,
// passive or custom, and says how many of each.
func (f *fleet) eachOnce(t *testing.T, answers map[string]string) (kinds map[string]int) {
	t.Helper()
	kinds = map[string]int{}
	for openID, text := range answers {
		all := f.reads(t, openID)
		if len(all) != 1 || all[0].Text != text {
			t.Errorf("%s has read %+v, want %q once", openID, all, text)
		}
		kinds[all[0].Kind]++
	}
	return kinds
}

func follower(n int) string { return fmt.Sprintf("oFollower%05d", n) }
