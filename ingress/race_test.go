package ingress

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Two replicas hold the same 100 events at once, and every answer is aimed at
// the end of its hold. Whoever wins each race: there is one outcome, and both
// responses say what it says.
//
// Not parallel: 200 holds that end together are load enough.
func TestRacesAtTheDeadline(t *testing.T) {
	const n = 100
	w := newWorld(t, callback.ModeSafe)
	shape := func(s *setup) { s.Hold, s.FallbackText = time.Second, sorry }
	replicas := []*replica{w.replica(shape), w.replica(shape)}
	w.serve(func(in inbound) {
		aim := time.Until(in.Deadline) + time.Duration(rand.IntN(60)-30)*time.Millisecond
		time.AfterFunc(aim, func() { _ = w.conn.Publish(in.ReplyTo, []byte(private+" answer to "+in.ID)) })
	})
	var all sync.WaitGroup
	answers := make([][2]string, n)
	ids := make([]string, n)
	for i := range n {
		doc := text(fmt.Sprintf("%s_%d", alice, i), private)
		message, err := callback.Parse(doc)
		noError(t, err)
		ids[i] = message.ID()
		for j, r := range replicas {
			all.Go(func() {
				a := do(w.request(context.Background(), r.url, doc))
				for range 5 { // a slow machine doesn't store 200 events in 1.5 s; WeChat asks again then
					if a.status == http.StatusServiceUnavailable {
						a = do(w.request(context.Background(), r.url, doc))
					}
				}
				answers[i][j] = w.says(a)
			})
		}
	}
	all.Wait()
	for _, r := range replicas {
		r.stop()
	}
	// On a machine too slow to close a hold by 4.78 s a try is answered success
	// without an outcome; that is in the contract, and the observer tells which.
	var without [2]map[string]bool
	for j, r := range replicas {
		without[j] = map[string]bool{}
		for range len(r.ended) {
			if a := next(t, r.ended); a.Outcome == "" {
				without[j][a.ID] = true
			}
		}
	}
	counts := map[string]int{"without": len(without[0]) + len(without[1])}
	outcomes := w.outcomes()
	for i, id := range ids {
		gaveUp := [2]bool{without[0][id], without[1][id]}
		if len(outcomes[id]) > 1 || len(outcomes[id]) == 0 && gaveUp != [2]bool{true, true} {
			t.Errorf("event %s has %d outcomes", id, len(outcomes[id]))
			continue
		}
		want := sorry
		for _, o := range outcomes[id] {
			counts[o.Outcome.Outcome]++
			if o.Outcome.Outcome == events.OutcomeReplied {
				want = private + " answer to " + id
			}
		}
		for j, got := range answers[i] {
			if gaveUp[j] && got != callback.Success || !gaveUp[j] && got != want {
				t.Errorf("replica %d answers %q to %s, whose outcomes are %v", j, got, id, outcomes[id])
			}
		}
	}
	if len(outcomes) > n {
		t.Errorf("%d outcomes for %d events", len(outcomes), n)
	}
	t.Logf("outcomes: %v", counts)
}
