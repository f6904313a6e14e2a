package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// steps publishes n commands of alternating verbs for each follower, numbered
// in each one's order, and returns their ids.
func (w *world) steps(n int, followers ...string) (ids []string) {
	w.t.Helper()
	for i := range n {
		for _, to := range followers {
			id := fmt.Sprintf("%s-%03d", to[13:17], i)
			ids = append(ids, id)
			if i%3 == 2 {
				w.event("get_user_info", id, fmt.Sprintf(`{"openid":%q,"step":%d}`, to, i), nil)
				continue
			}
			w.event("send_custom_message", id, fmt.Sprintf(`{"touser":%q,"msgtype":"text","text":{"content":"vertraulich: %d."}}`, to, i), nil)
		}
	}
	return ids
}

// seen is the steps that WeChat has got for a follower, in its order; those it
// refused are not among them.
func (w *world) seen(of string) (steps []int) {
	w.t.Helper()
	for _, c := range w.sim.Calls() {
		var step int
		text := string(c.Body) + c.Query.Get("openid")
		if c.ErrCode != 0 || !strings.Contains(text, of) {
			continue
		}
		if _, says, ok := strings.Cut(text, "vertraulich: "); ok {
			if _, err := fmt.Sscanf(says, "%d.", &step); err != nil {
				w.t.Fatal(err)
			}
		} else if _, err := fmt.Sscanf(c.Query.Get("step"), "%d", &step); err != nil {
			continue // the follower's own message in the beginning
		}
		steps = append(steps, step)
	}
	return steps
}

// Commands of one follower are executed in the order stored, over all verbs,
// while WeChat is busy now and then and the process is stopped and killed.
func TestOrderOfOneFollower(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	followers := []string{w.follower("anna"), w.follower("bert"), w.follower("carl")}
	ids := w.steps(40, followers...)
	for range 6 {
		w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: -1, Times: 2})
		w.fault(wxsim.Fault{Verb: "get_user_info", ErrCode: -1})
	}
	first := w.start(func(e *Egress) { e.grace = 0 })
	heir := w.start()
	first.busyOrIdle(20, len(ids))
	first.kill()
	heir.busyOrIdle(20, len(ids))
	heir.stop()
	w.start()
	for _, id := range ids {
		if r, _ := w.result(id + ".res"); r.Outcome != events.ResultDone && r.Outcome != events.ResultUnknown {
			t.Errorf("%s: %+v", id, r)
		}
	}
	w.emptied()
	for _, follower := range followers {
		if steps := w.seen(follower); !slices.IsSorted(steps) || len(steps) < 35 {
			t.Errorf("%s got %v", follower, steps)
		}
	}
}

// The partition key orders also what has no OpenID in its data, and comes before
// the one that is there.
func TestOrderByPartitionKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault(wxsim.Fault{Verb: "create_group", ErrCode: -1, Times: 3})
	w.event("create_group", "first", `{"group":{"name":"first"}}`, extensions{"partitionkey": "key"})
	w.event("get_groups", "second", `{}`, extensions{"partitionkey": "key"})
	w.event("get_user_info", "third", userInfo(w.follower("anna")), extensions{"partitionkey": "key"})
	w.start()
	w.ends("third", events.ResultDone)
	var verbs []string
	for _, c := range w.sim.Calls() {
		if c.Verb != events.CallGetAccessToken {
			verbs = append(verbs, c.Verb)
		}
	}
	if want := []string{"create_group", "create_group", "create_group", "create_group", "get_groups", "get_user_info"}; !slices.Equal(verbs, want) {
		t.Errorf("calls %v", verbs)
	}
}

// Rows 36 and 51: a day's quota of one API is used up. Its commands wait, in
// order and without asking WeChat again, also in the next owner's hands; other
// verbs pass, of the same follower too. The pause stands where people read it,
// and clear_quota ends it, whoever calls it.
func TestQuotaOfOneAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	patient := func(e *Egress) { e.decide = decide }
	p := w.start(patient).ready()
	anna := w.follower("anna")
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 45009, Times: -1})
	w.event("send_custom_message", "m0", text(anna, "0."), nil)
	pause := w.pause("pause.api.send_custom_message")
	if pause.API != "send_custom_message" || pause.ErrCode != 45009 || !strings.Contains(pause.Reason, "clear_quota") || pause.Until.Before(time.Now()) {
		t.Errorf("%+v", pause)
	}
	for i := range 50 {
		w.event("send_custom_message", fmt.Sprintf("m%d", i+1), text(anna, fmt.Sprintf("%d.", i+1)), nil)
		w.event("send_custom_message", fmt.Sprintf("b%d", i), text(w.follower(fmt.Sprint("b", i)), "x"), nil)
	}
	w.event("get_user_info", "passes", userInfo(anna), nil)
	w.ends("passes", events.ResultDone)
	if len(p.Reasons()) != 0 {
		t.Errorf("not ready because of one API: %v", p.Reasons())
	}
	p.stop()
	w.start(patient).ready()
	w.event("get_user_info", "passes too", userInfo(anna), nil)
	w.ends("passes too", events.ResultDone)
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls of a paused API", n)
	}
	w.sim.ClearFaults()
	caller := w.start(patient).ready() // a stand-by may answer the call
	if r, _ := w.ask("clear_quota", `{}`); r.Outcome != events.ResultDone {
		t.Fatalf("%+v", r)
	}
	for i := range 51 {
		w.ends(fmt.Sprintf("m%d", i), events.ResultDone)
	}
	w.emptied()
	if _, err := w.state().Get(w.within(), "pause.api.send_custom_message"); err == nil {
		t.Error("the pause is still there")
	}
	if got := w.arrivalsOf(anna); !slices.IsSorted(got) || len(got) != 51 {
		t.Errorf("anna got %v", got)
	}
	caller.stop()
}

// arrivalsOf is the numbers that WeChat has delivered to a follower, in order.
func (w *world) arrivalsOf(openID string) (got []int) {
	w.t.Helper()
	for _, seen := range w.sim.Inbox(openID) {
		body, err := json.Marshal(seen)
		if err != nil {
			w.t.Fatal(err)
		}
		_, says, _ := strings.Cut(string(body), "vertraulich: ")
		var n int
		if _, err := fmt.Sscanf(says, "%d.", &n); err == nil {
			got = append(got, n)
		}
	}
	return got
}

// Row 36: a minute's quota: one command tries when the minute is over, and the
// rest follow; until then nobody asks. call_api has a quota for each path.
func TestQuotaOfOnePath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.decide = decide }).ready()
	w.fault(wxsim.Fault{Verb: "/cgi-bin/groups/get", ErrCode: 45009, Times: -1})
	call := func(id, path string) {
		w.event("call_api", id, fmt.Sprintf(`{"method":"GET","path":%q}`, path), nil)
	}
	call("one", "/cgi-bin/groups/get")
	if pause := w.pause("pause.api.call_api/cgi-bin/groups/get"); pause.API != "call_api/cgi-bin/groups/get" {
		t.Errorf("%+v", pause)
	}
	call("two", "/cgi-bin/groups/get")
	call("other", "/cgi-bin/get_current_selfmenu_info")
	w.result("other.res")
	if n := len(w.pathCalls("/cgi-bin/groups/get")); n != 1 {
		t.Errorf("%d calls of a paused path", n)
	}
	w.sim.ClearFaults()
	if r, _ := w.ask("clear_api_quota", `{"cgi_path":"/cgi-bin/user/info"}`); r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
	w.pause("pause.api.call_api/cgi-bin/groups/get")
	if r, _ := w.ask("clear_api_quota", `{"cgi_path":"/cgi-bin/groups/get"}`); r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
	w.ends("one", events.ResultDone)
	w.ends("two", events.ResultDone)
}

func (w *world) pathCalls(path string) (calls []wxsim.Call) {
	for _, c := range w.sim.Calls() {
		if c.Path == path {
			calls = append(calls, c)
		}
	}
	return calls
}

// Somebody pauses an API by hand, and lets it go on.
func TestPauseByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 45015})
	by := fmt.Sprintf(`{"api":"get_user_info","reason":"we look into it","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if _, err := w.state().PutString(w.within(), "pause.api.get_user_info", by); err != nil {
		t.Fatal(err)
	}
	// Whether it is heard nobody tells: commands go on until it is.
	w.eventually("the pause is heard", func() bool {
		id := fmt.Sprint("try", time.Now().UnixNano())
		w.event("get_user_info", id, userInfo(w.follower("anna")), nil)
		w.event("get_groups", id+"fence", `{}`, nil)
		w.result(id + "fence.res")
		r, _ := w.wanted(id, 300*time.Millisecond)
		return r.Outcome == events.Pending
	})
	w.unpause("pause.api.get_user_info")
	w.emptied()
}

// An owner knows what is paused before it executes its first command: what its
// predecessor was told by WeChat need not be asked again.
func TestPausesAreKnownAtFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := fmt.Sprintf(`{"api":"get_groups","reason":"used up","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if _, err := w.state().PutString(w.within(), "pause.api.get_groups", by); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * workers {
		w.bare("get_groups", fmt.Sprint("waits", i), `{}`)
	}
	w.event("get_user_info", "passes", userInfo(w.follower("anna")), nil)
	w.start(func(e *Egress) {
		settled := e.queue.Settled
		e.queue.Settled = func(ctx context.Context) (uint64, <-chan struct{}, error) {
			epoch, moved, err := settled(ctx)
			select {
			case <-e.pauses.readOn(epoch):
			default:
				if err == nil {
					t.Error("the queue begins before the pauses are known")
				}
			}
			return epoch, moved, err
		}
	})
	w.ends("passes", events.ResultDone)
	if n := w.calls("get_groups"); n != 0 {
		t.Errorf("%d calls of a paused API", n)
	}
}

// Row 51: another account on the same bus is not delayed by one that is paused.
func TestOtherAccountsFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.decide = decide }).ready()
	if err := bus.Ensure(w.within(), w.js, "shop", streams); err != nil {
		t.Fatal(err)
	}
	w.prefix = "shop"
	w.start(func(e *Egress) { e.decide = decide }).ready()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 40164, Times: -1})
	w.bare("get_groups", "stuck", `{}`)
	w.pause("pause.account")
	m := nats.NewMsg("shop.cmd.get_user_info")
	m.Data = []byte(userInfo(w.follower("anna")))
	w.publish(m)
	w.eventually("the other account's command is done", func() bool { return w.stored("SHOP_RESULT") == 1 })
	if n := w.stored("WX_RESULT"); n != 0 {
		t.Errorf("%d results of a paused account", n)
	}
}
