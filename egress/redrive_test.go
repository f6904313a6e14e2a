package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// redrives asks for letters to be sent again, one answer.
func (w *world) redrives(request string) (events.Redriven, events.Result) {
	w.t.Helper()
	r, _ := w.ask("redrive", request)
	var done events.Redriven
	if len(r.Response) > 2 {
		if err := json.Unmarshal(r.Response, &done); err != nil {
			w.t.Fatal(err)
		}
	}
	return done, r
}

// one asks for one letter and wants to hear what became of it.
func (w *world) redrivesOne(sequence uint64, did string) events.RedrivenLetter {
	w.t.Helper()
	done, r := w.redrives(fmt.Sprintf(`{"sequence":%d}`, sequence))
	if len(done.Letters) != 1 || done.Letters[0].Did != did || (r.Outcome == events.ResultDone) != (did != events.LetterRefused) {
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
	if did := w.redrivesOne(first, events.LetterRedriven); did.ID != "order~1" || did.Command != "order" || did.Name != "send_custom_message" {
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
		w.redrivesOne(first, events.LetterAlready)
	}
	if did := w.redrivesOne(second, events.LetterRedriven); did.ID != "order~2" || did.Command != "order~1" {
		t.Errorf("%+v", did)
	}
	if r, p := w.result("order~2.res"); r.Outcome != events.ResultDone || p.Event.Extensions()["causationid"] != "order~2" {
		t.Errorf("%+v", r)
	}
	w.redrivesOne(second, events.LetterAlready)
	w.emptied()
	if calls := w.calls("send_custom_message"); calls != 3 {
		t.Errorf("%d calls", calls)
	}
	if _, r := w.redrives(`{"sequence":4711}`); r.Outcome != events.ResultRejected || r.Class != classNotFound {
		t.Errorf("%+v", r)
	}
}

// An id of somebody's own may look like that of a redrive. Its letter becomes no
// other command of theirs, and a letter whose redrive would have such an id is refused.
func TestRedriveOfLikelyIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	alice := w.follower("alice")
	w.bare("send_custom_message", "order~6", text(alice, "the same"))
	w.ends("order~6", events.ResultDone)
	w.refusing(45015)
	w.bare("send_custom_message", "order~5", text(alice, "the same"))
	w.bare("send_custom_message", "bill", text(alice, "bill"))
	w.bare("send_custom_message", "bill~1", text(alice, "bill"))
	for _, id := range []string{"order~5", "bill", "bill~1"} {
		w.ends(id, events.ResultRejected)
	}
	w.sim.ClearFaults()
	calls := w.calls("send_custom_message")
	if did := w.redrivesOne(w.filed("order~5"), events.LetterRedriven); did.ID != "order~5~1" {
		t.Errorf("%+v", did)
	}
	w.ends("order~5~1", events.ResultDone)
	if did := w.redrivesOne(w.filed("bill"), events.LetterRefused); !strings.Contains(did.Reason, "bill~1, is that of another command") {
		t.Errorf("%+v", did)
	}
	if did := w.redrivesOne(w.filed("bill~1"), events.LetterRedriven); did.ID != "bill~1~1" {
		t.Errorf("%+v", did)
	}
	w.ends("bill~1~1", events.ResultDone)
	if n := w.calls("send_custom_message") - calls; n != 2 {
		t.Errorf("%d calls", n)
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
	if done.Did[events.LetterWouldBe] != 12 || done.Did[events.LetterRefused] != 1 || done.Next != 0 || done.To != 13 || w.stored("WX_CMD") != 0 {
		t.Errorf("dry run: %+v", done)
	}
	for filter, n := range map[string]int{
		`"class":"user"`: 12, `"name":"get_user_info"`: 0, `"name":"send_custom_message","class":"quota"`: 0,
		`"since":"2999-01-01T00:00:00Z"`: 0, `"until":"2999-01-01T00:00:00Z"`: 12, `"all":true,"limit":5`: 5, `"all":true,"from":3,"to":4`: 2,
	} {
		if done, r := w.redrives(`{"dry_run":true,` + filter + `}`); done.Did[events.LetterWouldBe] != n || r.Outcome != events.ResultDone {
			t.Errorf("%s: %+v", filter, done)
		}
	}

	// Without time for more than one letter an answer: the next goes on there.
	from, to := uint64(0), uint64(0)
	var ids []string
	for pages := 0; pages == 0 || from > 0; pages++ {
		r := p.redrive(w.within(), fmt.Appendf(nil, `{"class":"user","rate":1000,"from":%d,"to":%d}`, from, to), 0)
		var done events.Redriven
		if err := json.Unmarshal(r.Response, &done); err != nil || r.Outcome != events.ResultDone || pages > 100 {
			t.Fatalf("page %d: %+v, %v", pages, r, err)
		}
		for _, l := range done.Letters {
			if l.Did == events.LetterRedriven {
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
	if done, _ := w.redrives(`{"class":"user","to":13}`); done.Did[events.LetterAlready] != 12 || done.Did[events.LetterRedriven] != 0 {
		t.Errorf("again: %+v", done)
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
	if did := w.redrivesOne(maybe, events.LetterRefused); !strings.Contains(did.Reason, "executed it already") {
		t.Errorf("%+v", did)
	}
	if done, _ := w.redrives(fmt.Sprintf(`{"sequence":%d,"unknown":true}`, maybe)); done.Did[events.LetterRedriven] != 1 {
		t.Errorf("%+v", done)
	}
	w.ends("maybe~1", events.ResultDone)

	past := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	w.event("send_custom_message", "old", text(alice, "old"), extensions{"expirytime": past})
	w.ends("old", events.ResultExpired)
	if did := w.redrivesOne(w.filed("old"), events.LetterRedriven); len(did.Notes) != 1 || !strings.Contains(did.Notes[0], past) {
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
	if did := w.redrivesOne(sequence, events.LetterRedriven); did.ID != "large~1" {
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
	if did := w.redrivesOne(sequence, events.LetterRefused); !strings.Contains(did.Reason, "gone") {
		t.Errorf("%+v", did)
	}
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
	if done.Did[events.LetterRefused] != 2 || r.Outcome != events.ResultDone {
		t.Errorf("%+v", done)
	}
}
