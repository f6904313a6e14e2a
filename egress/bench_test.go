package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/wxapi"
)

// bench is a bus and a WeChat that does nothing but answer.
type bench struct {
	b    *testing.B
	nats *bustest.Server
	js   jetstream.JetStream
	url  string
	stop func() // ends the bridge
}

func newBench(b *testing.B) *bench {
	b.Helper()
	n := &bench{b: b, nats: bustest.Start(b)}
	n.js = n.nats.JetStream()
	if err := bus.Ensure(b.Context(), n.js, "wx", streams); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; encoding=utf-8")
		if strings.HasSuffix(r.URL.Path, "token") {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":7200}`)
			return
		}
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
	}))
	b.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	n.url = server.URL
	return n
}

// publish stores n messages for a tenth as many followers.
func (n *bench) publish(count int) {
	n.b.Helper()
	for i := range count {
		e, err := events.NewCommand("send_custom_message", fmt.Sprintf("b-%d-%d", count, i), "//test/shop", time.Now(),
			json.RawMessage(text(openID(fmt.Sprint(i%(count/10+1))), "hello")))
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

// minimal is the least that moves commands to WeChat and results back: pull,
// POST, result, ack. It keeps no order, and what it was sending when it died it
// sends again.
func (n *bench) minimal(ctx context.Context) {
	n.b.Helper()
	consumer, err := n.js.CreateConsumer(ctx, "WX_CMD", jetstream.ConsumerConfig{
		Durable: "minimal", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1,
	})
	if err != nil {
		n.b.Fatal(err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(4 * workers))
	if err != nil {
		n.b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	work := func(m jetstream.Msg) error {
		var command struct {
			ID   string          `json:"id"`
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(m.Data(), &command); err != nil {
			return err
		}
		response, err := client.Post(n.url+"/cgi-bin/message/custom/send?access_token=t", "application/json", strings.NewReader(string(command.Data)))
		if err != nil {
			return err
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return err
		}
		if _, err := n.js.Publish(ctx, "wx.result.send_custom_message", answer, jetstream.WithMsgID(command.ID+".res")); err != nil {
			return err
		}
		return m.DoubleAck(ctx)
	}
	pulled := make(chan jetstream.Msg)
	var staff sync.WaitGroup
	for range workers {
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

// BenchmarkCommands compares the whole bridge, with claims, order and results,
// with the minimal loop, in turns on the same bus:
//
//	go test -run '^$' -bench Commands -benchtime 20000x ./egress
//
// What it reports of the bridge in "of_minimal" is its commands per second in
// terms of the minimal loop's.
func BenchmarkCommands(b *testing.B) {
	n := newBench(b)
	e := n.egress()
	e.queue.Shut(queue.Everything, time.Now().Add(time.Hour)) // ready, and does nothing
	took := map[string]time.Duration{}
	measure := func(name string, begin func()) {
		n.publish(b.N)
		began := time.Now()
		begin()
		n.emptied()
		took[name] += time.Since(began)
	}
	measure("bridge", func() { e.queue.Open(queue.Everything) })
	n.stop()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	measure("minimal", func() { running.Go(func() { n.minimal(ctx) }) })
	cancel()
	running.Wait()
	b.ReportMetric(float64(b.N)/took["bridge"].Seconds(), "bridge/s")
	b.ReportMetric(float64(b.N)/took["minimal"].Seconds(), "minimal/s")
	b.ReportMetric(took["minimal"].Seconds()/took["bridge"].Seconds(), "of_minimal")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkBridgeAlone(b *testing.B) {
	n := newBench(b)
	e := n.egress()
	e.queue.Shut(queue.Everything, time.Now().Add(time.Hour))
	n.publish(b.N)
	b.ResetTimer()
	e.queue.Open(queue.Everything)
	n.emptied()
	b.StopTimer()
	n.stop()
}
