package main_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// 3,000 followers, and for each two answers of two services at the very end of
// the hold, from 1 ms before to 2 ms after: every follower reads exactly one
// answer, passive or custom, and the other is kept as a dead letter.
//
// Not parallel: it is load enough, and a slow machine only makes more of them late.
func TestRacesOverProcesses(t *testing.T) {
	const followers, atOnce = 3000, 150
	f := startFleet(t, 3, 2, "WX_HOLD", "1s")
	f.subscribe(t, func(in events.InboundEvent) {
		for service := range 2 {
			aim := time.Until(in.Deadline) + time.Duration(rand.Int64N(int64(3*time.Millisecond))) - time.Millisecond
			time.AfterFunc(aim, func() {
				if err := f.app.Publish(in.ReplyTo, fmt.Appendf(nil, "answer %d to %s", service, in.OpenID)); err != nil {
					t.Errorf("reply: %v", err)
				}
			})
		}
	})
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for n := range followers {
		places <- struct{}{}
		came := f.says(t, follower(n), "hi")
		all.Go(func() {
			if d := <-came; d.Fault {
				t.Errorf("%s saw the fault line: %+v", follower(n), d.Tries)
			}
			<-places
		})
	}
	all.Wait()
	f.settled(t, followers)
	kinds := map[string]int{}
	for n := range followers {
		read := f.reads(t, follower(n))
		one := len(read) == 1 && (read[0].Text == "answer 0 to "+follower(n) || read[0].Text == "answer 1 to "+follower(n))
		if !one {
			t.Errorf("%s has read %+v", follower(n), read)
		}
		kinds[read[0].Kind]++
	}
	eventually(t, time.Minute, "the answers that were not used are kept", func() error {
		if n := f.count(t, "WX_DLQ"); n != followers {
			return fmt.Errorf("%d dead letters", n)
		}
		return nil
	})
	t.Logf("%d followers: %v", followers, kinds)
}
