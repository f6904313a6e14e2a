package ingress

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// bad is a right request that a case makes wrong.
type bad struct {
	method, path string
	query        url.Values
	raw          string // instead of query
	body         []byte
	header       http.Header
}

// Whatever strangers send: one of the answers of the contract, nothing on the
// bus, and one line in the log with the reason and nothing that was sent.
func TestRefusals(t *testing.T) {
	other, err := callback.New(callback.Config{AppID: "wx9999999999999999", Token: testToken, AESKey: testAESKey})
	noError(t, err)
	stranger, err := callback.New(callback.Config{AppID: testAppID, Token: "anothertoken", AESKey: testAESKey})
	noError(t, err)
	otherKey, err := callback.New(callback.Config{AppID: testAppID, Token: testToken, AESKey: strings.Repeat("k", 43)})
	noError(t, err)
	pushed := func(a *callback.Account, mode callback.Mode) func(*bad) {
		return func(b *bad) {
			push, err := a.NewPush(mode, text(alice, private), alice, time.Now())
			noError(t, err)
			b.query, b.body = push.Query, push.Body
		}
	}
	set := func(name string, values ...string) func(*bad) { return func(b *bad) { b.query[name] = values } }
	without := func(name string) func(*bad) { return func(b *bad) { b.query.Del(name) } }
	sealed := func(encrypt string) func(*bad) { // signed rightly over whatever it is
		return func(b *bad) {
			b.body = []byte("<xml><Encrypt><![CDATA[" + encrypt + "]]></Encrypt></xml>")
			b.query.Set("msg_signature", callback.Sign(testToken, b.query.Get("timestamp"), b.query.Get("nonce"), encrypt))
		}
	}
	const forbidden, notFound = http.StatusForbidden, http.StatusNotFound
	check := func(query url.Values) func(*bad) {
		return func(b *bad) { b.method, b.query, b.body = http.MethodGet, query, nil }
	}
	echo := func(a *callback.Account, s string) url.Values { return a.NewURLCheck(s, time.Now()) }
	w := newWorld(t, callback.ModeSafe)
	encrypted := w.replica()
	cases := []struct {
		name   string
		change func(*bad)
		status int
		reason string
	}{
		{"signature of another token", pushed(stranger, callback.ModeSafe), forbidden, "signature"},
		{"wrong signature", set("signature", strings.Repeat("0", 40)), forbidden, "signature"},
		{"wrong msg_signature", set("msg_signature", strings.Repeat("0", 40)), forbidden, "signature"},
		{"no msg_signature", without("msg_signature"), forbidden, "query_missing"},
		{"plaintext to an account with a key", pushed(w.account, callback.ModePlain), forbidden, "mode"},
		{"encrypt_type=raw", set("encrypt_type", "raw"), forbidden, "mode"},
		{"encrypt_type=AES", set("encrypt_type", "AES"), forbidden, "mode"},
		{"encrypt_type twice", set("encrypt_type", "aes", "raw"), forbidden, "mode"},
		{"another account's message", pushed(other, callback.ModeSafe), forbidden, "appid"},
		{"another key", pushed(otherKey, callback.ModeSafe), forbidden, "envelope"},
		{"garbage for Encrypt", sealed(strings.Repeat("Z2FyYmFnZQ", 20)), forbidden, "envelope"},
		{"no base64", sealed("!!!"), forbidden, "envelope"},
		{"no Encrypt", func(b *bad) { b.body = text(alice, private) }, forbidden, "encrypt_missing"},
		{"no signature", without("signature"), forbidden, "query_missing"},
		{"no timestamp", without("timestamp"), forbidden, "query_missing"},
		{"no nonce", without("nonce"), forbidden, "query_missing"},
		{"empty nonce", set("nonce", ""), forbidden, "query_missing"},
		{"nonce twice", set("nonce", "1", "1"), forbidden, "query_repeated"},
		{"nonce[]", func(b *bad) { b.query["nonce[]"] = b.query["nonce"]; b.query.Del("nonce") }, forbidden, "query_missing"},
		{"signature in upper case", set("signature", strings.Repeat("A", 40)), forbidden, "query_malformed"},
		{"signature of 10,000 characters", set("signature", strings.Repeat("a", 10_000)), forbidden, "query_malformed"},
		{"timestamp of 9 digits", set("timestamp", "171403705"), forbidden, "query_malformed"},
		{"timestamp with a sign", set("timestamp", "+714037059"), forbidden, "query_malformed"},
		{"timestamp in words", set("timestamp", "yesterday!"), forbidden, "query_malformed"},
		{"query that is none", func(b *bad) { b.raw = "signature=%zz&a;b" }, forbidden, "query_malformed"},
		{"empty body", func(b *bad) { b.body = nil }, http.StatusBadRequest, "body_empty"},
		{"blank body", func(b *bad) { b.body = []byte(" \r\n") }, http.StatusBadRequest, "body_empty"},
		{"check without echostr", check(w.account.NewURLCheck("", time.Now())), http.StatusBadRequest, "echostr_missing"},
		{"check with a wrong signature", check(echo(stranger, "<script>alert(1)</script>")), forbidden, "signature"},
		{"check with a script", check(echo(w.account, "<script>alert(1)</script>")), forbidden, "query_malformed"},
		{"check with two echostr", func(b *bad) { check(echo(w.account, "1"))(b); b.query.Add("echostr", "2") }, forbidden, "query_repeated"},
		{"check without anything", check(url.Values{}), forbidden, "query_missing"},
		{"another path", func(b *bad) { b.path = "/wx/" }, notFound, "path"},
		{"root", func(b *bad) { b.path = "/" }, notFound, "path"},
		{"path in a path", func(b *bad) { b.path = "/%2e%2e/wx" }, notFound, "path"},
		{"GET of another path", func(b *bad) { b.method, b.path, b.body = http.MethodGet, "/admin", nil }, notFound, "path"},
		{"PUT", func(b *bad) { b.method = http.MethodPut }, http.StatusMethodNotAllowed, "method"},
		{"HEAD", func(b *bad) { b.method, b.body = http.MethodHead, nil }, http.StatusMethodNotAllowed, "method"},
		{"DELETE", func(b *bad) { b.method = http.MethodDelete }, http.StatusMethodNotAllowed, "method"},
		{"gzip", func(b *bad) { b.header.Set("Content-Encoding", "gzip") }, http.StatusUnsupportedMediaType, "content_encoding"},
	}
	refusals := w.log.hear("callback refused")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := bad{method: http.MethodPost, path: "/wx", header: http.Header{}}
			pushed(w.account, callback.ModeSafe)(&b)
			c.change(&b)
			if b.raw == "" {
				b.raw = b.query.Encode()
			}
			req, err := http.NewRequestWithContext(t.Context(), b.method, strings.TrimSuffix(encrypted.url, "/wx")+b.path+"?"+b.raw, bytes.NewReader(b.body))
			noError(t, err)
			req.Header = b.header
			a := do(req)
			body := http.StatusText(c.status) + "\n"
			if b.method == http.MethodHead {
				body = ""
			}
			if a.err != nil || a.status != c.status || a.body != body {
				t.Errorf("answered %d %q, %v; want %d %q", a.status, a.body, a.err, c.status, body)
			}
			if c.status == http.StatusMethodNotAllowed && a.header.Get("Allow") != "GET, POST" {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
			if a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("header %v", a.header)
			}
			line := next(t, refusals)
			for _, want := range []string{"level=WARN", fmt.Sprintf("status=%d", c.status), "reason=" + c.reason} {
				if !strings.Contains(line, want) {
					t.Errorf("no %s in the log: %s", want, line)
				}
			}
			for name, values := range b.query {
				for _, sent := range values {
					if len(sent) > 4 && name != "timestamp" && strings.Contains(line, sent) {
						t.Errorf("%s in the log: %s", name, line)
					}
				}
			}
			if got, want := next(t, encrypted.refused), fmt.Sprintf("%d %s", c.status, c.reason); got != want {
				t.Errorf("observed %q, want %q", got, want)
			}
		})
	}
	select {
	case line := <-refusals:
		t.Errorf("a refusal has two lines: %s", line)
	default:
	}
	if n := len(w.stored(bus.StreamInbound, "wx.>")) + len(w.stored(bus.StreamDLQ, "wx.>")); n != 0 {
		t.Errorf("%d messages are on the bus", n)
	}
}

// An account without a key takes no encrypted requests, whatever they are.
func TestEncryptedRequestToAPlaintextAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModePlain)
	r := w.replica()
	encrypting, err := callback.New(callback.Config{AppID: testAppID, Token: testToken, AESKey: testAESKey})
	noError(t, err)
	for _, mode := range []callback.Mode{callback.ModeSafe, callback.ModeCompatible} {
		push, err := encrypting.NewPush(mode, text(alice, private), "", time.Now())
		noError(t, err)
		resp, err := client.Post(r.url+"?"+push.Query.Encode(), "text/xml", bytes.NewReader(push.Body))
		noError(t, err)
		resp.Body.Close()
		if got := next(t, r.refused); resp.StatusCode != http.StatusForbidden || got != "403 mode" {
			t.Errorf("%s: %d, observed %q", mode, resp.StatusCode, got)
		}
	}
}

// 10 MB are refused without being read, announced or not, and the connection ends.
func TestBodyThatIsTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	address, err := url.Parse(r.url)
	noError(t, err)
	for name, send := range map[string]string{
		"announced": "Content-Length: 10485760\r\n\r\n", // and not one byte of it
		"chunked":   fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", 10<<20, strings.Repeat("x", maxBody+1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", address.Host)
			noError(t, err)
			defer conn.Close()
			noError(t, conn.SetDeadline(time.Now().Add(soon)))
			_, err = io.WriteString(conn, "POST /wx?signature=x HTTP/1.1\r\nHost: a\r\n"+send)
			noError(t, err)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			noError(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			noError(t, err)
			if resp.StatusCode != http.StatusRequestEntityTooLarge || string(body) != "Request Entity Too Large\n" || !resp.Close {
				t.Errorf("answered %d %q, closing %v", resp.StatusCode, body, resp.Close)
			}
			if got := next(t, r.refused); got != "413 body_too_large" {
				t.Errorf("observed %q", got)
			}
		})
	}
}

// The console's check is answered with its echostr, as plain text.
func TestURLCheck(t *testing.T) {
	t.Parallel()
	for _, mode := range allModes {
		w := newWorld(t, mode)
		r := w.replica()
		noError(t, w.phone(r).CheckURL(t.Context()))
		resp, err := client.Get(r.url + "?" + w.account.NewURLCheck("5972586397386238412", time.Now()).Encode())
		noError(t, err)
		body, err := io.ReadAll(resp.Body)
		noError(t, err)
		resp.Body.Close()
		if string(body) != "5972586397386238412" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("answered %q, %v", body, resp.Header)
		}
	}
}
