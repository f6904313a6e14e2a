package main_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// startBehindALeaf runs nothing of the bridge yet: two servers, the processes' own
// one and a hub that it is a leaf of, each with a JetStream and a domain. Somebody
// keeps a copy of all that passes on the leaf, and its acks come first.
func startBehindALeaf(t *testing.T) *guarded {
	t.Helper()
	port := bustest.FreePort(t)
	bustest.StartWith(t, fmt.Appendf(nil, "server_name: hub\njetstream { domain: hub }\nleafnodes { listen: \"127.0.0.1:%d\" }", port), "")
	leaf := bustest.StartWith(t, fmt.Appendf(nil, "server_name: leaf\njetstream { domain: leaf }\nleafnodes { remotes: [{ url: \"nats-leaf://127.0.0.1:%d\" }] }", port), "")
	g := &guarded{server: leaf, mode: "create", domain: "hub"}
	nc := leaf.Conn()
	var err error
	if g.js, err = jetstream.NewWithDomain(nc, g.domain); err != nil {
		t.Fatal(err)
	}
	near, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := near.CreateStream(t.Context(), jetstream.StreamConfig{Name: "COPY", Subjects: []string{"wx.inbound.*", "wx.reply.*", "wx.mark.*", "wx.cmd.*", "wx.result.*"}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the hub is there", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := g.js.AccountInfo(ctx)
		return err
	})
	g.open(t)
	return g
}

// With WX_NATS_DOMAIN all that the bridge does is done in that domain: a follower is
// answered, by a consumer and by a plain subscriber, a picture comes with its event,
// commands and calls are carried out, a file is uploaded, and what WeChat refused is
// sent again.
func TestInADomain(t *testing.T) {
	t.Parallel()
	g := startBehindALeaf(t)
	g.ingressVars = with(g.ingressVars, "WX_MEDIA_FETCH", "1")
	g.startIngress(t)
	g.startEgress(t)
	ready(t, g.ingressAdmin)
	ready(t, g.egressAdmin)
	app := bus.App{JetStream: g.js, Source: "/orders"}

	// She has not written, so WeChat refuses.
	greeting := map[string]any{"touser": "oAlice", "msgtype": "text", "text": map[string]string{"content": "on its way"}}
	result, err := app.Do(t.Context(), "send_custom_message", "order-42", greeting)
	if err != nil || result.Outcome != events.ResultRejected {
		t.Fatalf("%+v, %v", result, err)
	}
	contains(t, "list", g.tool(t, "operator", 0, "dlq", "list"), "send_custom_message", "rejected")

	if _, err := g.js.CreateConsumer(t.Context(), "WX_INBOUND", jetstream.ConsumerConfig{Durable: "orders", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
		t.Fatal(err)
	}
	g.isServed(t, app)
	if _, err := g.nc.Subscribe("wx.inbound.*", func(m *nats.Msg) { _ = m.Respond([]byte("plain")) }); err != nil {
		t.Fatal(err)
	}
	if err := g.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	await(t, g.pushes(t, "oAlice", map[string]string{"MsgType": "image"})).hears(t, "plain")

	// The picture goes back to WeChat as a file of the service's own.
	file, ok := g.inbound(t, 2).File()
	if !ok && !strings.Contains(g.ingress.out.String(), "media is not fetched") { // a slow machine's log says so
		t.Error("no picture in the event")
	}
	picture := []byte("\xff\xd8\xff a cat")
	if ok {
		if picture, err = app.File(t.Context(), file.DataRef); err != nil || int64(len(picture)) != file.Size {
			t.Fatalf("%d bytes, %v", len(picture), err)
		}
	}
	store, err := g.js.ObjectStore(t.Context(), "WX_MEDIA")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutBytes(t.Context(), "cat.png", picture); err != nil {
		t.Fatal(err)
	}
	result, err = app.Do(t.Context(), "upload_media", "cat", map[string]any{"type": "image", "media": map[string]string{"dataref": "nats-object://WX_MEDIA/cat.png"}})
	if err != nil || result.Outcome != events.ResultDone {
		t.Errorf("%+v, %v", result, err)
	}
	answer, err := g.nc.Request("wx.call.get_user_info", []byte(`{"openid":"oAlice"}`), time.Minute)
	if err != nil || !strings.Contains(string(answer.Data), `"outcome":"done"`) {
		t.Errorf("call: %v", err)
	}
	contains(t, "send", g.tool(t, "operator", 0, "send", "get_groups", "--id", "groups"), `"outcome": "done"`)

	contains(t, "redrive", g.tool(t, "operator", 0, "dlq", "redrive", "1"), "order-42~1", "1 redriven")
	eventually(t, time.Minute, "she reads it", func() error {
		_, inbox, err := get(t, g.sim+"/_sim/followers/oAlice/inbox")
		if err == nil && strings.Count(inbox, `"text":"on its way"`) != 1 {
			err = errors.New(inbox)
		}
		return err
	})
	contains(t, "redrive again", g.tool(t, "operator", 0, "dlq", "redrive", "1"), "1 already")
}
