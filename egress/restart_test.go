package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// NATS goes away while WeChat executes a command, and comes back: the result
// arrives once, after one call.
func TestNATSAwayDuringSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultSlow, DelayMS: 1})
	w.bare("send_custom_message", "slow", text(w.follower("alice"), "slow"))
	w.arrived("send_custom_message", 1)
	w.nats.Stop()
	w.eventually("not ready", func() bool { return len(p.Reasons()) > 0 })
	close(w.gate)
	w.nats.Start()
	if r := w.ends("slow", events.ResultDone); r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	w.emptied()
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
	p.ready()
	w.bare("get_groups", "after", `{}`)
	w.ends("after", events.ResultDone)
	if n := w.stored("WX_RESULT"); n != 2 {
		t.Errorf("%d results", n)
	}
}

// A process that starts before NATS does waits, says so, and then works.
func TestNATSAwayAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bare("get_groups", "early", `{}`)
	w.nats.Stop()
	p := w.start()
	if len(p.Reasons()) == 0 {
		t.Error("ready without NATS")
	}
	w.nats.Start()
	w.ends("early", events.ResultDone)
	p.ready()
}

// Told to stop in the middle of a send and of a call, a process finishes both
// and takes nothing new.
func TestStopDuringSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultSlow, DelayMS: 1})
	w.fault(wxsim.Fault{Verb: "get_user_info", Kind: wxsim.FaultSlow, DelayMS: 1})
	answered := make(chan events.Result, 1)
	go func() {
		m, err := w.conn.RequestWithContext(w.within(), "wx.call.get_user_info", []byte(userInfo(alice)))
		if err != nil {
			t.Error(err)
			close(answered)
			return
		}
		var r events.Result
		decodeInto(t, m.Data, &r)
		answered <- r
	}()
	w.bare("send_custom_message", "slow", text(alice, "slow"))
	w.arrived("send_custom_message", 1)
	w.arrived("get_user_info", 1)
	p.cancel()
	w.eventually("no more calls are taken", func() bool {
		_, err := w.conn.RequestWithContext(w.within(), "wx.call.get_groups", []byte(`{}`))
		return err != nil
	})
	w.bare("get_groups", "new", `{}`)
	close(w.gate)
	p.stop()
	w.ends("slow", events.ResultDone)
	if r := <-answered; r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
	if n := w.stored("WX_CMD"); n != 1 {
		t.Errorf("%d commands are left, not just the new one", n)
	}
	w.start()
	w.ends("new", events.ResultDone)
}

// A process that must not wait any longer lets go of what hangs.
func TestStopGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(func(e *Egress) { e.grace = 100 * time.Millisecond }).ready()
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultTimeout})
	w.bare("send_custom_message", "hangs", text(w.follower("alice"), "hangs"))
	w.arrived("send_custom_message", 1)
	p.stop() // returns
	if claim, err := w.claims().Load(w.within(), "hangs"); err != nil || claim.State != "sending" {
		t.Errorf("%+v, %v", claim, err)
	}
}

// crowd publishes commands for several followers, from many verbs.
func (w *world) crowd(n int) (ids []string) {
	w.t.Helper()
	var acks []jetstream.PubAckFuture
	followers := []string{w.follower("alice"), w.follower("bob"), w.follower("carol")}
	for i := range n {
		id, to := fmt.Sprintf("c%d", i), followers[i%len(followers)]
		verb, data := "send_custom_message", text(to, id+".")
		if i%5 == 0 {
			verb, data = "get_user_info", userInfo(to)
		}
		ack, err := w.js.PublishMsgAsync(w.message(verb, id, data, nil, events.EncodeStructured))
		if err != nil {
			w.t.Fatal(err)
		}
		ids, acks = append(ids, id), append(acks, ack)
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			w.t.Fatal(err)
		}
	}
	return ids
}

// arrivals counts how often each message of a crowd was executed by WeChat.
func (w *world) arrivals() map[string]int {
	n := map[string]int{}
	for _, c := range w.sim.Calls() {
		_, says, _ := strings.Cut(string(c.Body), "vertraulich: ")
		if id, _, ok := strings.Cut(says, "."); ok {
			n[id]++
		}
	}
	return n
}

// busyOrIdle waits until a process has begun n attempts, or nothing is left.
func (p *process) busyOrIdle(n, all int) {
	p.w.t.Helper()
	p.w.eventually("the process works", func() bool {
		p.seen.mu.Lock()
		defer p.seen.mu.Unlock()
		return len(p.seen.taken) >= n || p.w.stored("WX_RESULT") == all
	})
}

// Three hundred commands, and the process is stopped and started all the time,
// two at once now and then: each has one result, each message arrived once.
func TestRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ids := w.crowd(300)
	var last *process
	for i := range 5 {
		p := w.start()
		p.busyOrIdle(20, len(ids))
		if i%2 == 0 {
			p.stop()
			continue
		}
		if last != nil {
			last.stop()
		}
		last = p
	}
	w.start()
	for _, id := range ids {
		if r := w.ends(id, events.ResultDone); r.Attempts != 1 {
			t.Errorf("%s: %+v", id, r)
		}
	}
	w.emptied()
	arrived := w.arrivals()
	for i, id := range ids {
		if want := min(1, i%5); arrived[id] != want {
			t.Errorf("%s arrived %d times", id, arrived[id])
		}
	}
	if r, d := w.stored("WX_RESULT"), w.stored("WX_DLQ"); r != len(ids) || d != 0 {
		t.Errorf("%d results, %d dead letters", r, d)
	}
}

// The same with processes that are killed: a message may be unknown then, but
// none arrives twice, and none is called done or refused that did not arrive.
func TestKillsUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mortal := func(e *Egress) { e.heirWaits, e.grace = 0, 0 }
	w.adjust = func(c *wxapi.Config) { c.Timeout = 20 * time.Second }
	ids := w.crowd(150)
	for range 4 {
		p := w.start(mortal)
		p.busyOrIdle(10, len(ids))
		p.kill()
	}
	w.start(mortal)
	unknown := 0
	for _, id := range ids {
		r, _ := w.result(id + ".res")
		if r.Outcome == events.ResultUnknown {
			unknown++
		} else if r.Outcome != events.ResultDone {
			t.Errorf("%s: %+v", id, r)
		}
	}
	w.emptied()
	arrived := w.arrivals()
	for i, id := range ids {
		r, _ := w.result(id + ".res")
		if arrived[id] > 1 || r.Outcome == events.ResultDone && i%5 != 0 && arrived[id] != 1 {
			t.Errorf("%s is %s and arrived %d times", id, r.Outcome, arrived[id])
		}
	}
	if n := w.stored("WX_RESULT"); n != len(ids) {
		t.Errorf("%d results", n)
	}
	if d := w.stored("WX_DLQ"); d != unknown {
		t.Errorf("%d dead letters of %d unknown", d, unknown)
	}
	if most := 4 * workers; unknown > most {
		t.Errorf("%d are unknown after four kills, more than %d", unknown, most)
	}
}
