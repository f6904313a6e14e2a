// Package bus carries the events of package events over NATS JetStream: the
// connection, the streams and buckets as data, publishing with a time budget,
// and the feed that brings a stream's messages in the stream's order.
//
// # For services
//
// A service that answers followers needs none of it: any NATS client will do,
// see events/examples. A Go service has an easier life with App, over the NATS
// connection that it has anyway:
//
//	orders := bus.App{JetStream: js, Source: "/orders"}
//	err := orders.Serve(ctx, bus.Service{Name: "orders", Answer: func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
//		return events.TextReply("hello"), nil
//	}})
//
// Package permissions below has the users and rights for a NATS server.
//
// # For the bridge
//
// Bus is the connection of ingress and egress, which keeps the streams right:
//
//	b, err := bus.Connect("wxbridge", config, "wx", streams, logger)
//	…
//	go b.Run(ctx)
//	ack, err := b.PublishEvent(ctx, subject, event, id, "")
//
// The package does not link the NATS server; the embedded one lives in cmd/wxbridge.
package bus
