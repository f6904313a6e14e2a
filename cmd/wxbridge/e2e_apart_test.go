package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// A service that only knows NATS answers followers, as a plain subscriber and as
// a consumer of the stream; its commands reach WeChat.
func TestApart(t *testing.T) {
	t.Parallel()
	a := startApart(t)

	answering, err := a.nc.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("hello")) })
	if err != nil {
		t.Fatal(err)
	}
	if err := a.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	await(t, a.says(t, "oAlice", "你好")).hears(t, "hello")
	if err := answering.Unsubscribe(); err != nil {
		t.Fatal(err)
	}

	came := a.says(t, "oBob", "在吗")
	in := a.inbound(t, 2)
	if in.Kind != "text" || in.OpenID != "oBob" || !strings.Contains(string(in.Data), `"Content":"在吗"`) || in.Deadline.IsZero() {
		t.Fatalf("inbound event %+v", in)
	}
	if _, err := a.js.Publish(t.Context(), in.ReplyTo, []byte(`{"msgtype":"text","text":{"content":"在 <&> 的"}}`)); err != nil {
		t.Fatal(err)
	}
	await(t, came).hears(t, "在 <&> 的")
	for n, outcome := range []string{events.OutcomeReplied, events.OutcomeReplied} {
		m := a.stored(t, "WX_OUTCOME", uint64(n+1))
		if o, err := events.ParseOutcome(m.Header, m.Body); err != nil || o.Outcome != outcome || o.Try != 1 || o.Sequence == 0 {
			t.Fatalf("outcome %d: %+v, %v", n+1, o, err)
		}
	}

	command := nats.NewMsg("wx.cmd.send_custom_message")
	command.Header.Set(nats.MsgIdHdr, "order-42")
	command.Data = []byte(`{"touser":"oBob","msgtype":"text","text":{"content":"您的订单已发货 & on its way"}}`)
	if _, err := a.js.PublishMsg(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	m := a.stored(t, "WX_RESULT", 1)
	result, cause, err := events.ParseResult(m.Header, m.Body)
	if err != nil || result.Outcome != events.ResultDone || cause != "order-42" || result.Attempts != 1 {
		t.Fatalf("result %+v of %q: %v", result, cause, err)
	}
	if _, inbox, err := get(t, a.sim+"/_sim/followers/oBob/inbox"); err != nil || !strings.Contains(inbox, "您的订单已发货 & on its way") {
		t.Fatalf("inbox %s, %v", inbox, err)
	}

	answer, err := a.nc.Request("wx.call.get_user_info", []byte(`{"openid":"oBob"}`), 10*time.Second)
	if err != nil || !strings.Contains(string(answer.Data), `"outcome":"done"`) || !strings.Contains(string(answer.Data), `"openid":"oBob"`) {
		t.Fatalf("call: %s, %v", answer.Data, err)
	}
	status, metrics, err := get(t, "http://"+a.ingressAdmin+"/metrics")
	if err != nil || status != http.StatusOK || !strings.Contains(metrics, `wxbridge_holds_answered_total{kind="text",outcome="replied"} 2`) {
		t.Fatalf("metrics: %d %v\n%s", status, err, metrics)
	}
	for _, p := range []*process{a.ingress, a.egress} {
		for _, secret := range []string{"0123456789abcdef0123456789abcdef", "madeuptoken", good()["WX_AES_KEY"], "oBob", "订单"} {
			if strings.Contains(p.out.String(), secret) {
				t.Errorf("wxbridge %s logs %q", p.name, secret)
			}
		}
	}
}

// kill -9 of the ingress in the middle of a hold: the event is stored once, and
// WeChat's next try, at a new process, brings the follower the answer.
func TestIngressIsKilled(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	came := a.says(t, "oAlice", "你好")
	in := a.inbound(t, 1)
	a.ingress.kill()
	a.startIngress(t)
	ready(t, a.ingressAdmin)
	if _, err := a.js.Publish(t.Context(), in.ReplyTo, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	d := await(t, came)
	d.hears(t, "still here")
	if len(d.Tries) < 2 {
		t.Fatalf("tries %+v", d.Tries)
	}
	if n := a.count(t, "WX_INBOUND"); n != 1 {
		t.Fatalf("%d events stored", n)
	}
	if n := a.count(t, "WX_OUTCOME"); n != 1 {
		t.Fatalf("%d outcomes stored", n)
	}
}

// kill -9 of the egress under load, twice: every command ends in exactly one
// result, and WeChat sees none of them twice.
func TestEgressIsKilled(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	const commands = 60
	for n := range commands {
		m := nats.NewMsg("wx.cmd.create_group")
		m.Header.Set(nats.MsgIdHdr, fmt.Sprintf("group-%02d", n))
		m.Data = fmt.Appendf(nil, `{"group":{"name":"g%02d"}}`, n)
		if _, err := a.js.PublishMsg(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if n == commands/3 || n == 2*commands/3 {
			a.stored(t, "WX_RESULT", 1) // it is at work
			a.egress.kill()
			a.startEgress(t)
		}
	}
	results := a.results(t, commands)
	for id, outcome := range results {
		if outcome != events.ResultDone && outcome != events.ResultUnknown {
			t.Errorf("%s: %s", id, outcome)
		}
	}
	if len(results) != commands {
		t.Errorf("%d commands have a result, want %d", len(results), commands)
	}
	if left := a.count(t, "WX_CMD"); left != 0 {
		t.Errorf("%d commands are left", left)
	}
	seen := map[string]int{}
	for _, body := range a.calls(t, "create_group") {
		seen[body]++
	}
	for body, n := range seen {
		if n > 1 {
			t.Errorf("WeChat saw %s %d times", body, n)
		}
	}
}

// results waits until the queue is empty, and reads what became of each command.
func (a *apart) results(t *testing.T, commands int) map[string]string {
	t.Helper()
	eventually(t, time.Minute, "every command has its result", func() error {
		if n, left := a.count(t, "WX_RESULT"), a.count(t, "WX_CMD"); n < uint64(commands) || left > 0 {
			return fmt.Errorf("%d results, %d commands left", n, left)
		}
		return nil
	})
	outcomes := map[string]string{}
	for n := range a.count(t, "WX_RESULT") {
		m := a.stored(t, "WX_RESULT", n+1)
		result, cause, err := events.ParseResult(m.Header, m.Body)
		if err != nil {
			t.Fatal(err)
		}
		if before, twice := outcomes[cause]; twice {
			t.Errorf("%s has two results: %s, %s", cause, before, result.Outcome)
		}
		outcomes[cause] = result.Outcome
	}
	return outcomes
}

// calls is the bodies of the calls that the simulator got for a verb.
func (a *apart) calls(t *testing.T, verb string) []string {
	t.Helper()
	_, body, err := get(t, a.sim+"/_sim/calls")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Verb string          `json:"verb"`
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var bodies []string
	for _, call := range list {
		if call.Verb == verb {
			bodies = append(bodies, string(call.Body))
		}
	}
	if len(bodies) == 0 {
		t.Fatalf("no call of %s in %s", verb, body)
	}
	return bodies
}

// kill -9 of NATS: callbacks are refused so that WeChat tries again, readiness
// says why; when NATS is back all works again without a restart.
func TestNATSIsKilled(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	a.nats.Kill(t)
	for _, admin := range []string{a.ingressAdmin, a.egressAdmin} {
		eventually(t, 30*time.Second, admin+" is not ready", func() error {
			if err := readyz(t, admin); err == nil || !strings.Contains(err.Error(), "NATS is not connected") {
				return fmt.Errorf("readyz says %w", err)
			}
			return nil
		})
	}
	came := a.says(t, "oAlice", "你好")
	a.ingress.says(t, "event is not stored")
	a.nats.Start(t)
	answering, err := nats.Connect(a.nats.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(answering.Close)
	if _, err := answering.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("back")) }); err != nil {
		t.Fatal(err)
	}
	if err := answering.Flush(); err != nil {
		t.Fatal(err)
	}
	ready(t, a.ingressAdmin)
	ready(t, a.egressAdmin)
	d := await(t, came)
	if d.Tries[0].Status != http.StatusServiceUnavailable {
		t.Errorf("first try answered %+v, want 503", d.Tries[0])
	}
	// WeChat's third try may have come too early as well; a new message must be answered.
	await(t, a.says(t, "oAlice", "还在吗")).hears(t, "back")

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	js, err := jetstream.New(answering)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "wx.cmd.get_groups", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	m := a.stored(t, "WX_RESULT", 1)
	if result, _, err := events.ParseResult(m.Header, m.Body); err != nil || result.Outcome != events.ResultDone {
		t.Fatalf("result %+v, %v", result, err)
	}
}

// SIGTERM while a follower waits: the held try runs to its own end, and the
// process then exits with 0.
func TestStopsInOrder(t *testing.T) {
	t.Parallel()
	a := startApart(t)
	came := a.says(t, "oAlice", "你好")
	in := a.inbound(t, 1)
	a.ingress.interrupt(t)
	a.egress.interrupt(t)
	eventually(t, 10*time.Second, "ingress says that it stops", func() error {
		if err := readyz(t, a.ingressAdmin); err == nil || !strings.Contains(err.Error(), "stopping") {
			return errNotYet
		}
		return nil
	})
	if _, err := a.js.Publish(t.Context(), in.ReplyTo, []byte("bye")); err != nil {
		t.Fatal(err)
	}
	await(t, came).hears(t, "bye")
	for _, p := range []*process{a.ingress, a.egress} {
		if code := p.code(t); code != 0 {
			t.Errorf("wxbridge %s: exit %d", p.name, code)
		}
	}
}
