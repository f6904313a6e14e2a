// Command answer is a service in Go: it answers followers and sends commands.
//
//	go run ./events/examples/answer nats://127.0.0.1:4222
//	go run ./events/examples/answer nats://127.0.0.1:4222 plain
package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/signal"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, append(os.Args[1:], nats.DefaultURL)); err != nil {
		slog.Error("the service has ended", "error", err)
	}
}

func run(ctx context.Context, args []string) error {
	nc, err := nats.Connect(args[0], nats.Name("orders"))
	if err != nil {
		return err
	}
	defer nc.Close()
	if args[1] == "plain" {
		return plain(ctx, nc)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	orders := bus.App{JetStream: js, Source: "/orders"}
	return orders.Serve(ctx, bus.Service{Name: "orders", Kinds: []string{"text"}, Answer: func(ctx context.Context, in events.InboundEvent) (events.Reply, error) {
		var message struct{ Content string }
		if err := json.Unmarshal(in.Data, &message); err != nil {
			return events.Reply{}, err
		}
		if message.Content != "ship" {
			return events.TextReply("hello"), nil
		}
		// The id follows from the event's: if this event comes again, the command is not carried out again.
		_, err := orders.Send(ctx, "send_custom_message", "shipped-"+in.ID, map[string]any{
			"touser": in.OpenID, "msgtype": "text", "text": map[string]string{"content": "your parcel has left"},
		})
		return events.TextReply("on its way"), err
	}})
}

// plain needs neither stream nor consumer; what comes while it is away it misses.
func plain(ctx context.Context, nc *nats.Conn) error {
	_, err := nc.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("hello")) })
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
