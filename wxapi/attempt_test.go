package wxapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// lostErr is what a call must fail with when the network did.
func lostErr(t *testing.T, result wxapi.Result, err error, written bool) {
	t.Helper()
	lost, isLost := errors.AsType[*wxapi.TransportError](err)
	if !isLost || lost.Written != written {
		t.Fatalf("Written should be %t: %v", written, err)
	}
	if want := map[bool]int{true: 1}[written]; result.Requests != want {
		t.Errorf("%d requests, want %d", result.Requests, want)
	}
}

func reset(w http.ResponseWriter) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func TestNothingListens(t *testing.T) {
	p := newPlatform(t, ok)
	store := &slowStore{token: freshToken()}
	client := p.client(t, func(c *wxapi.Config) { c.Tokens = store })
	p.Close()
	result, err := send(t, client)
	lostErr(t, result, err, false)
	if _, isOp := errors.AsType[*net.OpError](err); !isOp {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestTLSFailureIsNotWritten(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(ok)) // nobody trusts its certificate
	defer secure.Close()
	store := &slowStore{token: freshToken()}
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) { c.APIURL, c.Tokens = secure.URL, store })
	result, err := send(t, client)
	lostErr(t, result, err, false)
}

func TestResetAfterTheWrite(t *testing.T) {
	p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) { reset(w) })
	result, err := send(t, p.client(t))
	lostErr(t, result, err, true)
}

func TestContextEndsBeforeTheWrite(t *testing.T) {
	p := newPlatform(t, ok)
	store := &slowStore{token: freshToken()}
	ctx, cancel := context.WithCancel(t.Context())
	dialing, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	client := p.client(t, func(c *wxapi.Config) {
		c.Tokens = store
		c.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			close(dialing)
			<-over
			return nil, errors.New("too late")
		}}
	})
	go func() { <-dialing; cancel() }()
	result, err := client.CallJSON(ctx, wxapi.SendCustomMessage.Row, hello())
	lostErr(t, result, err, false)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestSlowAnswers(t *testing.T) {
	for name, begin := range map[string]string{"no headers": "", "half a body": `{"errcode":`} {
		t.Run(name, func(t *testing.T) {
			began := make(chan struct{}, 1)
			p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				if begin != "" {
					fmt.Fprint(w, begin)
					w.(http.Flusher).Flush()
				}
				began <- struct{}{}
				<-r.Context().Done()
			})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-began; cancel() }()
			result, err := p.client(t).CallJSON(ctx, wxapi.SendCustomMessage.Row, hello())
			lostErr(t, result, err, true)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}

func TestOwnTimeoutSaysHowLongItWaited(t *testing.T) {
	p := newPlatform(t, ok)
	synctest.Test(t, func(t *testing.T) { // a real request may not even be written in so short a time
		client := p.client(t, func(c *wxapi.Config) {
			c.Timeout, c.Tokens = 50*time.Millisecond, &slowStore{token: freshToken()}
			c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})
		})
		result, err := send(t, client)
		lostErr(t, result, err, true)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 50ms") {
			t.Errorf("%v", err)
		}
	})
}

// A kept connection breaks just after the second request was read from it: Go
// would send a GET again by itself.
func TestNothingIsReplayed(t *testing.T) {
	for verb, data := range map[string][]byte{"get_groups": []byte("{}"), "send_custom_message": hello()} {
		t.Run(verb, func(t *testing.T) {
			url, requests := breakingServer(t)
			client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret, APIURL: url, Tokens: &slowStore{token: freshToken()}})
			if err != nil {
				t.Fatal(err)
			}
			row, _ := wxapi.Lookup(verb)
			if _, err := client.CallJSON(t.Context(), row, data); err != nil {
				t.Fatal(err)
			}
			result, err := client.CallJSON(t.Context(), row, data)
			lostErr(t, result, err, true)
			if n := requests.Load(); n != 2 {
				t.Errorf("the server saw %d requests, want 2", n)
			}
		})
	}
}

// breakingServer answers every request but the second, at which it closes the
// connection.
func breakingServer(t *testing.T) (url string, requests *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	requests = new(atomic.Int32)
	serve := func(conn net.Conn) {
		defer conn.Close()
		for r := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if requests.Add(1) == 2 {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n%s", `{"errcode":0}`)
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String(), requests
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := newPlatform(t, ok)
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/elsewhere", http.StatusTemporaryRedirect)
	})
	result, err := send(t, p.client(t))
	doubtful, isDoubtful := errors.AsType[*wxapi.AnswerError](err)
	if !isDoubtful || doubtful.Status != 307 || result.Requests != 1 {
		t.Errorf("%d requests, %v", result.Requests, err)
	}
	if calls, _ := other.seen(); len(calls) != 0 {
		t.Error("the redirect was followed")
	}
}

// What wraps the transport, such as tracing, sees no credentials.
func TestWrapSeesNoToken(t *testing.T) {
	p := newPlatform(t, ok)
	var urls []string
	client := p.client(t, func(c *wxapi.Config) {
		c.Wrap = func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(r)
				if err == nil {
					urls = append(urls, r.URL.String(), resp.Request.URL.String())
				}
				return resp, err
			})
		}
	})
	if _, err := send(t, client); err != nil {
		t.Fatal(err)
	}
	calls, _ := p.seen()
	if len(urls) != 4 || calls[0].Token == "" {
		t.Fatalf("saw %q, token %q", urls, calls[0].Token)
	}
	if all := strings.Join(urls, " "); strings.Contains(all, "token=") {
		t.Errorf("a token was seen in %s", all)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A call that ends at any time is reported as not written only if the server has
// not got it: by the client's own transport and by another.
func TestEndsAtAnyTime(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]http.RoundTripper{"own": nil, "another": &http.Transport{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				ok(w, r)
			})
			client := p.client(t, func(c *wxapi.Config) {
				c.Tokens, c.Transport = &slowStore{token: freshToken()}, transport
			})
			unwritten, calls := 0, 0
			for after := time.Duration(0); after < 400*time.Microsecond; after += 500 * time.Nanosecond {
				ctx, cancel := context.WithTimeout(t.Context(), after)
				_, err := client.CallJSON(ctx, wxapi.SendCustomMessage.Row, hello())
				cancel()
				calls++
				if lost, isLost := errors.AsType[*wxapi.TransportError](err); isLost && !lost.Written {
					unwritten++
				}
			}
			p.Close() // waits for the handlers
			if got := int(arrived.Load()); got > calls-unwritten {
				t.Errorf("of %d calls %d were reported as not written, and %d arrived", calls, unwritten, got)
			}
		})
	}
}
