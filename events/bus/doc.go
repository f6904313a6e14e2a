// Package bus carries the events of package events over NATS JetStream: the
// connection, the streams and buckets as data, publishing with a time budget,
// and the feed that brings a stream's messages in the stream's order.
//
// A service that only answers followers needs none of it: any NATS client will
// do. A Go service may use it to get the encoding right:
//
//	b, err := bus.Connect("orders", config, "wx", streams, logger)
//	…
//	go b.Run(ctx)
//	ack, err := b.PublishEvent(ctx, subject, event, id, "")
//
// It does not link the NATS server; the embedded one lives in cmd/wxbridge.
package bus
