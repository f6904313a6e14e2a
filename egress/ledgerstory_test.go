package egress

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Windows close with time; each count is what the one that closes first has left.
func TestWindows(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	type line struct {
		at time.Duration
		deed
	}
	for name, c := range map[string]struct {
		story []line
		at    time.Duration
		want  string
	}{
		"nobody":                    {nil, 0, ""},
		"a message":                 {[]line{{0, deedMessage}}, time.Hour, "message 5"},
		"its 48 hours":              {[]line{{0, deedMessage}}, 48*time.Hour - time.Millisecond, "message 5"},
		"over":                      {[]line{{0, deedMessage}}, 48 * time.Hour, ""},
		"a tap":                     {[]line{{0, deedMenu}}, 59 * time.Second, "menu 3"},
		"a tap is over":             {[]line{{0, deedMenu}}, time.Minute, ""},
		"the shorter first":         {[]line{{0, deedMessage}, {time.Second, deedScan}, {2 * time.Second, deedSent}}, 3 * time.Second, "scan 2 message 5"},
		"then the longer":           {[]line{{0, deedMessage}, {time.Second, deedScan}, {2 * time.Second, deedSent}, {70 * time.Second, deedSent}}, 70 * time.Second, "message 4"},
		"a message counts anew":     {[]line{{0, deedMessage}, {1 * time.Millisecond, deedSent}, {2 * time.Millisecond, deedSent}, {time.Hour, deedMessage}}, 2 * time.Hour, "message 5"},
		"more than allowed":         {[]line{{0, deedFollow}, {1 * time.Millisecond, deedSent}, {2 * time.Millisecond, deedSent}, {3 * time.Millisecond, deedSent}, {4 * time.Millisecond, deedSent}}, 5 * time.Millisecond, "follow 0"},
		"used up":                   {[]line{{0, deedMessage}, {1 * time.Millisecond, deedMenu}, {2 * time.Millisecond, deedUsedUp}}, 3 * time.Millisecond, "menu 0 message 0"},
		"left":                      {[]line{{0, deedMessage}, {1 * time.Millisecond, deedLeave}}, 2 * time.Millisecond, ""},
		"sent before all":           {[]line{{0, deedSent}, {1 * time.Millisecond, deedMessage}}, 2 * time.Millisecond, "message 5"},
		"a window of WeChat's over": {[]line{{0, deedMessage}, {1 * time.Millisecond, deedOver}, {2 * time.Millisecond, deedFollow}}, 3 * time.Millisecond, "follow 3"},
		"in one millisecond":        {[]line{{0, deedMessage}, {200 * time.Microsecond, deedUsedUp}, {300 * time.Microsecond, deedMessage}}, time.Millisecond, "message 5"},
	} {
		// In whatever order the streams are read, it is the same.
		for range 20 {
			rand.Shuffle(len(c.story), func(i, j int) { c.story[i], c.story[j] = c.story[j], c.story[i] })
			var stamps []stamp
			for _, l := range c.story {
				stamps = note(stamps, stampOf(l.deed, noon.Add(l.at)))
			}
			got := ""
			for _, w := range windows(stamps, noon.Add(c.at)) {
				got += fmt.Sprintf("%s %d ", w.After, w.Left)
			}
			if want := c.want; got != want && got != want+" " {
				t.Fatalf("%s: %q, not %q", name, got, c.want)
			}
		}
	}
	var stamps []stamp
	for i := range 10_000 {
		stamps = note(stamps, stampOf(deedMenu, noon.Add(time.Duration(i)*time.Second)))
	}
	if len(stamps) > mostStamps || !slices.IsSorted(stamps) {
		t.Errorf("%d stamps", len(stamps))
	}
}
