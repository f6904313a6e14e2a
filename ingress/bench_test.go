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
// body of the push as it is.
//
//	go test ./ingress -run '^$' -bench Hold -benchtime 20000x
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
	b.Run("bare-floor", func(b *testing.B) {
		w.crowd(b, w.floor(b, func(_ string, body []byte) ([]byte, error) { return body, nil }))
	})
	b.Run("floor", func(b *testing.B) { w.crowd(b, w.floor(b, w.event)) })
	b.Run("hold", func(b *testing.B) { w.crowd(b, r.url) })
}

// crowd makes b.N requests over 64 connections and reports how long each took.
func (w *world) crowd(b *testing.B, url string) {
	b.Helper()
	requests := make([]*http.Request, b.N)
	for i := range requests {
		requests[i] = w.request(b.Context(), url, text(alice, private))
	}
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range connections {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if a := do(requests[i]); a.err != nil || a.status != http.StatusOK || a.body == callback.Success {
					b.Errorf("answered %d %q, %v", a.status, a.body, a.err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// floor is a handler that does the least: it stores what it gets and gives the
// first answer back.
func (w *world) floor(b *testing.B, event func(query string, body []byte) ([]byte, error)) (url string) {
	b.Helper()
	nc := w.nats.Conn()
	js, err := jetstream.New(nc)
	noError(b, err)
	_, err = js.CreateOrUpdateStream(b.Context(), jetstream.StreamConfig{Name: "FLOOR", Subjects: []string{"floor"}, Duplicates: 10 * time.Minute})
	noError(b, err)
	service, err := w.conn.Subscribe("floor", func(m *nats.Msg) { _ = w.conn.Publish(m.Header.Get("Answer"), []byte(private)) })
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
		m := nats.NewMsg("floor")
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
	b.Cleanup(func() {
		server.Close()
		_ = service.Unsubscribe() // the next floor has its own
	})
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
