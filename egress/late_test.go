package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// late gives an egress a late worker that takes a holder for dead very soon.
func late(mode string) func(*Egress) {
	return func(e *Egress) {
		e.late = NewLate(Config{Late: mode}, testApp, streams.ReplyWindow, e.bus, e.observe, e.logger)
		e.late.ripe = 300 * time.Millisecond
	}
}

// put publishes an event as the bridge does.
func (w *world) put(branch events.Branch, name string, e cloudevents.Event, id string) uint64 {
	w.t.Helper()
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		w.t.Fatal(err)
	}
	m := &nats.Msg{Subject: events.Prefix("wx").Subject(branch, name), Header: nats.Header(header), Data: body}
	if id != "" {
		m.Header.Set(nats.MsgIdHdr, id)
	}
	return w.publish(m)
}

// says stores a follower's message, held or not, and returns its id.
func (w *world) says(openID string, held bool) (id string) {
	w.t.Helper()
	var deadline time.Time
	if held {
		deadline = time.Now().Add(4500 * time.Millisecond)
	}
	message, err := callback.Parse(fmt.Appendf(nil, "<xml><ToUserName>gh_1</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType>text</MsgType><Content>hi</Content><MsgId>%d</MsgId></xml>", openID, time.Now().Unix(), time.Now().UnixNano()))
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := events.NewInbound("wx", testApp, message, deadline, events.Trace{})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(events.Inbound, "text", e, testApp+"."+e.ID())
	return e.ID()
}

// ended stores the outcome of a hold.
func (w *world) ended(id, outcome string, sequence uint64) {
	w.t.Helper()
	e, err := events.NewOutcome(testApp, "text", id, "", "", time.Now(), events.Outcome{Outcome: outcome, Try: 1, Sequence: sequence})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(events.Outcomes, "text", e, events.OutcomeMsgID(testApp, id, false))
}

// answers puts a reply into the log of an event.
func (w *world) answers(id, body string) uint64 {
	w.t.Helper()
	return w.publish(&nats.Msg{Subject: "wx.reply." + id, Data: []byte(body)})
}

// outcome waits for an outcome event and reads it.
func (w *world) outcome(shelf *shelf, id string) (events.Outcome, published) {
	w.t.Helper()
	p := shelf.wait(w.within(), id)
	header, body, err := events.EncodeStructured(p.Event)
	if err != nil {
		w.t.Fatal(err)
	}
	o, err := events.ParseOutcome(header, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return o, p
}

// Three replicas, one reply after the hold: one command, one message, one result,
// and an outcome that names the reply.
func TestLateReplyIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	for range 3 {
		w.start(late(lateCustom)).ready()
	}
	for _, c := range []struct {
		name string
		held bool
	}{{"after a hold", true}, {"to an event that was never held", false}} {
		id := w.says(alice, c.held)
		if c.held {
			w.ended(id, events.OutcomeUnanswered, 1)
		}
		before := w.calls("send_custom_message")
		sequence := w.answers(id, "late "+id)
		w.ends(events.LateID(id), events.ResultDone)
		o, p := w.outcome(outcomes, id+".late.out")
		if o.Outcome != events.OutcomeLateSent || o.Sequence != sequence || o.Event != id || p.Subject != "wx.outcome.text" || p.Event.Subject() != alice {
			t.Errorf("%s: %+v, %v", c.name, o, p)
		}
		if calls := w.calls("send_custom_message") - before; calls != 1 {
			t.Errorf("%s: %d messages", c.name, calls)
		}
	}
}

// A holder that died: the event gets its outcome, and its reply is sent.
func TestHolderDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	for range 2 {
		w.start(late(lateCustom)).ready()
	}
	silent, answered, released := w.says(alice, true), w.says(alice, true), w.says(alice, true)
	w.answers(answered, "in time")
	w.answers(released, `{"msgtype":"release"}`)
	for id, want := range map[string]string{
		silent: events.OutcomeUnanswered, answered: events.OutcomeUnanswered, released: events.OutcomeReleased,
	} {
		if o, _ := w.outcome(outcomes, id+".out"); o.Outcome != want || o.Try != 0 || o.Sequence == 0 {
			t.Errorf("%+v, want %s", o, want)
		}
	}
	w.ends(events.LateID(answered), events.ResultDone)
	w.outcome(outcomes, answered+".late.out")
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d messages", n)
	}
	if ids := outcomes.ids(); len(ids) != 4 {
		t.Errorf("outcomes %v", ids)
	}
}

// What WeChat says to a late reply is the result of its command, and visible.
func TestLateReplyIsRefused(t *testing.T) {
	t.Parallel()
	for _, code := range []int{45015, 45047, 48001} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
			w.start(late(lateCustom)).ready()
			w.fault(wxsim.Fault{Kind: wxsim.FaultErrCode, Verb: "send_custom_message", ErrCode: code, Times: 1})
			id := w.says(alice, false)
			w.answers(id, "late")
			if r := w.ends(events.LateID(id), events.ResultRejected); r.ErrCode != code {
				t.Errorf("%+v", r)
			}
			if o, _ := w.outcome(outcomes, id+".late.out"); o.Outcome != events.OutcomeLateSent {
				t.Errorf("%+v", o)
			}
		})
	}
}

// Replies that nobody sends: each is a dead letter with its class, once, however
// many replicas see it.
func TestRepliesThatCountForNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	for range 2 {
		w.start(late(lateDrop)).ready()
	}
	id := w.says(alice, true)
	answer := w.answers(id, "the answer")
	w.ended(id, events.OutcomeReplied, answer)
	late := w.says(alice, false)
	handed := w.says(alice, false)
	want := map[uint64]struct{ class, subject, correlation string }{
		w.answers(id, "another answer"):                                 {events.ClassReplyUsed, "wx.dlq.text", id},
		w.answers(id, `{"msgtype":"hologram"}`):                         {events.ClassReplyInvalid, "wx.dlq.text", id},
		w.answers(id, strings.Repeat("长", 700)):                         {events.ClassReplyInvalid, "wx.dlq.text", id},
		w.answers(id, "\xff\xfe"):                                       {events.ClassReplyInvalid, "wx.dlq.text", id},
		w.answers(late, "late"):                                         {events.ClassLateDropped, "wx.dlq.text", late},
		w.answers(handed, `{"msgtype":"transfer_customer_service"}`):    {events.ClassLateDropped, "wx.dlq.text", handed},
		w.answers("12345-nobody", "to an event of another life"):        {events.ClassReplyUnknown, "wx.dlq.reply", "12345-nobody"},
		w.answers("12345-nobody", `{"msgtype":"text","text":"a text"}`): {events.ClassReplyInvalid, "wx.dlq.reply", "12345-nobody"},
	}
	for sequence, c := range want {
		p := w.letters.wait(w.within(), fmt.Sprintf("reply.%d", sequence))
		var letter events.DeadLetter
		decodeInto(t, p.Event.Data(), &letter)
		if letter.Class != c.class || letter.Reason == "" || p.Subject != c.subject || p.Event.Extensions()["correlationid"] != c.correlation {
			t.Errorf("message %d: %s on %s of %v: %s", sequence, letter.Class, p.Subject, p.Event.Extensions()["correlationid"], letter.Reason)
		}
		if len(letter.Body)+len(letter.BodyBase64) == 0 || letter.Subject == "" {
			t.Errorf("message %d: the original is lost: %+v", sequence, letter)
		}
	}
	for _, id := range []string{late, handed} {
		if o, _ := w.outcome(outcomes, id+".late.out"); o.Outcome != events.OutcomeLateDropped || o.Reason == "" {
			t.Errorf("%+v", o)
		}
	}
	if n := w.stored("WX_DLQ"); n != len(want) {
		t.Errorf("%d dead letters, want %d: %v", n, len(want), w.letters.ids())
	}
	if n := w.calls("send_custom_message"); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}

// Everything stops and begins again: what was done is not done twice, what came
// meanwhile is done.
func TestLateWorkerBeginsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	p := w.start(late(lateCustom)).ready()
	done := w.says(alice, false)
	w.answers(done, "done")
	w.answers(done, "and used up")
	w.ends(events.LateID(done), events.ResultDone)
	w.outcome(outcomes, done+".late.out")
	w.eventually("the second reply is kept", func() bool { return w.stored("WX_DLQ") == 1 })
	p.kill()

	meanwhile := w.says(alice, false)
	w.answers(meanwhile, "meanwhile")
	dead := w.says(alice, true)
	w.nats.Stop()
	w.nats.Start()
	w.eventually("the test is connected", w.conn.IsConnected)

	w.start(late(lateCustom)).ready()
	w.ends(events.LateID(meanwhile), events.ResultDone)
	w.outcome(outcomes, dead+".out")
	if n := w.calls("send_custom_message"); n != 2 {
		t.Errorf("%d messages", n)
	}
	if n := w.stored("WX_DLQ"); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// NATS restarts under running replicas: late replies go on, and readiness says so
// meanwhile.
func TestLateWorkerOverANATSRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	p := w.start(late(lateCustom)).ready()
	before := w.says(alice, false)
	w.nats.Stop()
	w.eventually("not ready", func() bool { return len(p.Reasons()) > 0 })
	w.nats.Start()
	w.eventually("the test is connected", w.conn.IsConnected)
	w.answers(before, "late")
	p.ready()
	w.ends(events.LateID(before), events.ResultDone)
}

// What a custom message cannot carry is cut, and the outcome says so.
func TestLateNewsAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	w.start(late(lateCustom)).ready()
	id := w.says(alice, false)
	w.answers(id, `{"msgtype":"news","news":{"articles":[{"title":"a","url":"https://a.example"},{"title":"b","url":"https://b.example"}]}}`)
	w.ends(events.LateID(id), events.ResultDone)
	if o, _ := w.outcome(outcomes, id+".late.out"); !strings.Contains(o.Cut, "1 of 2") {
		t.Errorf("%+v", o)
	}
}

var _ LateBus = (*bus.Bus)(nil)
