package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// benchFollowers is how many get the commands of a benchmark.
const benchFollowers = 1000

// bench is a bus and a pretend WeChat.
type bench struct {
	b    *testing.B
	nats *bustest.Server
	js   jetstream.JetStream
	url  string

	token     string
	client    *wxapi.Client
	published atomic.Int64
	stop      func() // ends the bridge
}

func newBench(b *testing.B) *bench {
	b.Helper()
	n := &bench{b: b, nats: bustest.Start(b)}
	n.js = n.nats.JetStream()
	if err := bus.Ensure(b.Context(), n.js, "wx", streams); err != nil {
		b.Fatal(err)
	}
	sim, err := wxsim.New(wxsim.Config{
		AppID: testApp, AppSecret: testSecret, Token: "sometoken", Callback: "http://callback.test/wx", Transport: inform{},
		MessageWindow: wxsim.Window{Count: 1 << 30, For: 48 * time.Hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range benchFollowers {
		if _, err := sim.Push(b.Context(), openID(fmt.Sprint(i)), json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil {
			b.Fatal(err)
		}
	}
	server := httptest.NewServer(sim.Handler())
	b.Cleanup(func() {
		sim.Close()
		server.CloseClientConnections()
		server.Close()
	})
	n.url = server.URL
	return n
}

// publish stores n messages for the followers in turn.
func (n *bench) publish(count int) {
	n.b.Helper()
	for i := range count {
		e, err := events.NewCommand("send_custom_message", fmt.Sprintf("b-%d-%d", n.published.Add(1), i), "//test/shop", time.Now(),
			json.RawMessage(text(openID(fmt.Sprint(i%benchFollowers)), "hello")))
		if err != nil {
			n.b.Fatal(err)
		}
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			n.b.Fatal(err)
		}
		if _, err := n.js.PublishMsgAsync(&nats.Msg{Subject: "wx.cmd.send_custom_message", Header: nats.Header(header), Data: body}); err != nil {
			n.b.Fatal(err)
		}
	}
	<-n.js.PublishAsyncComplete()
}

// emptied waits until the stream holds no commands.
func (n *bench) emptied() {
	n.b.Helper()
	for look := time.NewTicker(20 * time.Millisecond); ; <-look.C {
		s, err := n.js.Stream(n.b.Context(), "WX_CMD")
		if err != nil {
			n.b.Fatal(err)
		}
		if s.CachedInfo().State.Msgs == 0 {
			return
		}
	}
}

// egress runs until the end of the benchmark.
func (n *bench) egress() *Egress {
	n.b.Helper()
	logger := slog.New(slog.DiscardHandler)
	connection, err := bus.Connect("bench", bus.Config{URL: n.nats.URL(), InboxPrefix: "_INBOX"}, "wx", streams, logger)
	if err != nil {
		n.b.Fatal(err)
	}
	media := NewMedia(connection)
	client, err := wxapi.New(wxapi.Config{
		AppID: testApp, AppSecret: testSecret, APIURL: n.url, MPURL: n.url, Tokens: NewTokens(connection), Media: media, Logger: logger,
	})
	if err != nil {
		n.b.Fatal(err)
	}
	e := New(Config{MaxCommand: 512 << 10}, testApp, connection, client, media, nil, nil, logger)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = connection.Run(ctx) })
	running.Go(func() { _ = e.Run(ctx) })
	n.stop = func() {
		cancel()
		running.Wait()
		connection.Close()
		for name := range n.consumers() {
			if err := n.js.DeleteConsumer(context.Background(), "WX_CMD", name); err != nil {
				n.b.Error(err)
			}
		}
	}
	n.b.Cleanup(n.stop)
	for len(e.Reasons()) > 0 {
		<-time.After(10 * time.Millisecond)
	}
	return e
}

func (n *bench) consumers() map[string]bool {
	n.b.Helper()
	s, err := n.js.Stream(context.Background(), "WX_CMD")
	if err != nil {
		n.b.Fatal(err)
	}
	names := map[string]bool{}
	for name := range s.ConsumerNames(context.Background()).Name() {
		names[name] = true
	}
	return names
}

// loop pulls commands and works on them with as many workers as the bridge has for
// one API: it keeps no order and no claims, and what it was sending when it died it sends
// again.
func (n *bench) loop(ctx context.Context, work func(m jetstream.Msg) error) {
	n.b.Helper()
	consumer, err := n.js.CreateConsumer(ctx, "WX_CMD", jetstream.ConsumerConfig{
		Durable: "minimal", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1,
	})
	if err != nil {
		n.b.Fatal(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2 * workers))
	if err != nil {
		n.b.Fatal(err)
	}
	pulled := make(chan jetstream.Msg)
	var staff sync.WaitGroup
	for range workers / 2 {
		staff.Go(func() {
			for m := range pulled {
				if err := work(m); err != nil {
					n.b.Error(err)
				}
			}
		})
	}
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			break
		}
		pulled <- m
	}
	messages.Stop()
	close(pulled)
	staff.Wait()
	if err := n.js.DeleteConsumer(context.Background(), "WX_CMD", "minimal"); err != nil {
		n.b.Error(err)
	}
}

// minimal is the least that moves commands to WeChat and answers back: pull,
// POST, result, ack.
func (n *bench) minimal(ctx context.Context) func(m jetstream.Msg) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	return func(m jetstream.Msg) error {
		var command struct {
			ID   string          `json:"id"`
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(m.Data(), &command); err != nil {
			return err
		}
		response, err := client.Post(n.url+"/cgi-bin/message/custom/send?access_token="+n.token, "application/json", strings.NewReader(string(command.Data)))
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(answer), `"errcode":0`) {
			return fmt.Errorf("%s, %w", answer, err)
		}
		if _, err := n.js.Publish(ctx, "wx.result.send_custom_message", answer, jetstream.WithMsgID(command.ID+".res")); err != nil {
			return err
		}
		return m.DoubleAck(ctx)
	}
}

// sameJob does what the contract says of one command, with the bridge's own
// parts: it reads the event, checks the data, calls with the account's token and
// publishes the result event.
func (n *bench) sameJob(ctx context.Context) func(m jetstream.Msg) error {
	row, _ := wxapi.Lookup("send_custom_message")
	return func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		command, err := events.ParseCommand("wx", events.Message{Subject: m.Subject(), Header: events.Header(m.Headers()), Body: m.Data(), Time: meta.Timestamp}, "bare")
		if err != nil {
			return err
		}
		answer, err := n.client.CallJSON(ctx, row, command.Data)
		if err != nil {
			return err
		}
		event, err := events.NewResult(testApp, command, events.ResultID(command.ID), time.Now(), result(decision{outcome: events.ResultDone}, answer, nil))
		if err != nil {
			return err
		}
		header, body, err := events.EncodeStructured(event)
		if err != nil {
			return err
		}
		result := &nats.Msg{Subject: "wx.result.send_custom_message", Header: nats.Header(header), Data: body}
		if _, err := n.js.PublishMsg(ctx, result, jetstream.WithMsgID(testApp+"."+event.ID())); err != nil {
			return err
		}
		return m.DoubleAck(ctx)
	}
}

// BenchmarkCommands compares the whole bridge, with claims, order and results,
// with two loops that have neither claims nor order, on the same bus. They take
// turns, so that what else the machine does, and what the pretend WeChat
// remembers, meets them alike:
//
//	go test -run '^$' -bench Commands -benchtime 250000x ./egress
//
// Shorter runs say less: of 60,000 commands each they differ by 3 % either way on a
// machine that others use.
//
// of_minimal is the bridge's commands per second in terms of the loop that does
// the least (pull, POST, the answer as it is, ack), of_same_job in terms of one
// that does the same job. The …_cpu are the same of processor time, which on a
// machine that others use says more.
func BenchmarkCommands(b *testing.B) {
	n := newBench(b)
	runners := []*runner{{name: "bridge", run: n.bridge()}, {name: "minimal", run: n.worker(n.minimal)}, {name: "same_job", run: n.worker(n.sameJob)}}
	const turn = 5000 // commands
	for left := b.N; left > 0; left -= turn {
		for _, r := range runners {
			r.measure(n, min(left, turn))
		}
	}
	for _, r := range runners {
		b.ReportMetric(float64(b.N)/r.took.Seconds(), r.name+"/s")
		b.ReportMetric(float64(r.used.Microseconds())/float64(b.N), r.name+"_cpu_us")
	}
	for _, r := range runners[1:] {
		b.ReportMetric(r.took.Seconds()/runners[0].took.Seconds(), "of_"+r.name)
		b.ReportMetric(r.used.Seconds()/runners[0].used.Seconds(), "of_"+r.name+"_cpu")
	}
	b.ReportMetric(0, "ns/op")
}

// runner is who works through commands, and what it took.
type runner struct {
	name string
	// run makes ready; begin begins to work, and end leaves the stream to others.
	run        func() (begin, end func())
	took, used time.Duration
}

func (r *runner) measure(n *bench, count int) {
	n.b.Helper()
	begin, end := r.run()
	n.publish(count)
	runtime.GC() // each begins with what it needs itself
	began, cpu := time.Now(), cpuTime(n.b)
	begin()
	n.emptied()
	r.took += time.Since(began)
	r.used += cpuTime(n.b) - cpu
	end()
}

// bridge is a process that owns the queue and does nothing until begin.
func (n *bench) bridge() func() (begin, end func()) {
	return func() (begin, end func()) {
		e := n.egress()
		e.queue.Shut(queue.Everything, time.Now().Add(time.Hour))
		if n.token == "" {
			token, err := e.client.AccessToken(n.b.Context(), "")
			if err != nil {
				n.b.Fatal(err)
			}
			n.token, n.client = token.Value, e.client
		}
		return func() { e.queue.Open(queue.Everything) }, n.stop
	}
}

// worker is a loop.
func (n *bench) worker(work func(context.Context) func(jetstream.Msg) error) func() (begin, end func()) {
	return func() (begin, end func()) {
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		// What is under way ends when the stream is empty, and not with the pulling.
		return func() { running.Go(func() { n.loop(ctx, work(context.WithoutCancel(ctx))) }) }, func() { cancel(); running.Wait() }
	}
}

// cpuTime is what this process has used: beside others on the machine it says
// more than the clock.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
