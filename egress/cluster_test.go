package egress

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// stepDown has a stream's leader make way for another replica.
func (w *world) stepDown(stream string) {
	w.t.Helper()
	w.eventually(stream+" has another leader", func() bool {
		m, err := w.conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, 2*time.Second)
		var answer struct {
			Success bool `json:"success"`
		}
		return err == nil && json.Unmarshal(m.Data, &answer) == nil && answer.Success
	})
}

// leader is which server of the cluster leads a stream, counted from 0.
func (w *world) leader(stream string) (n int) {
	w.t.Helper()
	w.eventually(stream+" has a leader", func() bool {
		info := w.stream(stream).CachedInfo()
		if info.Cluster == nil {
			return false
		}
		_, err := fmt.Sscanf(info.Cluster.Leader, "n%d", &n)
		return err == nil
	})
	return n - 1
}

// The streams of a cluster get other leaders while two processes execute
// commands, one server goes and comes back, then the owner of the queue is
// killed. Each command has one result, what was done twice is told, each follower
// has the commands in order, and nothing is left over.
func TestLeadersComeAndGo(t *testing.T) {
	t.Parallel()
	replicated := streams
	replicated.Replicas = 3
	w := newWorldOn(t, bustest.StartCluster(t, 3), replicated)
	followers := []string{w.follower("anna"), w.follower("bert"), w.follower("carl")}
	ids := w.steps(120, followers...)
	// Without a pace it would all be over too soon.
	pace := time.NewTicker(15 * time.Millisecond)
	t.Cleanup(pace.Stop)
	slowly := func(e *Egress) { e.observe.(*watch).onTaken = func(Taken) { <-pace.C } }
	first, heir := w.start(slowly, func(e *Egress) { e.grace = 0 }), w.start(slowly)
	done := 0
	goesOn := func() { // another 30 commands are through
		t.Helper()
		done += 30
		w.eventually(fmt.Sprintf("%d results", done), func() bool { return len(w.results.ids()) >= done })
	}
	goesOn()
	w.stepDown("WX_CMD")
	goesOn()
	w.stepDown("KV_WX_CLAIM")
	goesOn()
	w.stepDown("WX_RESULT")
	w.stepDown("KV_WX_STATE")
	goesOn()
	gone := w.leader("WX_CMD")
	w.nats.Kill(gone)
	goesOn()
	w.nats.Revive(gone)
	goesOn()
	first.kill()
	goesOn()
	heir.ready()

	attempts := map[string]int{} // by follower and step
	for i, id := range ids {
		r, _ := w.result(id + ".res")
		if r.Outcome != events.ResultDone && r.Outcome != events.ResultUnknown {
			t.Errorf("%s: %+v", id, r)
		}
		attempts[fmt.Sprint(followers[i%len(followers)], i/len(followers))] = r.Attempts
	}
	w.emptied()
	if n := w.stored("WX_RESULT"); n != len(ids) {
		t.Errorf("%d results of %d commands", n, len(ids))
	}
	for _, follower := range followers {
		steps, messages := w.seen(follower), w.arrivalsOf(follower)
		if !slices.IsSorted(steps) {
			t.Errorf("%s got %v", follower, steps)
		}
		if once := slices.Compact(slices.Clone(messages)); len(once) != len(messages) {
			t.Errorf("%s got a message twice: %v", follower, messages)
		}
		for _, step := range steps {
			attempts[fmt.Sprint(follower, step)]--
		}
	}
	for step, more := range attempts {
		if more < 0 {
			t.Errorf("%s was done more often than its result says", strings.ReplaceAll(step, "x", ""))
		}
	}
}
