package wxsim

import (
	"context"
	"sync"
	"time"
)

// clock is the simulator's sense of time. There are two times, because moving one must not break the other:
// state (tokens, windows, media) ages by now, which can be set forward; pushes are stamped with wall, since a
// receiver compares those stamps with its own clock and would refuse a push from the day after tomorrow.
type clock struct {
	base func() time.Time

	mu      sync.Mutex
	forward time.Duration
}

// wall is the time that pushes, calls and inboxes are stamped with.
func (c *clock) wall() time.Time { return c.base() }

// now is the time that tokens, windows, quotas and media go by.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.forward)
}

// advance sets now forward by d.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forward += d
}

// sleep is the default of Config.Wait: it returns after d, or with ctx's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// china is WeChat's day: quotas start anew at 00:00 UTC+8.
var china = time.FixedZone("UTC+8", 8*60*60)
