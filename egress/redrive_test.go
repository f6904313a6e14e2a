package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// redrives asks for letters to be sent again, one answer.
func (w *world) redrives(request string) (redriven, events.Result) {
	w.t.Helper()
	r, _ := w.ask("redrive", request)
	var done redriven
	if len(r.Response) > 2 {
		if err := json.Unmarshal(r.Response, &done); err != nil {
			w.t.Fatal(err)
		}
	}
	return done, r
}

// one asks for one letter and wants to hear what became of it.
func (w *world) redrivesOne(sequence uint64, did string) redrivenLetter {
	w.t.Helper()
	done, r := w.redrives(fmt.Sprintf(`{"sequence":%d}`, sequence))
	if len(done.Letters) != 1 || done.Letters[0].Did != did || (r.Outcome == events.ResultDone) != (did != letterRefused) {
		w.t.Fatalf("letter %d: %+v %+v, want %s", sequence, done, r, did)
	}
	return done.Letters[0]
}

// filed waits for the letter of a command and returns its number.
func (w *world) filed(command string) uint64 {
	w.t.Helper()
	w.letter(command + ".res")
	stream, err := w.js.Stream(w.within(), "WX_DLQ")
	if err != nil {
		w.t.Fatal(err)
	}
	for sequence := uint64(1); ; sequence++ {
		m, err := stream.GetMsg(w.within(), sequence)
		if err != nil {
			w.t.Fatalf("letter of %s: %v", command, err)
		}
		l, err := events.ParseLetter("wx", events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Sequence: sequence})
		if err == nil && l.ID == command+".res.dlq" {
			return sequence
		}
	}
}

// refusing makes WeChat refuse every message from now on.
func (w *world) refusing(errcode int) {
	w.t.Helper()
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: errcode, Times: -1})
}

// A letter is sent again once, whoever asks and however often; the new command
// names the old one, and its own letter the next number.
func TestRedrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.start().ready()
	alice := w.follower("alice")
	commands := make(chan *nats.Msg, 16)
	if _, err := w.conn.ChanSubscribe("wx.cmd.*", commands); err != nil {
		t.Fatal(err)
	}
	w.refusing(45015)
	m := w.message("send_custom_message", "order", text(alice, "again"), extensions{"wxonunknown": "resend", "myown": "kept"}, events.EncodeBinary)
	m.Header["X-Mine"], m.Header["Nats-Trace-Dest"] = []string{"kept"}, []string{"trace.x"}
	w.publish(m)
	w.ends("order", events.ResultRejected)
	first := w.filed("order")
	letter, event := w.letter("order.res")
	if letter.Outcome != events.ResultRejected || letter.Attempts != 1 || event.Event.Subject() != alice {
		t.Errorf("%+v, %s", letter, event.Event)
	}
	if did := w.redrivesOne(first, letterRedriven); did.ID != "order~1" || did.Command != "order" || did.Name != "send_custom_message" {
		t.Errorf("%+v", did)
	}
	w.ends("order~1", events.ResultRejected)
	<-commands // the original
	again := <-commands
	e, _, err := events.Decode(events.Header(again.Header), again.Data)
	if err != nil || e.ID() != "order~1" || e.Extensions()["causationid"] != "order" || e.Extensions()["wxonunknown"] != "resend" ||
		e.Extensions()["myown"] != "kept" || e.Source() != "//test/shop" || again.Header.Get("X-Mine") != "kept" || again.Header.Get("Nats-Trace-Dest") != "" {
		t.Errorf("%s %v %v", e, again.Header, err)
	}
	second := w.filed("order~1")
	w.sim.ClearFaults()
	for range 3 {
		w.redrivesOne(first, letterAlready)
	}
	if did := w.redrivesOne(second, letterRedriven); did.ID != "order~2" || did.Command != "order~1" {
		t.Errorf("%+v", did)
	}
	if r, p := w.result("order~2.res"); r.Outcome != events.ResultDone || p.Event.Extensions()["causationid"] != "order~2" {
		t.Errorf("%+v", r)
	}
	w.redrivesOne(second, letterAlready)
	w.emptied()
	if calls := w.calls("send_custom_message"); calls != 3 {
		t.Errorf("%d calls", calls)
	}
	if _, r := w.redrives(`{"sequence":4711}`); r.Outcome != events.ResultRejected || r.Class != classNotFound {
		t.Errorf("%+v", r)
	}
}

// Many letters are sent again by filter, page after page; what fails again
// meanwhile is not taken along.
func TestRedriveMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	alice := w.follower("alice")
	w.refusing(45015)
	for i := range 12 {
		w.bare("send_custom_message", fmt.Sprint("m", i), text(alice, "again"))
		w.ends(fmt.Sprint("m", i), events.ResultRejected)
	}
	w.bare("get_user_info", "bad", `{}`)
	w.filed("bad")
	calls := w.calls("send_custom_message")
	done, _ := w.redrives(`{"all":true,"dry_run":true}`)
	if done.Did[letterWould] != 12 || done.Did[letterRefused] != 1 || done.Next != 0 || done.To != 13 || w.stored("WX_CMD") != 0 {
		t.Errorf("dry run: %+v", done)
	}
	for filter, n := range map[string]int{
		`"class":"user"`: 12, `"name":"get_user_info"`: 0, `"name":"send_custom_message","class":"quota"`: 0,
		`"since":"2999-01-01T00:00:00Z"`: 0, `"until":"2999-01-01T00:00:00Z"`: 12, `"all":true,"limit":5`: 5, `"all":true,"from":3,"to":4`: 2,
	} {
		if done, r := w.redrives(`{"dry_run":true,` + filter + `}`); done.Did[letterWould] != n || r.Outcome != events.ResultDone {
			t.Errorf("%s: %+v", filter, done)
		}
	}

	// Without time for more than one letter an answer: the next goes on there.
	from, to := uint64(0), uint64(0)
	var ids []string
	for pages := 0; pages == 0 || from > 0; pages++ {
		r := p.redrive(w.within(), fmt.Appendf(nil, `{"class":"user","rate":1000,"from":%d,"to":%d}`, from, to), 0)
		var done redriven
		if err := json.Unmarshal(r.Response, &done); err != nil || r.Outcome != events.ResultDone || pages > 100 {
			t.Fatalf("page %d: %+v, %v", pages, r, err)
		}
		for _, l := range done.Letters {
			if l.Did == letterRedriven {
				ids = append(ids, l.ID)
			}
		}
		from, to = done.Next, done.To
	}
	if len(ids) != 12 {
		t.Errorf("sent again: %v", ids)
	}
	for _, id := range ids {
		w.ends(id, events.ResultRejected)
	}
	if n := w.calls("send_custom_message") - calls; n != 12 {
		t.Errorf("%d calls", n)
	}
	if done, _ := w.redrives(`{"class":"user","to":13}`); done.Did[letterAlready] != 12 || done.Did[letterRedriven] != 0 {
		t.Errorf("again: %+v", done)
	}
}

// A process that is killed in the middle of a redrive of many, and whoever asks
// for all of it once more: each command comes once.
func TestRedriveIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready() // which owns the queue, and lives
	w.refusing(45015)
	const n = 200
	for i := range n {
		w.event("send_custom_message", fmt.Sprint("m", i), text(openID(fmt.Sprint("follower", i%20)), fmt.Sprint("again ", i)), nil)
	}
	w.eventually("all letters are there", func() bool { return w.stored("WX_DLQ") == n })
	before := len(w.sim.Calls())
	w.sim.ClearFaults()
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 45015, Times: -1})
	for range 3 { // three tries that end in the middle, at different places
		p := w.start().ready()
		began := w.stored("KV_WX_REDRIVE")
		go p.redrive(w.ctx, []byte(`{"all":true,"rate":1000,"to":200}`), time.Minute)
		w.eventually("some are sent again", func() bool { return w.stored("KV_WX_REDRIVE") >= min(began+20, n) })
		p.kill()
	}
	for from := uint64(1); from > 0; {
		request := fmt.Appendf(nil, `{"all":true,"rate":1000,"from":%d,"to":200}`, from)
		var answer *nats.Msg
		w.eventually("egress answers", func() (answered bool) {
			// The first may go to the one that was killed; asking again is harmless.
			var err error
			answer, err = w.conn.Request("wx.call.redrive", request, patience/4)
			return err == nil
		})
		var r struct {
			Outcome  string
			Response redriven
		}
		decodeInto(t, answer.Data, &r)
		if r.Outcome != events.ResultDone || r.Response.Did[letterRefused] > 0 {
			t.Fatalf("%s", answer.Data)
		}
		from = r.Response.Next
	}
	for i := range n {
		w.ends(fmt.Sprintf("m%d~1", i), events.ResultRejected)
	}
	w.emptied()
	times := map[string]int{}
	for _, c := range w.sim.Calls()[before:] {
		times[string(c.Body)]++
	}
	for body, calls := range times {
		if calls != 1 && !strings.Contains(body, "access_token") {
			t.Errorf("%d calls of %s", calls, body)
		}
	}
	if len(times) < n {
		t.Errorf("%d of %d came again", len(times), n)
	}
}

// The bus went away between the mark and the command: who asks again within the
// day stores it, later nobody can know.
func TestRedriveIsHalfDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age time.Duration
		did string
	}{"soon": {time.Hour, letterRedriven}, "too late": {48 * time.Hour, letterRefused}} {
		w := newWorld(t)
		w.start().ready()
		w.refusing(45015)
		w.bare("send_custom_message", "half", text(w.follower("alice"), "half"))
		sequence := w.filed("half")
		w.sim.ClearFaults()
		marks, err := bus.OpenRedriveMarks(w.within(), w.js, "wx")
		if err != nil {
			t.Fatal(err)
		}
		mark, err := marks.Load(w.within(), events.Letter{ID: "half.res.dlq", Name: "send_custom_message"})
		if err != nil || !mark.IsNew() || mark.ID != "half~1" {
			t.Fatalf("%+v, %v", mark, err)
		}
		mark.Time = time.Now().Add(-c.age)
		if err := marks.Save(w.within(), &mark); err != nil {
			t.Fatal(err)
		}
		did := w.redrivesOne(sequence, c.did)
		if c.did == letterRedriven {
			w.ends("half~1", events.ResultDone)
		} else if !strings.Contains(did.Reason, "nobody can know") {
			t.Errorf("%s: %+v", name, did)
		}
	}
}

// What nobody knows is sent again only by who says so; an expirytime that is over
// is left out, and said.
func TestRedriveUnknownAndExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultReset})
	w.bare("send_custom_message", "maybe", text(alice, "maybe"))
	w.ends("maybe", events.ResultUnknown)
	maybe := w.filed("maybe")
	if did := w.redrivesOne(maybe, letterRefused); !strings.Contains(did.Reason, "executed it already") {
		t.Errorf("%+v", did)
	}
	if done, _ := w.redrives(fmt.Sprintf(`{"sequence":%d,"unknown":true}`, maybe)); done.Did[letterRedriven] != 1 {
		t.Errorf("%+v", done)
	}
	w.ends("maybe~1", events.ResultDone)

	past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	w.event("send_custom_message", "old", text(alice, "old"), extensions{"expirytime": past})
	w.ends("old", events.ResultExpired)
	if did := w.redrivesOne(w.filed("old"), letterRedriven); len(did.Notes) != 1 || !strings.Contains(did.Notes[0], past) {
		t.Errorf("%+v", did)
	}
	w.ends("old~1", events.ResultDone)
}

// An original too large for its letter comes again whole, as long as there is a
// letter; when it is gone, the letter says so.
func TestRedriveLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.fault(wxsim.Fault{Verb: "/cgi-bin/user/info/updateremark", ErrCode: 45015})
	data := `{"method":"POST","path":"/cgi-bin/user/info/updateremark","body":{"openid":"` + w.follower("alice") + `","remark":"a","more":"` + strings.Repeat(`\"`, 200<<10) + `"}}`
	w.bare("call_api", "large", data)
	r := w.ends("large", events.ResultRejected)
	letter, _ := w.letter("large.res")
	if letter.BodyRef == "" || letter.Body != "" || letter.Class != r.Class || !strings.HasPrefix(letter.BodyRef, "nats-object://WX_LETTER/") {
		t.Fatalf("%.200s %s", letter.Body, letter.BodyRef)
	}
	sequence := w.filed("large")
	if did := w.redrivesOne(sequence, letterRedriven); did.ID != "large~1" {
		t.Errorf("%+v", did)
	}
	w.ends("large~1", events.ResultDone)
	store, err := w.js.ObjectStore(w.within(), "WX_LETTER")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(w.within(), strings.TrimPrefix(letter.BodyRef, "nats-object://WX_LETTER/")); err != nil {
		t.Fatal(err)
	}
	if err := w.js.DeleteKeyValue(w.within(), "WX_REDRIVE"); err != nil {
		t.Fatal(err)
	}
	if err := bus.Ensure(w.within(), w.js, "wx", streams); err != nil {
		t.Fatal(err)
	}
	if did := w.redrivesOne(sequence, letterRefused); !strings.Contains(did.Reason, "gone") {
		t.Errorf("%+v", did)
	}
}

// A reply that was dropped because it came late can still become a message, once;
// what can only leave in a response cannot, and no other reply either.
func TestRedriveReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(late(lateDrop)).ready()
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	sequences := func() (all []uint64) {
		for _, id := range w.letters.ids() {
			if p, _, _ := w.letters.get(id); strings.HasPrefix(id, "reply.") {
				all = append(all, metaOf(t, w.js, p))
			}
		}
		return all
	}
	id := w.says(alice, false)
	w.answers(id, "vertraulich: late")
	w.outcome(outcomes, id+".late.out")
	dropped := sequences()
	if len(dropped) != 1 {
		t.Fatalf("letters %v", w.letters.ids())
	}
	if did := w.redrivesOne(dropped[0], letterRedriven); did.ID != id+".late~1" {
		t.Errorf("%+v", did)
	}
	w.ends(id+".late~1", events.ResultDone)
	w.redrivesOne(dropped[0], letterAlready)
	if calls := w.calls("send_custom_message"); calls != 1 {
		t.Errorf("%d messages", calls)
	}
	for body, reason := range map[string]string{
		`{"msgtype":"transfer_customer_service"}`: "can only leave in the response",
		`{"msgtype":"txt"}`:                       "invalid reply",
	} {
		id, before := w.says(alice, false), len(sequences())
		w.answers(id, body)
		w.eventually("the reply is filed", func() bool { return len(sequences()) > before })
		all := sequences()
		newest := all[0]
		for _, s := range all {
			newest = max(newest, s)
		}
		if did := w.redrivesOne(newest, letterRefused); !strings.Contains(did.Reason, reason) {
			t.Errorf("%s: %+v", body, did)
		}
	}
}

// metaOf is the number of a letter in the stream.
func metaOf(t *testing.T, js jetstream.JetStream, p published) uint64 {
	t.Helper()
	stream, err := js.Stream(t.Context(), "WX_DLQ")
	if err != nil {
		t.Fatal(err)
	}
	for sequence := uint64(1); ; sequence++ {
		m, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Data), `"id":"`+p.Event.ID()+`"`) {
			return sequence
		}
	}
}

// A reply too large for its letter stops no late worker.
func TestLargeReplyIsFiled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(late(lateCustom)).ready()
	id := w.says(w.follower("alice"), false)
	body := strings.Repeat("\xff", 1_000_000)
	sequence := w.answers(id, body)
	w.eventually("the reply is filed", func() bool { return w.stored("WX_DLQ") == 1 })
	letter := w.letters.wait(w.within(), fmt.Sprint("reply.", sequence))
	var l events.DeadLetter
	decodeInto(t, letter.Event.Data(), &l)
	if _, original, err := (bus.App{JetStream: w.js}).Original(w.within(), l); err != nil || string(original) != body || l.BodyRef == "" {
		t.Errorf("%s, %d bytes, %v", l.BodyRef, len(original), err)
	}
	w.eventually("no trouble", func() bool { return len(p.Reasons()) == 0 })
}

// What cannot be meant is refused, and nothing is sent.
func TestRedriveRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	for data, says := range map[string]string{
		`{}`: "say which", ``: "EOF", `null`: "say which", `{"klass":"user"}`: "klass", `{"sequence":1,"class":"x"}`: "one letter",
		`{"all":true,"rate":1001}`: "rate", `{"all":true,"rate":-1}`: "rate", `{"all":true,"limit":-1}`: "limit",
		`{"name":"*"}`: "name", `{"since":"yesterday"}`: "yesterday", `{"all":true} {}`: "behind",
	} {
		if _, r := w.redrives(data); r.Outcome != events.ResultRejected || !strings.Contains(r.ErrMsg, says) {
			t.Errorf("%s: %+v", data, r)
		}
	}
	for _, body := range []string{`{"specversion":"1.0","id":"y","source":"s","type":"t","data":"text"}`, `{"specversion":"1.0","id":"x","source":"s","type":"t","data":{"class":"c"}}`} {
		w.publish(&nats.Msg{Subject: "wx.dlq.stranger", Data: []byte(body), Header: nats.Header{"Nats-Msg-Id": {body}}})
	}
	done, r := w.redrives(`{"all":true}`)
	if done.Did[letterRefused] != 2 || r.Outcome != events.ResultDone {
		t.Errorf("%+v", done)
	}
}
