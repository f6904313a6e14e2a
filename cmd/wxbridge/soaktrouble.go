package main

import (
	"sync"
	"time"
)

// soakSpared is how many commands may be unknown without a trouble of ours: on a
// machine that is too slow for the lease a process loses the queue while it is
// sending, once perhaps, and as many as it sends at a time.
const soakSpared = 192

// soakTroubles are the times in which a process or NATS was being stopped. Only
// what was being sent then, and answered, can be unknown: everything else that
// WeChat has answered is known.
type soakTroubles struct {
	mu    sync.Mutex
	times []soakSpan
}

type soakSpan struct{ from, to time.Time }

// note makes a trouble and remembers when it was.
func (t *soakTroubles) note(trouble func()) {
	from := time.Now()
	trouble()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times = append(t.times, soakSpan{from, time.Now()})
}

// during says whether there was a trouble at some time from one moment to another.
func (t *soakTroubles) during(from, to time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, span := range t.times {
		if !span.to.Before(from) && !span.from.After(to) {
			return true
		}
	}
	return false
}
