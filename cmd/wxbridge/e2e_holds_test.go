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
	held    func() // called when as many are held as will be
}

func startCrowd(t testing.TB, vars ...string) *crowd {
	t.Helper()
	server := bustest.Start(t)
	c := &crowd{
		TB: t, nc: server.Conn(),
		address: "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)), admin: "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)),
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

// send makes a callback on a connection of its own. The connection is not opened
// before: one that says nothing for five seconds is closed.
func (c *crowd) send(request []byte) {
	c.Helper()
	conn, err := (&net.Dialer{}).DialContext(c.Context(), "tcp", c.address)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = conn.Close() })
	c.conns = append(c.conns, conn)
	if _, err := conn.Write(request); err != nil {
		c.Fatal(err)
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
// its own follower's name, and read; late is how many had been let go by then,
// or could not be stored in time, which a slow machine must not make a failure.
func (c *crowd) hold(n int) (most float64, late int) {
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
	const unheard = 128 // on their way at once: a stream takes its time for each
	enough := time.After(3 * time.Second)
	for sent, came := 0, 0; came < n; {
		if sent < n && sent-came < unheard {
			c.send(requests[sent])
			sent++
			continue
		}
		select {
		case in := <-heard:
			waiting = append(waiting, in)
			came++
			if most == 0 && came < n {
				continue
			}
		case <-enough:
		case <-time.After(2 * time.Minute):
			c.Fatalf("%d of %d callbacks were heard of", came, n)
		}
		if most == 0 { // all are held, or the first of them must not wait any longer
			most = c.gauge("wxbridge_holds")
			if c.held != nil {
				c.held()
			}
		}
		answer()
	}
	for i, conn := range c.conns {
		switch got := c.answer(conn); got {
		case "hello " + follower(i):
		case callback.Success, "Service Unavailable\n":
			late++
		default:
			c.Errorf("%s is answered %q", follower(i), got)
		}
	}
	return most, late
}

// answer reads a response: the text of the reply, or the body as it is.
func (c *crowd) answer(conn net.Conn) string {
	c.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
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

// BenchmarkHeldMemory is what one held callback costs the process that holds it,
// its connection included, in safe mode.
//
//	go test ./cmd/wxbridge -run '^$' -bench HeldMemory -benchtime 1x
func BenchmarkHeldMemory(b *testing.B) {
	const n = 4000
	for b.Loop() {
		c := startCrowd(b)
		resident := func() float64 { return c.gauge("process_resident_memory_bytes") }
		inUse := func() float64 {
			return c.gauge("go_memstats_heap_inuse_bytes") + c.gauge("go_memstats_stack_inuse_bytes")
		}
		residentBefore, inUseBefore := resident(), inUse()
		var residentHeld, inUseHeld float64
		c.held = func() { residentHeld, inUseHeld = resident(), inUse() }
		most, late := c.hold(n)
		if late > 0 {
			b.Logf("%d holds were over before they were answered: the machine is busy", late)
		}
		b.ReportMetric(most, "holds")
		b.ReportMetric((inUseHeld-inUseBefore)/most, "B/hold")
		b.ReportMetric((residentHeld-residentBefore)/most, "resident-B/hold")
	}
}

// 10,000 followers wait at once on one process, and each reads their own answer
// and nobody else's.
func TestTenThousandHolds(t *testing.T) {
	const n = 10_000
	c := startCrowd(t, "WX_HOLD", "4.8s")
	most, late := c.hold(n)
	t.Logf("%.0f of %d were held at the same time; %d were over before they were answered", most, n, late)
	if late == n {
		t.Error("nobody was answered")
	}
	if holds, bytes := c.gauge("wxbridge_holds"), c.gauge("wxbridge_held_bytes"); holds != 0 || bytes != 0 {
		t.Errorf("%.0f holds, %.0f bytes are left", holds, bytes)
	}
}
