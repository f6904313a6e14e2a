package egress

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// counting makes the pretend WeChat count as WeChat does.
func counting(c *wxsim.Config) { c.MessageWindow = wxsim.Window{} }

// does has a follower do something, as WeChat and as the bus learn of it.
func (w *world) does(openID, kind, data string) {
	w.t.Helper()
	if _, err := w.sim.Push(w.within(), openID, json.RawMessage(data)); err != nil {
		w.t.Fatal(err)
	}
	w.publish(inbound(w.t, openID, kind, data))
}

var inboundIDs atomic.Int64

func inbound(t testing.TB, openID, kind, data string) *nats.Msg {
	t.Helper()
	e, err := events.NewInbound("wx", testApp, &callback.Message{FromUserName: openID, Kind: kind, CreateTime: time.Now()}, time.Time{}, events.Trace{})
	if err != nil {
		t.Fatal(err)
	}
	e.SetID(fmt.Sprint("in-", inboundIDs.Add(1)))
	if err := e.SetData("application/json", json.RawMessage(data)); err != nil {
		t.Fatal(err)
	}
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	return &nats.Msg{Subject: "wx.inbound." + kind, Header: nats.Header(header), Data: body}
}

// quotaOf asks for a follower's.
func (w *world) quotaOf(openID string) (q events.Quota) {
	w.t.Helper()
	r, _ := w.ask(events.CallGetQuota, userInfo(openID))
	if r.Outcome != events.ResultDone {
		w.t.Fatalf("%+v", r)
	}
	decodeInto(w.t, r.Response, &q)
	return q
}

// agrees waits until the ledger says of a follower what the pretend WeChat does.
func (w *world) agrees(openID string) events.Quota {
	w.t.Helper()
	var q events.Quota
	w.eventually("the ledger agrees with WeChat about "+openID, func() bool {
		q = w.quotaOf(openID)
		var theirs map[string]wxsim.Allowance
		for _, f := range w.sim.Followers() {
			if f.OpenID == openID {
				theirs = f.Windows
			}
		}
		if len(q.Windows) != len(theirs) {
			return false
		}
		for _, open := range q.Windows {
			r, there := theirs[open.After]
			if apart := r.Until.Sub(open.Until).Abs(); !there || r.Left != open.Left || apart > patience {
				return false
			}
		}
		return true
	})
	return q
}

// left is what is left of a window of 48 hours, -1 without one. (Those of a minute
// may be over by the time that a slow machine asks.)
func left(q events.Quota, after string) int {
	for _, w := range q.Windows {
		if w.After == after {
			return w.Left
		}
	}
	return -1
}

const (
	says     = `{"MsgType":"text","Content":"hi"}`
	taps     = `{"MsgType":"event","Event":"CLICK","EventKey":"k"}`
	tapsItem = `{"MsgType":"text","Content":"yes","bizmsgmenuid":"101"}`
	follows  = `{"MsgType":"event","Event":"subscribe","EventKey":""}`
	scans    = `{"MsgType":"event","Event":"SCAN","EventKey":"7","Ticket":"t"}`
	leaves   = `{"MsgType":"event","Event":"unsubscribe","EventKey":""}`
)

// The ledger knows before sending what the follower's windows still allow: the
// same in every process, after a restart, whether a message was a command or a
// call; and it refuses nothing.
func TestLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, counting)
	w.start().ready()
	anna, bert := openID("anna"), openID("bert")
	n := 0
	send := func(to string) {
		n++
		w.event("send_custom_message", fmt.Sprint("m", n), text(to, "x"), nil)
		w.result(fmt.Sprintf("m%d.res", n))
	}
	if q := w.quotaOf(anna); *q.Left != 0 || len(q.Windows) != 0 {
		t.Errorf("%+v", q)
	}
	w.does(anna, "event_subscribe", follows)
	w.does(anna, "text", says)
	w.agrees(anna)
	for range 4 { // three after the follow, the fourth after the message
		send(anna)
		w.agrees(anna)
	}
	w.does(anna, "event_click", taps)
	w.does(anna, "event_scan", scans)
	w.agrees(anna)
	if r, _ := w.ask("send_custom_message", text(anna, "called")); r.Outcome != events.ResultDone {
		t.Fatalf("%+v", r)
	}
	before := w.agrees(anna)

	w.start().ready() // whoever answers says the same, and so does who comes later
	for range 8 {
		if q := w.quotaOf(anna); left(q, "message") != left(before, "message") || left(before, "message") < 0 {
			t.Errorf("%+v, not %+v", q, before)
		}
	}
	w.does(bert, "text", says)
	for range 5 {
		send(bert)
	}
	if q := w.agrees(bert); *q.Left != 0 || len(q.Windows) != 1 {
		t.Errorf("%+v", q)
	}
	send(bert) // nothing keeps it from being tried
	if r := w.ends(fmt.Sprint("m", n), events.ResultRejected); r.ErrCode != 45047 || r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	w.does(bert, "text", tapsItem)
	w.agrees(bert)
	w.does(bert, "event_unsubscribe", leaves)
	if q := w.agrees(bert); *q.Left != 0 || len(q.Windows) != 0 {
		t.Errorf("%+v", q)
	}
}

// WeChat knows better: what a person has sent on the console shows when it
// refuses, and a new message of the follower's counts anew.
func TestLedgerLearnsFromRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, counting)
	w.start().ready()
	anna := openID("anna")
	for code, open := range map[int]int{45047: 1, 45015: 0} {
		w.does(anna, "text", says)
		w.agrees(anna)
		w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: code})
		id := fmt.Sprint("no", code)
		w.event("send_custom_message", id, text(anna, "x"), nil)
		if r := w.ends(id, events.ResultRejected); r.ErrCode != code {
			t.Fatalf("%+v", r)
		}
		w.eventually("the ledger has heard it", func() bool {
			q := w.quotaOf(anna)
			return *q.Left == 0 && len(q.Windows) == open
		})
	}
	w.does(anna, "text", says)
	w.agrees(anna)
}

// What rests and what is limited is told too; a verb that there is not is no verb.
func TestGetQuotaOfVerbs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) {
		e.decide, e.rates = decide, newRates([]string{"get_groups=20/s", "*=100/s", "create_tag=1/m"})
	}).ready()
	ask := func(data string) (q events.Quota) {
		t.Helper()
		r, _ := w.ask(events.CallGetQuota, data)
		decodeInto(t, r.Response, &q)
		return q
	}
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 45009, Times: -1})
	w.bare("get_groups", "waits", `{}`)
	w.pause("pause.api.get_groups")
	q := ask(`{"verb":"get_groups"}`)
	if q.CGIPath != "/cgi-bin/groups/get" || len(q.Rates) != 2 || q.Rates["get_groups"] != "20/s" || q.Rates["*"] != "100/s" ||
		len(q.Pauses) != 1 || q.Pauses[0].ErrCode != 45009 || q.Left != nil {
		t.Errorf("%+v", q)
	}
	if q := ask(`{"verb":"get_user_info"}`); len(q.Pauses) != 0 || len(q.Rates) != 1 {
		t.Errorf("%+v", q)
	}
	if q := ask(``); len(q.Pauses) != 1 || len(q.Rates) != 3 {
		t.Errorf("%+v", q)
	}
	for _, bad := range []string{`{"verb":"get_group"}`, `{"verb":"get_groups/x"}`, `[]`, `{"openid":7}`} {
		if r, _ := w.ask(events.CallGetQuota, bad); r.Outcome != events.ResultRejected {
			t.Errorf("%s: %+v", bad, r)
		}
	}
	w.sim.ClearFaults()
	w.ask("clear_quota", `{}`)
	w.ends("waits", events.ResultDone)
}

// A quota that was cleared while a command was under way is not paused by its answer.
func TestClearedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	for _, path := range []string{"", "/cgi-bin/groups/get"} {
		sent := time.Now()
		pause := Pause{API: "get_groups", Class: wxapi.ClassQuota, ErrCode: 45009, Reason: path, Since: sent, Until: sent.Add(time.Hour)}
		p.pauses.endQuota(w.within(), path)
		p.pauses.begin(w.within(), pause, sent)
		if len(p.pauses.of("get_groups")) != 0 {
			t.Errorf("%q: it was cleared after that was sent", path)
		}
		p.pauses.begin(w.within(), pause, time.Now())
		if len(p.pauses.of("get_groups")) != 1 {
			t.Errorf("%q: there is no pause", path)
		}
		p.pauses.endQuota(w.within(), path)
	}
}

// BenchmarkLedger is what the ledger costs: the reading of an event, and memory
// for each follower who said something twice in 48 hours and was answered twice.
func BenchmarkLedger(b *testing.B) {
	l := newLedger(&bus.Bus{Prefix: "wx"}, slog.New(slog.DiscardHandler))
	m := inbound(b, openID("x"), "text", says)
	result, err := events.NewResult(testApp, events.Command{ID: "1", Verb: customMessage, PartitionKey: openID("x")}, "1.res", time.Now(), events.Result{Outcome: events.ResultDone})
	if err != nil {
		b.Fatal(err)
	}
	header, body, err := events.EncodeStructured(result)
	if err != nil {
		b.Fatal(err)
	}
	in := events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Time: time.Now()}
	out := events.Message{Subject: "wx.result." + customMessage, Header: header, Body: body, Time: time.Now()}
	reads := 0
	for b.Loop() {
		l.read("", in)
		l.read("", out)
		reads += 2
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(reads), "ns/event")
	const followers = 200_000
	l.followers = map[[16]byte][]stamp{}
	now := time.Now()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range followers {
		key := ledgerKey(fmt.Sprint("o", i))
		for n, d := range []deed{deedMessage, deedSent, deedMessage, deedSent} {
			l.followers[key] = note(l.followers[key], stampOf(d, now.Add(time.Duration(n)*time.Hour)))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/followers, "B/follower")
	runtime.KeepAlive(l)
}
