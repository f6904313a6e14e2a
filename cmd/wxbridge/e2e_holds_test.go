package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// crowd is one ingress process on an embedded NATS, and callbacks that are all
// held by it at once: a connection each, and no more than that on this side.
type crowd struct {
	testing.TB
	nc      *nats.Conn
	account *callback.Account
	ingress *process
	address string
	admin   string
	conns   []net.Conn
}

func startCrowd(t testing.TB, vars ...string) *crowd {
	t.Helper()
	server := bustest.Start(t)
	c := &crowd{
		TB: t, nc: server.Conn(),
		address: "127.0.0.1:" + strconv.Itoa(freePort(t)), admin: "127.0.0.1:" + strconv.Itoa(freePort(t)),
	}
	account := good()
	var err error
	if c.account, err = callback.New(callback.Config{AppID: account["WX_APP_ID"], Token: account["WX_TOKEN"], AESKey: account["WX_AES_KEY"]}); err != nil {
		t.Fatal(err)
	}
	c.ingress = start(t, with(with(good(), vars...), "WX_NATS_URL", server.URL(), "WX_LISTEN", c.address, "WX_ADMIN_LISTEN", c.admin), nil, "ingress")
	ready(t, c.admin)
	return c
}

// request is a callback of a follower's text as bytes.
func (c *crowd) request(openID string, msgID int64) []byte {
	c.Helper()
	document := fmt.Appendf(nil, "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好]]></Content><MsgId>%d</MsgId></xml>", openID, time.Now().Unix(), msgID)
	push, err := c.account.NewPush(callback.ModeSafe, document, openID, time.Now())
	if err != nil {
		c.Fatal(err)
	}
	return fmt.Appendf(nil, "POST /wx?%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s",
		push.Query.Encode(), c.address, len(push.Body), push.Body)
}

// connect opens n connections.
func (c *crowd) connect(n int) {
	c.Helper()
	var dialer net.Dialer
	for range n {
		conn, err := dialer.DialContext(c.Context(), "tcp", c.address)
		if err != nil {
			c.Fatal(err)
		}
		c.Cleanup(func() { _ = conn.Close() })
		c.conns = append(c.conns, conn)
	}
}

// gauge reads a metric of the ingress.
func (c *crowd) gauge(name string) float64 {
	c.Helper()
	_, body, err := get(c, "http://"+c.admin+"/metrics")
	if err != nil {
		c.Fatal(err)
	}
	for line := range strings.Lines(body) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				c.Fatal(err)
			}
			return n
		}
	}
	c.Fatalf("no metric %s", name)
	return 0
}

// hold has n callbacks held, as many of them at once as the machine is quick
// enough for, and returns how many those were. Then every one is answered with
// its own follower's name, and read.
func (c *crowd) hold(n int) (most float64) {
	c.Helper()
	heard := make(chan events.InboundEvent, n)
	sub, err := c.nc.Subscribe("wx.inbound.text", func(m *nats.Msg) {
		in, err := events.ParseInbound("wx", events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data})
		if err != nil {
			c.Errorf("inbound: %v", err)
		}
		heard <- in
	})
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.Flush(); err != nil {
		c.Fatal(err)
	}
	requests := make([][]byte, n)
	for i := range n {
		requests[i] = c.request(follower(i), time.Now().UnixNano())
	}
	var waiting []events.InboundEvent
	answer := func() {
		for _, in := range waiting {
			if err := c.nc.Publish(in.ReplyTo, []byte("hello "+in.OpenID)); err != nil {
				c.Fatal(err)
			}
		}
		waiting = nil
	}
	const unheard = 256 // on their way at once: a stream takes its time for each
	enough := time.After(3 * time.Second)
	for sent, came := 0, 0; came < n; {
		if sent < n && sent-came < unheard {
			if _, err := c.conns[sent].Write(requests[sent]); err != nil {
				c.Fatal(err)
			}
			sent++
			continue
		}
		select {
		case in := <-heard:
			waiting = append(waiting, in)
			if came++; most == 0 && came < n {
				continue
			}
		case <-enough:
		}
		if most == 0 { // all are held, or the first of them must not wait any longer
			most = c.gauge("wxbridge_holds")
		}
		answer()
	}
	for i, conn := range c.conns[:n] {
		if got := c.answer(conn); got != "hello "+follower(i) {
			c.Errorf("%s is answered %q", follower(i), got)
		}
	}
	return most
}

// answer reads a response: the text of the reply, or the body as it is.
func (c *crowd) answer(conn net.Conn) string {
	c.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	document, err := c.account.OpenReply(body)
	if err != nil {
		return string(body)
	}
	m, err := callback.Parse(document)
	if err != nil {
		return err.Error()
	}
	return m.Value("Content")
}

// 10,000 followers wait at once on one process, and each reads their own answer.
func TestTenThousandHolds(t *testing.T) {
	const n = 10_000
	c := startCrowd(t)
	c.connect(n)
	t.Logf("%.0f of %d were held at the same time", c.hold(n), n)
	if holds, bytes := c.gauge("wxbridge_holds"), c.gauge("wxbridge_held_bytes"); holds != 0 || bytes != 0 {
		t.Errorf("%.0f holds, %.0f bytes are left", holds, bytes)
	}
}
