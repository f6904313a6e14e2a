package main_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/events/bus/permissions"
)

// guarded is the bridge under the permission files: every process is a user of
// its own, and so is the application.
type guarded struct {
	apart // as the operator sees it; its NATS is none in a container

	server *bustest.Server
	mode   string // WX_STREAMS
	domain string // WX_NATS_DOMAIN
}

func startGuarded(t *testing.T, conf []byte, mode string) *guarded {
	t.Helper()
	g := &guarded{server: bustest.StartWith(t, conf, "wx.operator"), mode: mode}
	g.js = g.server.JetStream()
	g.open(t)
	return g
}

// open makes all but the bridge's own processes.
func (g *guarded) open(t *testing.T) {
	t.Helper()
	g.nc = g.js.Conn()
	address := func() string { return "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)) }
	callback, simAddress := address(), address()
	g.sim, g.ingressAdmin, g.egressAdmin = "http://"+simAddress, address(), address()
	g.ingressVars = with(g.as("ingress"), "WX_LISTEN", callback, "WX_ADMIN_LISTEN", g.ingressAdmin)
	g.egressVars = with(g.as("egress"), "WX_API_URL", g.sim, "WX_ADMIN_LISTEN", g.egressAdmin)
	g.simProcess = start(t, with(good(), "WX_SIM_LISTEN", simAddress, "WX_SIM_CALLBACK", "http://"+callback+"/wx"), nil, "sim")
	g.simProcess.says(t, "WeChat is pretended at")
}

// isServed has oAlice say something that a service answers, with a consumer that is there.
func (g *guarded) isServed(t *testing.T, app bus.App) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- app.Serve(ctx, bus.Service{Name: "orders", Answer: func(_ context.Context, in events.InboundEvent) (events.Reply, error) {
			return events.TextReply("hello " + in.OpenID), nil
		}})
	}()
	await(t, g.says(t, "oAlice", "你好")).hears(t, "hello oAlice")
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// as is the environment of one of the bridge's processes.
func (g *guarded) as(role string) map[string]string {
	return with(good(), "WX_NATS_URL", g.server.URL(), "WX_NATS_USER", "wx."+role, "WX_NATS_PASSWORD", bustest.Password,
		"WX_NATS_INBOX_PREFIX", "_INBOX_WX_"+strings.ToUpper(role), "WX_STREAMS", g.mode, "WX_NATS_DOMAIN", g.domain)
}

// makeStreams is what an operator does where the bridge only checks.
func (g *guarded) makeStreams(t *testing.T) {
	t.Helper()
	config := bus.StreamConfig{Mode: "create", Replicas: 1, Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
	if err := bus.Ensure(t.Context(), g.js, "wx", config); err != nil {
		t.Fatal(err)
	}
}

// Ingress, egress, an application and an operator, each with the rights of the
// files and no more: a follower is answered by a consumer and by a plain
// subscriber, a command is carried out, and nobody is refused anything.
func TestUnderPermissions(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"create", "check"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			g := startGuarded(t, permissions.Conf("wx", mode == "create"), mode)
			if mode == "check" {
				g.makeStreams(t)
			}
			g.startIngress(t)
			g.startEgress(t)
			ready(t, g.ingressAdmin)
			ready(t, g.egressAdmin)
			watched, err := g.nc.SubscribeSync("wx.>")
			if err == nil {
				err = g.nc.Flush() // the server knows it before the first event
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := g.js.CreateConsumer(t.Context(), "WX_INBOUND", jetstream.ConsumerConfig{Durable: "orders", AckPolicy: jetstream.AckExplicitPolicy}); err != nil {
				t.Fatal(err)
			}

			nc := g.server.ConnAs("wx.application", "_INBOX_WX_APPLICATION", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
				t.Errorf("the application: %v", err)
			}))
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			app := bus.App{JetStream: js, Source: "/orders"}
			g.isServed(t, app)

			plain, err := nc.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("plain")) })
			if err != nil {
				t.Fatal(err)
			}
			if err := nc.Flush(); err != nil {
				t.Fatal(err)
			}
			await(t, g.says(t, "oAlice", "在吗")).hears(t, "plain")
			_ = plain.Unsubscribe()

			result, err := app.Do(t.Context(), "send_custom_message", "order-42", map[string]any{
				"touser": "oAlice", "msgtype": "text", "text": map[string]string{"content": "on its way"},
			})
			if err != nil || result.Outcome != events.ResultDone {
				t.Errorf("result %+v, %v", result, err)
			}
			answer, err := nc.Request("wx.call.get_user_info", []byte(`{"openid":"oAlice"}`), time.Minute)
			if err != nil || !strings.Contains(string(answer.Data), `"outcome":"done"`) {
				t.Errorf("call: %v", err)
			}

			want := map[string]bool{"wx.inbound.text": true, "wx.outcome.text": true, "wx.cmd.send_custom_message": true, "wx.result.send_custom_message": true}
			for len(want) > 0 {
				m, err := watched.NextMsg(time.Minute)
				if err != nil {
					t.Fatalf("the operator misses %v: %v", want, err)
				}
				delete(want, m.Subject)
			}
			for _, p := range []*process{g.ingress, g.egress} {
				if strings.Contains(strings.ToLower(p.out.String()), "permissions violation") {
					t.Errorf("wxbridge %s was refused something", p.name)
				}
			}
			ready(t, g.ingressAdmin)
			ready(t, g.egressAdmin)
		})
	}
}

// Each right is needed: without it a process is not ready and names the
// subject, as soon as it needs it. What it did before is not done twice.
func TestAMissingRight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role, subject string
		use           string // what needs the right: "push", "cmd", or nothing but starting
	}{
		{"ingress", "$JS.API.STREAM.INFO.WX_OUTCOME", ""},
		{"ingress", "$JS.API.CONSUMER.CREATE.WX_REPLY.>", ""},
		{"ingress", "$JS.API.CONSUMER.MSG.NEXT.WX_REPLY.>", ""},
		{"ingress", "_INBOX_WX_INGRESS.>", ""},
		{"ingress", "wx.mark.*", ""},
		{"ingress", "wx.inbound.*", "push"},
		{"ingress", "wx.outcome.*", "push"},
		{"egress", "$JS.API.STREAM.INFO.KV_WX_CLAIM", ""},
		{"egress", "$JS.API.CONSUMER.CREATE.WX_CMD.>", ""},
		{"egress", "$JS.API.CONSUMER.MSG.NEXT.WX_CMD.>", ""},
		{"egress", "_INBOX_WX_EGRESS.>", ""},
		{"egress", "wx.call.*", ""},
		{"egress", "$JS.ACK.WX_CMD.>", "cmd"},
		{"egress", "$KV.WX_CLAIM.>", "cmd"},
		{"egress", "$KV.WX_SECRET.>", "cmd"},
		{"egress", "$JS.API.STREAM.MSG.GET.KV_WX_CLAIM", "cmd"},
		{"egress", "$JS.API.STREAM.MSG.GET.KV_WX_SECRET", "cmd"},
		{"egress", "wx.result.*", "cmd"},
	} {
		t.Run(c.role+" "+c.subject, func(t *testing.T) {
			t.Parallel()
			conf := string(permissions.Conf("wx", false))
			user := strings.Index(conf, `user: "wx.`+c.role+`"`)
			// An empty list would allow everything, so something else stands there.
			without := conf[:user] + strings.Replace(conf[user:], fmt.Sprintf("%q\n", c.subject), "\"nothing\"\n", 1)
			if without == conf {
				t.Fatal("the right is not in the file")
			}
			if c.role == "egress" {
				// Responses are allowed for calls, and to JetStream's messages that is the ack.
				without = strings.Replace(without, "allow_responses", "# allow_responses", 1)
			}
			g := startGuarded(t, []byte(without), "check")
			g.makeStreams(t)
			admin := g.ingressAdmin
			if c.role == "ingress" {
				g.startIngress(t)
			} else {
				admin = g.egressAdmin
				g.startEgress(t)
			}
			if c.use != "" {
				ready(t, admin)
			}
			began := time.Now()
			switch c.use {
			case "push":
				if _, err := g.nc.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("hello")) }); err != nil {
					t.Fatal(err)
				}
				if err := g.nc.Flush(); err != nil {
					t.Fatal(err)
				}
				g.says(t, "oAlice", "你好")
			case "cmd":
				// Twice the same: the second makes egress read what became of the first.
				command := []byte(`{"specversion":"1.0","id":"g1","source":"/test","type":"test","data":{"group":{"name":"g"}}}`)
				for range 2 {
					if _, err := g.js.Publish(t.Context(), "wx.cmd.create_group", command); err != nil {
						t.Fatal(err)
					}
				}
			}
			named := strings.TrimRight(c.subject, "*>")
			eventually(t, time.Minute, "readiness names "+named, func() error {
				err := readyz(t, admin)
				if err == nil || !strings.Contains(err.Error(), "NATS refuses a subject") || !strings.Contains(err.Error(), named) {
					return errors.Join(errNotYet, err)
				}
				return nil
			})
			t.Logf("named after %s", time.Since(began).Round(time.Millisecond))
			if c.subject == "$JS.ACK.WX_CMD.>" {
				// The ack is refused and the command stays; its claim keeps it from being sent again.
				g.egress.kill()
				g.startEgress(t)
				eventually(t, time.Minute, "the command came again", func() error {
					if n := strings.Count(g.egress.out.String(), "ACK.WX_CMD"); n == 0 {
						return errNotYet
					}
					return nil
				})
				if calls := g.calls(t, "create_group"); len(calls) != 1 {
					t.Errorf("WeChat was called %d times", len(calls))
				}
			}
		})
	}
}
