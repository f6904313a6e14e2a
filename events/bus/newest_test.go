package bus

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

func TestNewest(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	if _, _, err := Newest(within(t), js, "STATE", "owner"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("without a bucket: %v", err)
	}
	kv, err := js.CreateKeyValue(within(t), jetstream.KeyValueConfig{Bucket: "STATE", Replicas: bustest.Replicas()})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Newest(within(t), js, "STATE", "owner"); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("without a value: %v", err)
	}
	for _, value := range []string{"one", "", "another"} {
		stored, err := kv.PutString(within(t), "owner", value)
		if err != nil {
			t.Fatal(err)
		}
		if have, revision, err := Newest(within(t), js, "STATE", "owner"); err != nil || string(have) != value || revision != stored {
			t.Errorf("%q is read as %q, revision %d as %d, %v", value, have, stored, revision, err)
		}
	}
	// A value may have headers: of a trace, say.
	if _, err := js.PublishMsg(within(t), &nats.Msg{Subject: "$KV.STATE.owner", Header: nats.Header{"Traced": {"yes"}}, Data: []byte("a third")}); err != nil {
		t.Fatal(err)
	}
	if have, _, err := Newest(within(t), js, "STATE", "owner"); err != nil || string(have) != "a third" {
		t.Errorf("%q, %v", have, err)
	}
	for name, remove := range map[string]func() error{
		"delete": func() error { return kv.Delete(within(t), "owner") },
		"purge":  func() error { return kv.Purge(within(t), "owner") },
	} {
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		if have, _, err := Newest(within(t), js, "STATE", "owner"); !errors.Is(err, jetstream.ErrKeyNotFound) {
			t.Errorf("after %s: %q, %v", name, have, err)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Newest(over, js, "STATE", "owner"); !errors.Is(err, context.Canceled) {
		t.Errorf("out of time: %v", err)
	}
}

// In a domain of its own, as behind a leaf node, JetStream's requests have another
// beginning.
func TestNewestOfADomain(t *testing.T) {
	t.Parallel()
	nc := bustest.StartWith(t, []byte("jetstream { domain: hub }"), "").Conn()
	for name, open := range map[string]func() (jetstream.JetStream, error){
		"DOMAIN": func() (jetstream.JetStream, error) { return jetstream.NewWithDomain(nc, "hub") },
		"PREFIX": func() (jetstream.JetStream, error) { return jetstream.NewWithAPIPrefix(nc, "$JS.hub.API") },
	} {
		js, err := open()
		if err != nil {
			t.Fatal(err)
		}
		kv, err := js.CreateKeyValue(within(t), jetstream.KeyValueConfig{Bucket: name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.PutString(within(t), "owner", "one"); err != nil {
			t.Fatal(err)
		}
		if have, _, err := Newest(within(t), js, name, "owner"); err != nil || string(have) != "one" || APIPrefix(js) != "$JS.hub.API." {
			t.Errorf("%s: %q, %v, %s", name, have, err, APIPrefix(js))
		}
	}
}

// On a cluster whoever was told that something is stored is believed by all: each
// reads it at once, by whichever server it is connected to.
func TestNewestOfReplicas(t *testing.T) {
	t.Parallel()
	s := bustest.StartCluster(t, 3)
	kv, err := s.JetStream().CreateKeyValue(within(t), jetstream.KeyValueConfig{Bucket: "STATE", Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	var readers []jetstream.JetStream
	for url := range strings.SplitSeq(s.URL(), ",") {
		nc, err := nats.Connect(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, js)
	}
	for round := range 300 {
		want := strconv.Itoa(round)
		if _, err := kv.PutString(within(t), "owner", want); err != nil {
			t.Fatal(err)
		}
		for i, js := range readers {
			if have, _, err := Newest(within(t), js, "STATE", "owner"); err != nil || string(have) != want {
				t.Fatalf("reader %d has %q after %q was stored, %v", i, have, want, err)
			}
		}
	}
}
