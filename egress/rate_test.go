package egress

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// arrival is a command of a rate's test.
type arrival struct {
	sequence uint64
	api      string
	at       time.Time // when it comes, and comes again
	went     time.Time
}

// play lets commands come as the queue does: whoever must wait comes again then,
// oldest first of those that come together. Nobody comes while paused says so.
func (s *rates) play(commands []*arrival, paused func(time.Time) time.Time) {
	waiting := slices.Clone(commands)
	for len(waiting) > 0 {
		for _, c := range waiting {
			c.at = paused(c.at)
		}
		next := slices.MinFunc(waiting, func(a, b *arrival) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.sequence, b.sequence))
		})
		s.now = func() time.Time { return next.at }
		if wait := s.admit(next.sequence, 1, next.api); wait > 0 {
			next.at = next.at.Add(wait)
			continue
		}
		next.went = next.at
		waiting = slices.DeleteFunc(waiting, func(c *arrival) bool { return c == next })
	}
}

func unpaused(at time.Time) time.Time { return at }

// most is how many went within any span.
func most(commands []*arrival, span time.Duration, api string) (n int) {
	var went []time.Time
	for _, c := range commands {
		if api == "" || c.api == api {
			went = append(went, c.went)
		}
	}
	slices.SortFunc(went, time.Time.Compare)
	for i, first := 0, 0; i < len(went); i++ {
		for went[i].Sub(went[first]) >= span {
			first++
		}
		n = max(n, i-first+1)
	}
	return n
}

func arrivals(from time.Time, n int, every time.Duration, api string) (commands []*arrival) {
	for i := range n {
		commands = append(commands, &arrival{sequence: uint64(from.Unix()%1000*1_000_000 + int64(i) + int64(len(api))*1000), api: api, at: from.Add(time.Duration(i) * every)})
	}
	return commands
}

// Row 50: a backlog goes out oldest first and no faster than it may, and all of
// it in the time that this takes; other verbs go at once.
func TestRow50RateOfABacklog(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := newRates([]string{"get_groups=20/s"})
	slow, quick := arrivals(noon, 400, 0, "get_groups"), arrivals(noon, 400, time.Millisecond, "get_user_info")
	s.play(append(slow, quick...), unpaused)
	if n := most(slow, time.Second, ""); n < 20 || n > 23 {
		t.Errorf("%d in a second", n)
	}
	if !slices.IsSortedFunc(slow, func(a, b *arrival) int { return a.went.Compare(b.went) }) {
		t.Error("not oldest first")
	}
	if took := slow[399].went.Sub(noon); took > 20*time.Second {
		t.Errorf("400 took %s", took)
	}
	for i, c := range quick {
		if want := noon.Add(time.Duration(i) * time.Millisecond); !c.went.Equal(want) {
			t.Fatalf("another verb's went %s late", c.went.Sub(want))
		}
	}
	if len(s.waiting) != 0 || s.by["get_groups"].waits != 0 {
		t.Errorf("%d still wait", len(s.waiting))
	}
}

// Several limits hold at once, and what comes slowly enough never waits.
func TestRatesOfVerbsAndAll(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := newRates([]string{"get_groups=10/s", "*=25/s", "call_api/a/b=1/m", "call_api=2/s"})
	var all []*arrival
	for _, api := range []string{"get_groups", "get_user_info", "send_custom_message"} {
		all = append(all, arrivals(noon, 100, 0, api)...)
	}
	s.play(all, unpaused)
	if n := most(all, time.Second, ""); n > 33 {
		t.Errorf("%d in a second", n)
	}
	if n := most(all, time.Second, "get_groups"); n > 13 {
		t.Errorf("%d of one verb in a second", n)
	}
	last := slices.MaxFunc(all, func(a, b *arrival) int { return a.went.Compare(b.went) })
	if took := last.went.Sub(noon); took > 19*time.Second {
		t.Errorf("300 took %s", took)
	}
	hour := noon.Add(time.Hour)
	for i, c := range arrivals(hour, 50, 100*time.Millisecond, "get_groups") {
		s.play([]*arrival{c}, unpaused)
		if want := hour.Add(time.Duration(i) * 100 * time.Millisecond); !c.went.Equal(want) {
			t.Errorf("one that comes in time waited %s", c.went.Sub(want))
		}
	}
	for api, span := range map[string]time.Duration{"call_api/a/b": time.Minute, "call_api/c": time.Second / 2} {
		two := arrivals(hour.Add(time.Hour), 2, 0, api)
		s.play(two, unpaused)
		if apart := two[1].went.Sub(two[0].went); apart != span {
			t.Errorf("%s: %s apart", api, apart)
		}
	}
}

// A pause makes those miss their places that had one; when it is over they make
// up for little of it.
func TestRateAfterAPause(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := newRates([]string{"get_groups=20/s"})
	commands := arrivals(noon, 1000, 10*time.Millisecond, "get_groups")
	from, until := noon.Add(5*time.Second), noon.Add(20*time.Second)
	s.play(commands, func(at time.Time) time.Time {
		if at.After(from) && at.Before(until) {
			return until
		}
		return at
	})
	if n := most(commands, 10*time.Second, ""); n > 207 {
		t.Errorf("%d in ten seconds", n)
	}
	last := slices.MaxFunc(commands, func(a, b *arrival) int { return a.went.Compare(b.went) })
	if took := last.went.Sub(noon); took > 66*time.Second {
		t.Errorf("1000 took %s", took)
	}
}

// What was let go and not sent makes room again; who will not be sent, or waited
// in a former tenure, has no place.
func TestRatePlacesAreGivenUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := newRates([]string{"get_groups=1/m"})
	s.now = func() time.Time { return now }
	for sequence := range uint64(3) {
		if wait := s.admit(sequence, 1, "get_groups"); wait != 0 {
			t.Fatalf("%s", wait)
		}
		s.giveBack("get_groups")
	}
	s.admit(3, 1, "get_groups")
	for range 3 {
		if wait := s.admit(4, 1, "get_groups"); wait != time.Minute {
			t.Fatalf("%s", wait)
		}
		s.forget(4)
	}
	s.admit(5, 1, "get_groups")
	if wait := s.admit(6, 2, "get_groups"); wait != time.Minute || len(s.waiting) != 1 {
		t.Errorf("%s, %d wait", wait, len(s.waiting))
	}
}

// A limit in the queue: its commands go at their rate, each once and in their
// follower's order; one whose time runs out meanwhile ends then, and other verbs
// go at once.
func TestRateInTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.rates = newRates([]string{"send_custom_message=5/s"}) }).ready()
	anna, bert := w.follower("anna"), w.follower("bert")
	const n = 12
	for i := range n {
		to := []string{anna, bert}[i%2]
		w.event("send_custom_message", fmt.Sprint(i), text(to, fmt.Sprintf("%d.", i)), nil)
	}
	w.event("send_custom_message", "brief", text(anna, "x"), extensions{"expirytime": time.Now().Add(500 * time.Millisecond).UTC().Format(time.RFC3339Nano)})
	w.event("get_groups", "other", `{}`, nil)
	w.ends("other", events.ResultDone)
	ahead := w.calls("send_custom_message")
	if r, _ := w.result("brief.res"); r.Outcome != events.ResultExpired || r.Attempts != 0 {
		t.Errorf("%+v", r)
	}
	for i := range n {
		if r := w.ends(fmt.Sprint(i), events.ResultDone); r.Attempts != 1 {
			t.Errorf("%+v", r)
		}
	}
	if ahead == n {
		t.Error("the other verb had to wait")
	}
	var times []time.Time
	for _, c := range w.sim.Calls() {
		if c.Verb == "send_custom_message" {
			times = append(times, c.Time)
		}
	}
	if took := times[len(times)-1].Sub(times[0]); len(times) != n || took < (n-1)*time.Second/5-rateMadeUp {
		t.Errorf("%d within %s", len(times), took)
	}
	for _, who := range []string{anna, bert} {
		if got := w.arrivalsOf(who); !slices.IsSorted(got) || len(got) != n/2 {
			t.Errorf("got %v", got)
		}
	}
}

// Every mistake in the settings is told, in words that help.
func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	good := Config{APIURL: "https://api.weixin.qq.com", MPURL: "http://mp", MaxCommand: 1 << 19, Late: lateCustom}
	good.Rate = []string{"send_custom_message=20/s", " *=6000/m", "call_api/cgi-bin/comment/list=1/h", "call_api=5/d"}
	if err := good.Validate(); err != nil {
		t.Errorf("%v", err)
	}
	for part, says := range map[string]string{
		"20/s":                     "is not like",
		"get_groups=20":            "is not like",
		"get_groups":               "is not like",
		"get_group=20/s":           "did you mean get_groups",
		"=20/s":                    "there is no verb",
		"get_groups/cgi-bin/a=1/s": "there is no verb",
		"get_groups=0/s":           "not a number from 1",
		"get_groups=-1/s":          "not a number from 1",
		"get_groups=1.5/s":         "not a number from 1",
		"get_groups=9999999/s":     "not a number from 1",
		"get_groups=1/min":         "is not s, m, h or d",
		"get_groups=1/":            "is not s, m, h or d",
	} {
		bad := good
		bad.Rate = []string{"get_groups=1/s", part}
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "WX_RATE") || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", part, err)
		}
	}
	twice := good
	twice.Rate = append(twice.Rate, "*=5/s")
	if err := twice.Validate(); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v", err)
	}
}
