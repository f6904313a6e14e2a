// Package bus carries the events of package events over NATS JetStream: the
// connection, the streams and buckets as data, publishing with a time budget,
// and the feed that brings a stream's messages in the stream's order.
//
// A service that only answers followers needs none of it: any NATS client will
// do. A Go service may use it to get the encoding right:
//
//	header, body, err := events.EncodeStructured(event)
//	…
//	err = bus.New(conn, "wx").Publish(ctx, subject, header, body, id)
//
// It does not link the NATS server; the embedded one lives in cmd/wxbridge.
package bus
