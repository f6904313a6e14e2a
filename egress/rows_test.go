package egress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// answering replaces WeChat, but for the token, by a handler, and counts what
// came there.
func (w *world) answering(handle http.HandlerFunc) *atomic.Int32 {
	w.t.Helper()
	n := &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "token") {
			_, _ = io.WriteString(rw, `{"access_token":"t","expires_in":7200}`)
			return
		}
		n.Add(1)
		handle(rw, r)
	}))
	w.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	w.url = server.URL
	return n
}

// Rows 30 and 31: what a gateway answers in WeChat's place is no success and no
// refusal, whatever its status: the message may have arrived.
func TestRow30and31AnswersThatProveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bodies := []string{
		"", "null", "[]", "{}", `""`, "0", "true", `{"errcode":`, `{"errcode":null}`, `{"errmsg":"ok"}`,
		"<html>\r\n<body>502</body></html>", "\xff\xfe", strings.Repeat("x", 100_000),
	}
	var statuses []int
	for range bodies {
		statuses = append(statuses, 200)
	}
	for _, status := range []int{500, 502, 503, 504, 429, 403} {
		bodies, statuses = append(bodies, "<html></html>"), append(statuses, status)
	}
	n := w.answering(func(rw http.ResponseWriter, r *http.Request) {
		var i int
		body, _ := io.ReadAll(r.Body)
		_, says, _ := strings.Cut(string(body), "vertraulich: ")
		if _, err := fmt.Sscanf(says, "%d", &i); err != nil {
			t.Error(err)
		}
		rw.WriteHeader(statuses[i])
		_, _ = io.WriteString(rw, bodies[i])
	})
	w.start()
	for i := range bodies {
		w.bare("send_custom_message", fmt.Sprint(i), text(openID(fmt.Sprint(i)), fmt.Sprint(i)))
	}
	for i := range bodies {
		if r := w.ends(fmt.Sprint(i), events.ResultUnknown); r.Attempts != 1 || len(r.ErrMsg) > 1000 {
			t.Errorf("%d %.20q: %+v", statuses[i], bodies[i], r)
		}
	}
	w.emptied()
	if int(n.Load()) != len(bodies) {
		t.Errorf("%d requests of %d commands", n.Load(), len(bodies))
	}
}

// Row 32: an answer that comes in drops and never ends, and headers that never
// come, end with the request's time; a read is tried again.
func TestRow32AnswerNeverEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.adjust = func(c *wxapi.Config) { c.Timeout = time.Second }
	var reads atomic.Int32
	w.answering(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/groups/get") && reads.Add(1) > 1 {
			_, _ = io.WriteString(rw, `{"groups":[]}`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "headers") {
			<-r.Context().Done()
			return
		}
		rw.WriteHeader(http.StatusOK)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(rw, " "); err != nil {
				return
			}
			rw.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	w.start()
	w.bare("send_custom_message", "body", text(openID("a"), "body"))
	w.bare("send_custom_message", "headers", text(openID("b"), "headers"))
	w.bare("get_groups", "read", `{}`)
	w.ends("body", events.ResultUnknown)
	w.ends("headers", events.ResultUnknown)
	if r := w.ends("read", events.ResultDone); r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
}

// Row 34: a kept connection is closed under a request. Go's transport would send
// a request again by itself that it can rewind, GETs too; ours it cannot.
func TestRow34TransportDoesNotRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var requests atomic.Int32
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				from := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(from)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					answer := `{"access_token":"t","expires_in":7200}`
					if !strings.HasSuffix(r.URL.Path, "token") {
						if requests.Add(1) > 1 {
							return // without a word, on a connection that was used before
						}
						answer = `{"errcode":0,"errmsg":"ok"}`
					}
					fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
				}
			}()
		}
	}()
	w.url = "http://" + listener.Addr().String()
	w.start()
	w.bare("send_custom_message", "first", text(openID("a"), "first"))
	w.ends("first", events.ResultDone)
	w.bare("send_custom_message", "second", text(openID("a"), "second"))
	if r := w.ends("second", events.ResultUnknown); r.Attempts != 1 || requests.Load() != 2 {
		t.Errorf("%+v, %d requests", r, requests.Load())
	}
}

// Row 35: a redirect is not followed: the token would travel as Referer.
func TestRow35Redirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.answering(func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/elsewhere", http.StatusFound) })
	w.start()
	w.bare("send_custom_message", "redirected", text(openID("a"), "redirected"))
	if r := w.ends("redirected", events.ResultUnknown); r.Attempts != 1 || n.Load() != 1 {
		t.Errorf("%+v, %d requests", r, n.Load())
	}
}

// Rows 44 and 45: no address, or a certificate that is not WeChat's: nothing was
// sent, so the command waits for as long as it lives and spends nothing.
func TestRow44and45NothingIsSent(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(w *world, c *wxapi.Config){
		"no such host": func(_ *world, c *wxapi.Config) {
			c.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "api.weixin.qq.com", IsNotFound: true}
			}}
		},
		"somebody's certificate": func(w *world, c *wxapi.Config) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.t.Error("a request has arrived") }))
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			server.StartTLS()
			w.t.Cleanup(server.Close)
			c.APIURL, c.Transport = server.URL, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.adjust = func(c *wxapi.Config) { arrange(w, c) }
			w.start()
			w.event("send_custom_message", "waits", text(openID("a"), "waits"), extensions{
				"expirytime": time.Now().Add(3 * time.Second).UTC().Format(time.RFC3339Nano),
			})
			if r := w.ends("waits", events.ResultExpired); r.Attempts != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Row 49: a process ends while a command waits for its next try. The next one
// keeps to the schedule, which is in the claim: not before its time, and then.
func TestRow49ScheduleSurvives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const wait = 2 * time.Second
	slowly := func(e *Egress) {
		e.decide = func(a attempt) decision {
			d := decide(a)
			if d.outcome == "" {
				d.wait = wait
			}
			return d
		}
	}
	n := 0
	var tried []time.Time
	w.answering(func(rw http.ResponseWriter, _ *http.Request) {
		tried = append(tried, time.Now())
		n++
		if n == 1 {
			_, _ = io.WriteString(rw, `{"errcode":-1,"errmsg":"system error"}`)
			return
		}
		_, _ = io.WriteString(rw, `{"errcode":0,"errmsg":"ok"}`)
	})
	p := w.start(slowly)
	w.bare("send_custom_message", "patient", text(openID("a"), "patient"))
	w.bare("send_custom_message", "behind", text(openID("a"), "behind"))
	w.eventually("it waits", func() bool {
		claim, err := w.claims().Load(w.within(), "patient")
		return err == nil && claim.State == queue.Waiting
	})
	p.kill()
	w.start(slowly)
	if r := w.ends("patient", events.ResultDone); r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	w.ends("behind", events.ResultDone)
	if waited := tried[1].Sub(tried[0]); waited < wait {
		t.Errorf("it was tried again after %s", waited)
	}
}

// Row 50: after an outage the backlog goes out oldest first, and what is too old
// by then is not sent.
func TestRow50Backlog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const backlog = 300
	for i := range backlog {
		ext := extensions{}
		if i%10 == 0 {
			ext["expirytime"] = time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
		}
		w.event("send_custom_message", fmt.Sprint(i), text(w.follower(fmt.Sprint(i)), fmt.Sprintf("%d.", i)), ext)
	}
	w.start()
	for i := range backlog {
		outcome := events.ResultDone
		if i%10 == 0 {
			outcome = events.ResultExpired
		}
		w.ends(fmt.Sprint(i), outcome)
	}
	w.emptied()
	place := 0
	for _, c := range w.sim.Calls() {
		_, says, _ := strings.Cut(string(c.Body), "vertraulich: ")
		var i int
		if _, err := fmt.Sscanf(says, "%d.", &i); err != nil {
			continue
		}
		// As many may overtake as run together.
		if due := place * 10 / 9; i > due+2*workers || i < due-2*workers {
			t.Errorf("%d has come as the %dth", i, place)
		}
		place++
	}
	if place != backlog*9/10 {
		t.Errorf("%d were sent", place)
	}
}
