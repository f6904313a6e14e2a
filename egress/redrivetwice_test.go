package egress

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// Many people send the same letters again at the same moment, to two processes:
// each letter becomes one command, and everybody is told which.
func TestRedriveAllAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.start().ready()
	w.refusing(45015)
	alice := w.follower("alice")
	var letters []uint64
	for i := range 5 {
		id := fmt.Sprint("order-", i)
		w.event("send_custom_message", id, text(alice, "again"), nil)
		letters = append(letters, w.filed(id))
	}
	w.sim.ClearFaults()
	for i, letter := range letters {
		var asking sync.WaitGroup
		for range 16 {
			asking.Go(func() {
				r, _ := w.ask("redrive", fmt.Sprintf(`{"sequence":%d}`, letter))
				if r.Outcome != events.ResultDone || !strings.Contains(string(r.Response), fmt.Sprintf(`"order-%d~1"`, i)) {
					t.Errorf("letter %d: %+v", letter, r)
				}
			})
		}
		asking.Wait()
		w.ends(fmt.Sprintf("order-%d~1", i), events.ResultDone)
	}
	if n := w.calls("send_custom_message"); n != 2*len(letters) {
		t.Errorf("%d calls", n)
	}
}

// What would be refused again is not sent again, also for its attributes.
func TestRedriveOfALongPartitionKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	w.event("get_groups", "long", `{}`, extensions{"partitionkey": strings.Repeat("k", 300)})
	letter := w.redrivesOne(w.filed("long"), events.LetterRefused)
	if !strings.Contains(letter.Reason, "partitionkey") {
		t.Errorf("%+v", letter)
	}
}
