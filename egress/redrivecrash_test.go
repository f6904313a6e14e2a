package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

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
			Response events.Redriven
		}
		decodeInto(t, answer.Data, &r)
		if r.Outcome != events.ResultDone || r.Response.Did[events.LetterRefused] > 0 {
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
	}{"soon": {time.Hour, events.LetterRedriven}, "too late": {48 * time.Hour, events.LetterRefused}} {
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
		if c.did == events.LetterRedriven {
			w.ends("half~1", events.ResultDone)
		} else if !strings.Contains(did.Reason, "nobody can know") {
			t.Errorf("%s: %+v", name, did)
		}
	}
}
