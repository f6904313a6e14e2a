package ingress

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// connections is how many callbacks are under way at once in the benchmarks.
const connections = 64

// BenchmarkHold is the whole way of a follower's text over an embedded NATS with
// file storage, at 64 connections: push → verify → store → respond → decide →
// outcome → answer. The floor is a bare handler that makes the same event of the
// same push, stores it and waits for one answer of the same service over core
// NATS: no log of replies, no outcome, no passive reply. The bare floor stores the
// body of the push as it is, and so needs no key either.
//
// They take turns, so that what else the machine does meets them alike.
//
//	go test ./ingress -run '^$' -bench Hold -benchtime 40000x
func BenchmarkHold(b *testing.B) {
	w := newWorld(b, callback.ModeSafe)
	r := w.replica(func(s *setup) { s.log = slog.New(slog.DiscardHandler) })
	// The service does as little for the one as for the other: it looks where the
	// answer goes, and answers.
	_, err := w.conn.Subscribe("wx.inbound.text", func(m *nats.Msg) {
		_, after, _ := bytes.Cut(m.Data, []byte(`"wxreplyto":"`))
		subject, _, _ := bytes.Cut(after, []byte(`"`))
		_ = w.conn.Publish(string(subject), []byte(private))
	})
	noError(b, err)
	noError(b, w.conn.Flush())
	crowds := []*crowd{
		{name: "hold", url: r.url},
		{name: "floor", url: w.floor(b, "floor", w.event)},
		{name: "bare", url: w.floor(b, "bare", func(_ string, body []byte) ([]byte, error) { return body, nil })},
	}
	const turn = 2000 // requests
	b.ResetTimer()
	for left := b.N; left > 0; left -= turn {
		for _, c := range crowds {
			w.push(b, c, min(left, turn))
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op") // of three things at once
	for _, c := range crowds {
		c.report(b)
	}
	b.ReportMetric(crowds[0].rate()/crowds[1].rate(), "of-floor")
	b.ReportMetric(crowds[0].rate()/crowds[2].rate(), "of-bare")
}

// crowd is what 64 connections saw of one handler.
type crowd struct {
	name, url string
	took      []time.Duration // by each request
	elapsed   time.Duration   // by all of them
}

func (c *crowd) rate() float64 { return float64(len(c.took)) / c.elapsed.Seconds() }

func (c *crowd) report(b *testing.B) {
	b.Helper()
	slices.Sort(c.took)
	b.ReportMetric(c.rate(), c.name+"-req/s")
	b.ReportMetric(float64(c.took[len(c.took)/2].Microseconds())/1000, c.name+"-p50-ms")
	b.ReportMetric(float64(c.took[len(c.took)*99/100].Microseconds())/1000, c.name+"-p99-ms")
}

// push makes n requests over 64 connections.
func (w *world) push(b *testing.B, c *crowd, n int) {
	b.Helper()
	requests := make([]*http.Request, n)
	for i := range requests {
		requests[i] = w.request(b.Context(), c.url, text(alice, private))
	}
	took := make([]time.Duration, n)
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range connections {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if a := do(requests[i]); a.err != nil || a.status != http.StatusOK || a.body == callback.Success {
					b.Errorf("answered %d %q, %v", a.status, a.body, a.err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	c.elapsed += time.Since(began)
	c.took = append(c.took, took...)
}

// floor is a handler that does the least: it stores what it gets and gives the
// first answer back.
func (w *world) floor(b *testing.B, name string, event func(query string, body []byte) ([]byte, error)) (url string) {
	b.Helper()
	nc := w.nats.Conn()
	js, err := jetstream.New(nc)
	noError(b, err)
	_, err = js.CreateOrUpdateStream(b.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name}, Duplicates: 10 * time.Minute})
	noError(b, err)
	_, err = w.conn.Subscribe(name, func(m *nats.Msg) { _ = w.conn.Publish(m.Header.Get("Answer"), []byte(private)) })
	noError(b, err)
	noError(b, w.conn.Flush())
	inbox := nc.NewInbox()
	var mu sync.Mutex
	waiting := map[string]chan []byte{}
	_, err = nc.Subscribe(inbox+".*", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		select {
		case waiting[m.Subject] <- m.Data:
		default: // given up, or answered already
		}
	})
	noError(b, err)
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if body, err = event(r.URL.RawQuery, body); err != nil {
			return
		}
		m := nats.NewMsg(name)
		number := strconv.FormatInt(n.Add(1), 10)
		id, answer := inbox+number, inbox+"."+number
		m.Data = body
		m.Header.Set("Answer", answer)
		m.Header.Set(nats.MsgIdHdr, id)
		came := make(chan []byte, 1)
		mu.Lock()
		waiting[answer] = came
		mu.Unlock()
		ctx, cancel := context.WithTimeout(r.Context(), long)
		defer cancel()
		if _, err := js.PublishMsg(ctx, m); err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		select {
		case body := <-came:
			_, _ = rw.Write(body)
		case <-ctx.Done():
		}
		mu.Lock()
		delete(waiting, answer)
		mu.Unlock()
	}))
	b.Cleanup(server.Close)
	return server.URL
}

// event makes the event that an ingress makes of a push.
func (w *world) event(query string, body []byte) ([]byte, error) {
	envelope, err := w.account.Open(query, body)
	if err != nil {
		return nil, err
	}
	message, err := callback.Parse(envelope.Document)
	if err != nil {
		return nil, err
	}
	e, err := events.NewInbound(w.prefix, testAppID, message, time.Now().Add(long), events.Trace{})
	if err != nil {
		return nil, err
	}
	_, event, err := events.EncodeStructured(e)
	return event, err
}
