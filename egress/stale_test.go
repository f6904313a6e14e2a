package egress

import (
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// A process lost the queue while it was sending, as one does that was stopped
// for too long. Its heir says that nobody can know, and sends what comes next.
// When the former owner hears from WeChat after all it adds nothing.
func TestStaleOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale := w.start().ready()
	anna := w.follower("anna")
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultSlow, DelayMS: 1})
	w.event("send_custom_message", "slow", text(anna, "0."), nil)
	w.event("send_custom_message", "next", text(anna, "1."), nil)
	w.arrived("send_custom_message", 1)
	heir := w.start().ready()
	// As if it had not beaten for three seconds: another has written its name.
	if _, err := w.state().PutString(w.within(), queue.LeaseKey, `{"process":"`+heir.process+`","epoch":100}`); err != nil {
		t.Fatal(err)
	}
	if r := w.ends("slow", events.ResultUnknown); r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	w.ends("next", events.ResultDone)
	w.emptied()
	close(w.gate) // WeChat answers now
	stale.stop()
	if r, _ := w.result("slow.res"); r.Outcome != events.ResultUnknown {
		t.Errorf("%+v", r)
	}
	if n := w.stored("WX_RESULT"); n != 2 {
		t.Errorf("%d results", n)
	}
	if got := w.arrivalsOf(anna); len(got) != 2 || got[0] != 0 || got[1] != 1 {
		t.Errorf("anna got %v", got)
	}
}

// A former owner that was frozen before it could claim a command finds its heir's
// claim when it goes on: what is being sent is the heir's, who lives.
func TestStaleOwnerFindsItsHeirsClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale := w.start().ready()
	data := text(w.follower("anna"), "x")
	m := queue.Message{
		Subject: "wx.cmd.send_custom_message", Header: map[string][]string{"Nats-Msg-Id": {"frozen"}},
		Body: []byte(data), Sequence: 1 << 40, Time: time.Now(), Origin: "WX_CMD-1",
	}
	claims := w.claims()
	claim := queue.Claim{
		State: queue.Sending, Sequence: m.Sequence, Owner: "heir", Epoch: 999,
		Verb: "send_custom_message", Hash: dataHash([]byte(data)), FirstSent: time.Now(),
	}
	if err := claims.Save(w.within(), "frozen", &claim); err != nil {
		t.Fatal(err)
	}
	for epoch, held := range map[uint64]bool{1: true, 1000: false} {
		turn := queue.Turn{Epoch: epoch, Began: time.Now().Add(-time.Minute), Held: func() bool { return held }}
		if v := stale.read(m).Work(w.within(), turn); v.Done() {
			t.Errorf("epoch %d: the command is finished", epoch)
		}
	}
	claim.State, claim.Result = queue.Done, resultOf(t, "frozen", events.Result{Outcome: events.ResultDone})
	if err := claims.Save(w.within(), "frozen", &claim); err != nil {
		t.Errorf("the heir, which has sent it, cannot say so: %v", err)
	}
}

// While NATS is away nothing is sent, of what was read before either.
func TestNothingIsSentWithoutNATS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	w.bare("get_groups", "before", `{}`)
	w.ends("before", events.ResultDone)
	p.queue.Shut("get_user_info", time.Now().Add(time.Hour))
	anna := w.follower("anna")
	for range 20 {
		w.bare("get_user_info", "", userInfo(anna))
	}
	w.bare("get_groups", "read", `{}`)
	w.ends("read", events.ResultDone) // so all before it were read
	w.nats.Stop()
	p.queue.Open("get_user_info")
	w.eventually("not ready", func() bool { return len(p.Reasons()) > 0 })
	if n := w.calls("get_user_info"); n != 0 {
		t.Errorf("%d calls without NATS", n)
	}
	w.nats.Start()
	w.emptied()
	if n := w.calls("get_user_info"); n != 20 {
		t.Errorf("%d calls", n)
	}
}
