package bus_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// A service that answers followers, over a NATS connection of its own.
func ExampleApp_Serve() {
	nc, ctx, end := pretendBridge("hi")
	defer end()

	js, err := jetstream.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := bus.App{JetStream: js, Source: "/orders"}
	err = orders.Serve(ctx, bus.Service{Name: "orders", Answer: func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
		return events.TextReply("hello " + in.OpenID), nil
	}})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// wx.reply.23456-1a2b3c: {"msgtype":"text","text":{"content":"hello oAbc"}}
}

// A service that needs longer than WeChat waits says so, and so gets its next
// tries: some 14 s. What comes after that goes out as a custom message.
func ExampleApp_Reply() {
	nc, ctx, end := pretendBridge("tell me a story")
	defer end()

	js, err := jetstream.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	teller := bus.App{JetStream: js, Source: "/teller"}
	err = teller.Serve(ctx, bus.Service{Name: "teller", Answer: func(ctx context.Context, in events.InboundEvent) (events.Reply, error) {
		if err := teller.Reply(ctx, in, events.WaitReply()); err != nil {
			return events.Reply{}, err
		}
		return events.TextReply("Once upon a time"), nil // after long thought
	}})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// wx.reply.23456-1a2b3c: {"msgtype":"wait"}
	// wx.reply.23456-1a2b3c: {"msgtype":"text","text":{"content":"Once upon a time"}}
}

// A command and its one result. With the same id it is safe to send again after
// any fault: WeChat is called once.
func ExampleApp_Do() {
	nc, ctx, end := pretendBridge("")
	defer end()

	js, err := jetstream.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := bus.App{JetStream: js, Source: "/orders"}
	result, err := orders.Do(ctx, "send_custom_message", "order-42-shipped", map[string]any{
		"touser": "oAbc", "msgtype": "text", "text": map[string]string{"content": "on its way"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Outcome, result.ErrMsg)
	// Output:
	// done ok
}

// Sending alone returns when the command is stored.
func ExampleApp_Send() {
	nc, ctx, end := pretendBridge("")
	defer end()

	js, err := jetstream.New(nc)
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := bus.App{JetStream: js, Source: "/orders"}
	id, err := orders.Send(ctx, "create_group", "group-vip", json.RawMessage(`{"group":{"name":"VIP"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the result's id will be", events.ResultID(id))
	// Output:
	// the result's id will be group-vip.res
}

// pretendBridge is a NATS with the bridge's streams. Once somebody serves, a
// follower says some words; each reply is printed, and after the one that is no
// wait ctx ends. Every command is done at once.
func pretendBridge(says string) (nc *nats.Conn, ctx context.Context, end func()) {
	t := &standIn{}
	server := bustest.Start(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	js := server.JetStream()
	streams := bus.StreamConfig{Mode: "create", Replicas: 1, Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
	if err := bus.Ensure(ctx, js, "wx", streams); err != nil {
		panic(err)
	}
	bridge := server.Conn()
	on := func(subject string, f func(*nats.Msg)) {
		if _, err := bridge.Subscribe(subject, f); err != nil {
			panic(err)
		}
	}
	on("wx.reply.*", func(m *nats.Msg) {
		reply, err := events.ParseReply(events.Header(m.Header), m.Data)
		fmt.Fprintf(os.Stdout, "%s: %s\n", m.Subject, reply.Data)
		if err != nil || reply.MsgType != events.MsgWait {
			cancel()
		}
	})
	on("wx.cmd.*", func(m *nats.Msg) {
		c, err := events.ParseCommand("wx", events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data}, "")
		if err != nil {
			panic(err)
		}
		e, err := events.NewResult("wx01", c, events.ResultID(c.ID), time.Now(), events.Result{Outcome: events.ResultDone, ErrMsg: "ok"})
		if err != nil {
			panic(err)
		}
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			panic(err)
		}
		_ = bridge.PublishMsg(&nats.Msg{Subject: "wx.result." + c.Verb, Header: nats.Header(header), Data: body})
	})
	if says != "" {
		on("$JS.EVENT.ADVISORY.CONSUMER.CREATED.WX_INBOUND.*", func(*nats.Msg) {
			_ = bridge.Publish("wx.inbound.text", []byte(`{"specversion":"1.0","id":"23456-1a2b3c","source":"//mp.weixin.qq.com/wx01",`+
				`"type":"com.qq.weixin.mp.inbound.text","subject":"oAbc","wxreplyto":"wx.reply.23456-1a2b3c","data":{"MsgType":"text","Content":"`+says+`"}}`))
		})
	}
	if err := bridge.Flush(); err != nil { // the service asks over another connection
		panic(err)
	}
	return server.Conn(), ctx, func() { cancel(); t.end() }
}

// standIn is the testing.TB of an example, which has none.
type standIn struct {
	testing.TB
	cleanups []func()
}

func (*standIn) Helper()            {}
func (*standIn) Fatal(args ...any)  { panic(fmt.Sprint(args...)) }
func (s *standIn) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *standIn) TempDir() string {
	dir, err := os.MkdirTemp("", "wxbridge-example-")
	if err != nil {
		panic(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *standIn) end() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
}
