package main_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What JetStream acknowledged is there after kill -9, at the same address, and a client comes back by itself.
func TestNATSContainer(t *testing.T) {
	t.Parallel()
	n := startNATS(t)
	nc, err := nats.Connect(n.URL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}, Storage: jetstream.FileStorage})
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.Publish(t.Context(), "kept", []byte("stored"))
	if err != nil {
		t.Fatal(err)
	}

	n.Kill(t)
	n.Start(t)

	eventually(t, time.Minute, "the message", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		msg, err := stream.GetMsg(ctx, ack.Sequence)
		if err == nil && string(msg.Data) != "stored" {
			t.Fatalf("read %q", msg.Data)
		}
		return err
	})
}
