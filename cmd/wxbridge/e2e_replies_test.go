package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// The first try is held by a process that dies; the next one comes to another,
// and brings the answer. The event is stored once, and ends once.
func TestTriesMoveToAnotherReplica(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 2, 1)
	f.balancer.route(func(n int) int { return min(n, 1) }) // the first request to A, all later ones to B
	came := f.says(t, "oAlice", "你好")
	in := f.inbound(t, 1)
	f.ingresses[0].kill()
	if err := f.reply(t.Context(), in.ReplyTo, "still here"); err != nil {
		t.Fatal(err)
	}
	d := await(t, came)
	d.hears(t, "still here")
	if len(d.Tries) != 2 || d.Tries[0].Status == http.StatusOK {
		t.Errorf("tries %+v", d.Tries)
	}
	if n := f.count(t, "WX_INBOUND"); n != 1 {
		t.Errorf("%d events are stored", n)
	}
	f.eachOnce(t, map[string]string{"oAlice": "still here"})
	if holds, lates := f.outcomes(t); holds[in.ID].Outcome != events.OutcomeReplied || holds[in.ID].Try != 2 || len(lates) != 0 {
		t.Errorf("outcomes %+v, %+v", holds, lates)
	}
}

// A reply at any time reaches the follower exactly once: in the try that is open,
// or as a custom message. Which of the two the clock says; near an end of a hold
// either is right.
func TestReplyAtAnyTime(t *testing.T) {
	t.Parallel()
	const either = "either"
	for _, c := range []struct {
		tries   string
		replies map[time.Duration]string // when, and how it must come
	}{
		{"1", map[time.Duration]string{
			100 * time.Millisecond: "reply", 4400 * time.Millisecond: either, 4600 * time.Millisecond: either,
			7 * time.Second: "custom", 20 * time.Second: "custom", time.Minute: "custom",
		}},
		{"3", map[time.Duration]string{
			100 * time.Millisecond: "reply", 4400 * time.Millisecond: either, 4600 * time.Millisecond: either,
			7 * time.Second: "reply", 14 * time.Second: either, 20 * time.Second: "custom", time.Minute: "custom",
		}},
	} {
		t.Run(c.tries+" tries", func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, 2, 2, "WX_HOLD_TRIES", c.tries)
			after := map[string]time.Duration{}
			for at := range c.replies {
				after[fmt.Sprintf("oAfter%dms", at.Milliseconds())] = at
			}
			f.subscribe(t, func(in events.InboundEvent) {
				time.AfterFunc(after[in.OpenID], func() {
					if err := f.app.Publish(in.ReplyTo, []byte("answer to "+in.OpenID)); err != nil {
						t.Errorf("reply: %v", err)
					}
				})
			})
			answers, came := map[string]string{}, []<-chan delivery{}
			for openID := range after {
				answers[openID] = "answer to " + openID
				came = append(came, f.says(t, openID, "hi"))
			}
			for _, d := range came {
				if ended := await(t, d); ended.Fault {
					t.Errorf("the follower saw the fault line: %+v", ended.Tries)
				}
			}
			f.eachOnce(t, answers)
			for openID, at := range after {
				kind := f.inbox(t, openID)[0].Kind
				t.Logf("%s tries, reply after %s: %s", c.tries, at, kind)
				if want := c.replies[at]; want != either && kind != want {
					t.Errorf("%s tries, reply after %s: came as %s, want %s", c.tries, at, kind, want)
				}
			}
			f.outcomes(t)
		})
	}
}

// kill -9 of a holder among its answers, and of an egress among its late replies:
// every follower reads one answer.
func TestKillsAmongReplies(t *testing.T) {
	t.Parallel()
	startFleet(t, 3, 2).hurtAmongReplies(t, func(r *replica) { r.kill() })
}

// Processes that freeze and go on are worse than those that die: they believe
// what was true before. A holder is stopped among its answers past WeChat's time,
// and an egress past its lease.
func TestFreezesAmongReplies(t *testing.T) {
	t.Parallel()
	f := startFleet(t, 3, 2)
	f.misses = true
	f.hurtAmongReplies(t, func(r *replica) {
		for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
			if err := r.cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
			if signal == syscall.SIGSTOP {
				<-time.After(6 * time.Second)
			}
		}
	})
	f.ready(t)
}

// hurtAmongReplies hurts an ingress while it answers and an egress while late
// replies are sent: every follower reads one answer, and nothing is decided twice.
func (f *fleet) hurtAmongReplies(t *testing.T, hurt func(*replica)) {
	t.Helper()
	const followers = 60
	answers := map[string]string{}
	var mu sync.Mutex
	replied := 0
	var victims sync.WaitGroup
	f.subscribe(t, func(in events.InboundEvent) {
		// Half of them are answered in time, half of them late.
		wait := time.Duration(rand.IntN(2000)) * time.Millisecond
		late := in.OpenID[len(in.OpenID)-1]%2 == 0
		if late {
			wait = 6*time.Second + wait/10
		}
		time.AfterFunc(wait, func() {
			if err := f.app.Publish(in.ReplyTo, []byte("answer to "+in.OpenID)); err != nil {
				t.Errorf("reply: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			replied++
			switch replied {
			case followers / 4: // answers in time are on their way
				victims.Go(func() { hurt(f.ingresses[0]) })
			case 3 * followers / 4: // late ones are
				victims.Go(func() { hurt(f.egresses[0]) })
			}
		})
	})
	var came []<-chan delivery
	for n := range followers {
		answers[follower(n)] = "answer to " + follower(n)
		came = append(came, f.says(t, follower(n), "hi"))
	}
	for _, d := range came {
		await(t, d)
	}
	victims.Wait()
	f.settled(t, followers)
	unknown := f.unknownLate(t)
	for openID := range unknown {
		if all := f.inbox(t, openID); len(all) > 1 {
			t.Errorf("%s has read %+v", openID, all)
		}
		delete(answers, openID)
	}
	t.Logf("%d followers: %v, unknown %d", followers, f.eachOnce(t, answers), len(unknown))
	if n := f.count(t, "WX_INBOUND"); n != followers {
		t.Errorf("%d events are stored", n)
	}
}

// unknownLate waits for the results of all late replies, and names the followers
// of whom nobody can know whether they got theirs: the process that sent it was
// killed between the request and its answer, and the result says so.
func (f *fleet) unknownLate(t *testing.T) map[string]bool {
	t.Helper()
	_, lates := f.outcomes(t)
	results := f.results(t, len(lates))
	followers, unknown := map[string]string{}, map[string]bool{}
	for n := range f.count(t, "WX_INBOUND") {
		in := f.inbound(t, n+1)
		followers[in.ID] = in.OpenID
	}
	for id := range lates {
		switch outcome := results[events.LateID(id)]; outcome {
		case events.ResultDone:
		case events.ResultUnknown:
			unknown[followers[id]] = true
		default:
			t.Errorf("the late reply to %s ended as %q", id, outcome)
		}
	}
	return unknown
}

// settled waits until every event has the outcome of its hold, and checks that
// the counts add up: who was not replied to has a late reply.
func (f *fleet) settled(t *testing.T, n int) {
	t.Helper()
	eventually(t, time.Minute, "every hold has its outcome", func() error {
		holds, lates := f.outcomes(t)
		if len(holds) != n {
			return fmt.Errorf("%d holds of %d have an outcome", len(holds), n)
		}
		for id, o := range holds {
			_, late := lates[id]
			if replied := o.Outcome == events.OutcomeReplied; !late && !replied || late && replied && !f.misses {
				return fmt.Errorf("event %s: %s, late %t", id, o.Outcome, late)
			}
		}
		return nil
	})
}

// kill -9 of NATS between the answers, in time and late: what was decided stays
// decided, all is ready again by itself, and the next message is answered.
func TestNATSIsKilledAmongReplies(t *testing.T) {
	t.Parallel()
	const followers = 30
	f := startFleet(t, 2, 2)
	answers := map[string]string{}
	var mu sync.Mutex
	ids := map[string]string{} // reply subjects by follower
	heard := make(chan struct{}, 2*followers)
	f.subscribe(t, func(in events.InboundEvent) {
		mu.Lock()
		defer mu.Unlock()
		ids[in.OpenID] = in.ReplyTo
		heard <- struct{}{}
	})
	var came []<-chan delivery
	for n := range followers {
		answers[follower(n)] = "answer to " + follower(n)
		came = append(came, f.says(t, follower(n), "hi"))
	}
	for range followers {
		<-heard
	}
	reply := func(from, to int) {
		for n := from; n < to; n++ {
			mu.Lock()
			subject := ids[follower(n)]
			mu.Unlock()
			eventually(t, time.Minute, "a reply is stored", func() error {
				return f.reply(t.Context(), subject, answers[follower(n)])
			})
		}
	}
	reply(0, followers/3)
	f.nats.Kill(t)
	f.nats.Start(t)
	back := time.Now()
	for _, r := range f.ingresses {
		ready(t, r.admin)
	}
	t.Logf("the ingresses are ready again %s after NATS was", time.Since(back).Round(time.Millisecond))
	reply(followers/3, 2*followers/3)
	for _, d := range came {
		if ended := await(t, d); ended.Fault {
			t.Errorf("the follower saw the fault line: %+v", ended.Tries)
		}
	}
	reply(2*followers/3, followers)
	t.Logf("%d followers: %v", followers, f.eachOnce(t, answers))
	f.settled(t, followers)
	f.ready(t)
	d := f.says(t, "oAnother", "hi")
	<-heard
	mu.Lock()
	subject := ids["oAnother"]
	mu.Unlock()
	if err := f.reply(t.Context(), subject, "as before"); err != nil {
		t.Fatal(err)
	}
	await(t, d).hears(t, "as before")
	f.eachOnce(t, answers) // nothing came again
}
