package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/permissions"
)

// With WX_MEDIA_FETCH, and each process with the rights of the files alone, a
// follower's picture or video is in its event, and an application reads it
// without WeChat. Without egress the event comes all the same.
func TestMediaComesWithTheEvent(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, permissions.Conf("wx", true), "create")
	g.ingressVars = with(g.ingressVars, "WX_MEDIA_FETCH", "1", "WX_MEDIA_FETCH_WITHIN", "2s")
	g.startIngress(t)
	g.startEgress(t)
	ready(t, g.ingressAdmin)
	ready(t, g.egressAdmin)
	nc := g.server.ConnAs("wx.application", "_INBOX_WX_APPLICATION")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	app := bus.App{JetStream: js, Source: "/pictures"}
	if _, err := nc.Subscribe("wx.inbound.*", func(m *nats.Msg) { _ = m.Respond([]byte("nice")) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	// The first call also fetches a token, which on a slow machine takes its time.
	if answer, err := nc.Request("wx.call.get_user_info", []byte(`{"openid":"oAlice"}`), time.Minute); err != nil {
		t.Fatalf("%v %v", answer, err)
	}
	for n, kind := range []string{"image", "video"} {
		await(t, g.pushes(t, "oAlice", map[string]string{"MsgType": kind})).hears(t, "nice")
		in := g.inbound(t, uint64(n+1))
		file, ok := in.File()
		if !ok {
			// The machine was slower than a fetch may be, which the log must say.
			if !strings.Contains(g.ingress.out.String(), "media is not fetched") {
				t.Errorf("%s without a file: %s", kind, in.Data)
			}
			continue
		}
		content, err := app.File(t.Context(), file.DataRef)
		if err != nil || int64(len(content)) != file.Size || !strings.HasPrefix(file.ContentType, kind+"/") {
			t.Errorf("%s: %+v has %d bytes, %v", kind, file, len(content), err)
		}
	}
	g.egress.kill()
	await(t, g.pushes(t, "oAlice", map[string]string{"MsgType": "image"})).hears(t, "nice")
	if in := g.inbound(t, 3); !strings.Contains(string(in.Data), `"MediaId":`) {
		t.Errorf("%s", in.Data)
	} else if _, ok := in.File(); ok {
		t.Error("a file, from nobody")
	}
	for _, p := range []*process{g.ingress, g.egress} {
		if out := strings.ToLower(p.out.String()); strings.Contains(out, "permissions violation") || strings.Contains(out, "oalice") {
			t.Errorf("wxbridge %s was refused something, or logs an OpenID", p.name)
		}
	}
}
