package egress

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/wxapi"
)

// Rates are how often the queue's owner may call WeChat, by verb and in all.
// A command for which there is no room gets the next free place in time and
// waits there as one does that WeChat asked to come later: with its lane, so
// that a follower's order stays, and without holding up anybody else's.
//
// A new owner begins anew. Calls (wx.call) are answered at once and count for
// nothing here.

const (
	// rateAtOnce is how far ahead of its time a command may go: what comes once in
	// a while need not wait for the clock.
	rateAtOnce = 100 * time.Millisecond
	// rateMadeUp is how much of lost time those may make up for that had a place
	// and could not go, as after a pause.
	rateMadeUp = 250 * time.Millisecond
	// maxRate is the largest number in WX_RATE.
	maxRate = 1_000_000
)

// rateUnits are the units of WX_RATE.
var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// rate is one limit.
type rate struct {
	text  string // as configured
	every time.Duration
	next  time.Time // when the next one could go if all went on time
	line  time.Time // the first free place behind those that wait
	late  time.Time // the same for those who missed theirs
	waits int
}

// rates is what is configured, and who waits.
type rates struct {
	now func() time.Time

	mu      sync.Mutex
	by      map[string]*rate // by verb, call_api also with a path, or queue.Everything
	epoch   uint64
	waiting map[uint64]place // by the command's sequence
}

// place is where a command waits.
type place struct {
	on     *rate
	waited [2]bool // for which of its limits it has waited
}

// parseRate reads one part of WX_RATE: get_groups=20/s.
func parseRate(part string) (name string, r *rate, err error) {
	name, limit, ok := strings.Cut(strings.TrimSpace(part), "=")
	number, unit, hasUnit := strings.Cut(limit, "/")
	if !ok || !hasUnit {
		return "", nil, fmt.Errorf("%q is not like send_custom_message=20/s or *=100/s", part)
	}
	verb, path, _ := strings.Cut(name, "/")
	if _, known := wxapi.Lookup(verb); !known && name != queue.Everything || path != "" && verb != callAPI {
		problem := fmt.Sprintf("%q: there is no verb %q", part, name)
		if near := wxapi.Nearest(verb); near != "" {
			problem += ", did you mean " + near + "?"
		}
		return "", nil, fmt.Errorf("%s (* is all verbs together, call_api/… one path)", problem)
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxRate {
		return "", nil, fmt.Errorf("%q: %q is not a number from 1 to %d; leave the verb out for no limit", part, number, maxRate)
	}
	per, known := rateUnits[unit]
	if !known {
		return "", nil, fmt.Errorf("%q: %q is not s, m, h or d", part, unit)
	}
	return name, &rate{text: limit, every: per / time.Duration(n)}, nil
}

// newRates reads what Validate has found good.
func newRates(parts []string) *rates {
	s := &rates{now: time.Now, by: map[string]*rate{}, waiting: map[uint64]place{}}
	for _, part := range parts {
		if name, r, err := parseRate(part); err == nil {
			s.by[name] = r
		}
	}
	return s
}

// of lists the limits of an API, at most two: its own, and that of all.
func (s *rates) of(api string) []*rate {
	if len(s.by) == 0 {
		return nil
	}
	var limits []*rate
	verb, _, _ := strings.Cut(api, "/")
	for _, name := range []string{api, verb} {
		if r := s.by[name]; r != nil {
			limits = append(limits, r)
			break
		}
	}
	if all := s.by[queue.Everything]; all != nil {
		limits = append(limits, all)
	}
	return limits
}

// admit says how long a command must wait before it may be sent, 0 for not at
// all. It takes from all its limits together and only when it goes, so that
// waiting for one uses up nothing of another.
func (s *rates) admit(sequence, epoch uint64, api string) time.Duration {
	limits := s.of(api)
	if len(limits) == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch != s.epoch {
		s.begin(epoch)
	}
	now := s.now()
	had := s.leave(sequence)
	for i, r := range limits {
		waited := had.waited[i]
		if r.room(now, waited) {
			continue
		}
		had.waited[i], had.on = true, r
		s.waiting[sequence] = had
		return r.reserve(now, waited).Sub(now)
	}
	for _, r := range limits {
		r.next = later(r.next, now).Add(r.every)
	}
	return 0
}

// room says whether a command may go as far as this limit goes. One that has
// not waited does not go before those that do.
func (r *rate) room(now time.Time, waited bool) bool {
	if r.waits == 0 {
		r.line, r.late = time.Time{}, time.Time{} // who had the places there is gone
	}
	if waited {
		return !r.next.After(now.Add(rateMadeUp))
	}
	return !later(r.next, r.line).After(now.Add(rateAtOnce))
}

// reserve gives the next free place, to one that missed its own before those
// that have not waited yet.
func (r *rate) reserve(now time.Time, waited bool) time.Time {
	line := &r.line
	if waited {
		line = &r.late
	}
	at := later(later(r.next, *line), now)
	*line = at.Add(r.every)
	r.waits++
	return at
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// giveBack takes back what a command was let go for that was not sent.
func (s *rates) giveBack(api string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.of(api) {
		r.next = r.next.Add(-r.every)
	}
}

// forget gives up the place of a command that will not be sent.
func (s *rates) forget(sequence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(sequence)
}

// leave takes a command from its place, if it has one. s.mu is held.
func (s *rates) leave(sequence uint64) place {
	had, waits := s.waiting[sequence]
	if waits {
		delete(s.waiting, sequence)
		had.on.waits--
	}
	return had
}

// begin forgets who waited in a former tenure. s.mu is held.
func (s *rates) begin(epoch uint64) {
	s.epoch = epoch
	clear(s.waiting)
	for _, r := range s.by {
		r.line, r.late, r.waits = time.Time{}, time.Time{}, 0
	}
}
