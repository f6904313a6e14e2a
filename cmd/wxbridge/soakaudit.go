package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// soakCalls are the calls that WeChat has got, in its order.
type soakCalls struct {
	mu    sync.Mutex
	last  int
	lost  int
	steps []soakCall
	all   int
}

// soakCall is a call of a command that may have been executed.
type soakCall struct {
	command  int
	executed bool // certainly
	at       time.Time
}

var soakMark = regexp.MustCompile(`#(\d+)#`)

// gather takes over what the pretend WeChat, which forgets in time, has noted.
func (c *soakCalls) gather(sim *wxsim.Platform) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range sim.Calls() {
		if call.N <= c.last {
			continue
		}
		c.lost += call.N - c.last - 1
		c.last = call.N
		c.all++
		refused := call.ErrCode != 0 && (call.Fault == "" || call.Fault == wxsim.FaultErrCode || call.Fault == wxsim.FaultSlow)
		mark := soakMark.FindSubmatch(call.Body)
		if mark == nil {
			mark = soakMark.FindSubmatch([]byte(call.Query.Get("step")))
		}
		if mark == nil || refused {
			continue
		}
		n, err := strconv.Atoi(string(mark[1]))
		if err == nil {
			c.steps = append(c.steps, soakCall{n, call.Fault == "" || call.Fault == wxsim.FaultSlow, call.Time})
		}
	}
}

// soakResult is what became of a command.
type soakResult struct {
	outcome string
	body    []byte
	at      time.Time // when it was stored first
}

// results reads every result, by the command's id.
func (s *soak) results(ctx context.Context) (results map[string]soakResult, copies int, err error) {
	stream, err := s.js.Stream(ctx, "WX_RESULT")
	if err != nil {
		return nil, 0, err
	}
	results = map[string]soakResult{}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, 0, err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, 0, err
	}
	defer messages.Stop()
	within, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for n := stream.CachedInfo().State.Msgs; n > 0; n-- {
		m, err := messages.Next(jetstream.NextContext(within))
		if err != nil {
			return nil, 0, err
		}
		result, command, err := events.ParseResult(events.Header(m.Headers()), m.Data())
		if err != nil {
			return nil, 0, err
		}
		if before, twice := results[command]; twice {
			copies++
			if !bytes.Equal(before.body, m.Data()) {
				return nil, 0, fmt.Errorf("%s has two results:\n%s\n%s", command, before.body, m.Data())
			}
			continue
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, 0, err
		}
		results[command] = soakResult{result.Outcome, m.Data(), meta.Timestamp}
	}
	return results, copies, nil
}

// audit holds the results against the commands and against what WeChat has seen.
func (s *soak) audit(ctx context.Context, took time.Duration) error {
	results, copies, err := s.results(ctx)
	if err != nil {
		return err
	}
	var broken []error
	breaks := func(format string, args ...any) {
		if len(broken) < 20 {
			broken = append(broken, fmt.Errorf(format, args...))
		}
	}
	if s.calls.lost > 0 {
		breaks("%d calls were forgotten before they could be counted", s.calls.lost)
	}
	seen := make([]int, s.size)
	executed := make([]time.Time, s.size) // the last time
	for _, call := range s.calls.steps {
		seen[call.command]++
		if call.executed {
			executed[call.command] = call.at
		}
	}
	counts := map[string]int{}
	repeated, unaccounted := 0, 0
	for i := range s.commands {
		c := &s.commands[i]
		outcome := results[c.id].outcome
		counts[outcome]++
		once := c.verb == "send_custom_message" && !c.resend || c.verb == "create_group"
		if seen[i] > 1 {
			repeated++
		}
		if outcome == events.ResultUnknown && !executed[i].IsZero() && !s.troubles.during(executed[i], results[c.id].at) {
			unaccounted++
		}
		switch {
		case outcome == "":
			breaks("%s has no result", c.id)
		case once && seen[i] > 1:
			breaks("%s (%s) is %s, and WeChat has seen it %d times", c.id, c.verb, outcome, seen[i])
		case outcome == events.ResultDone && executed[i].IsZero():
			breaks("%s (%s) is done, and WeChat has not executed it", c.id, c.verb)
		case outcome != events.ResultDone && outcome != events.ResultUnknown && c.verb != "get_user_info" && seen[i] > 0:
			breaks("%s (%s) is %s, and WeChat may have executed it", c.id, c.verb, outcome)
		case c.bad != (outcome == events.ResultRejected):
			breaks("%s (%s) is %s", c.id, c.verb, outcome)
		}
	}
	if len(results) != s.size {
		breaks("%d commands have a result, not %d", len(results), s.size)
	}
	if unaccounted > soakSpared {
		breaks("%d commands are unknown, though WeChat has answered them and nothing was stopped until their results were stored", unaccounted)
	}
	admitted := s.auditOrder(func(format string, command int, args ...any) bool {
		c := &s.commands[command]
		if s.freezes > 0 && (seen[command] > 1 || results[c.id].outcome == events.ResultUnknown) {
			return true
		}
		breaks(format, append([]any{c.id, c.verb}, args...)...)
		return false
	})
	fmt.Fprintf(s.out, "%d commands in %s (%.0f/s), %d kills, %d freezes, %d restarts of NATS, %d faults, %d calls\n",
		s.size, took.Round(time.Millisecond), float64(s.size)/took.Seconds(), s.kills, s.freezes, s.restarts, s.faults, s.calls.all)
	for _, outcome := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(s.out, "  %-9s %d\n", outcome, counts[outcome])
	}
	fmt.Fprintf(s.out, "seen more than once: %d, each of a verb or with a word that allows it; identical copies of results: %d\n", repeated, copies)
	fmt.Fprintf(s.out, "unknown, though WeChat has answered and nothing was stopped: %d\n", unaccounted)
	if s.freezes > 0 {
		fmt.Fprintf(s.out, "out of order by processes that were frozen in mid-send: %d\n", admitted)
	}
	if len(broken) > 0 {
		return fmt.Errorf("broken promises, seed %d:\n%w", s.seed, errors.Join(broken...))
	}
	fmt.Fprintln(s.out, "every promise was kept")
	return nil
}

// auditOrder looks at each follower's calls. Those of one verb come in the
// stream's order; and nothing comes before a custom message that was stored
// earlier, whose API was never paused. late is told of a command that came too
// late, and says whether that is admitted.
func (s *soak) auditOrder(late func(format string, command int, args ...any) bool) (admitted int) {
	type follower struct {
		latest int // the command that was stored last of those that came
		ofVerb map[string]int
	}
	stored := func(command int) uint64 {
		if command < 0 {
			return 0
		}
		return s.commands[command].sequence
	}
	followers := map[string]*follower{}
	for _, call := range s.calls.steps {
		n := call.command
		c := &s.commands[n]
		if c.follower == "" || c.unsure {
			continue
		}
		f := followers[c.follower]
		if f == nil {
			f = &follower{latest: -1, ofVerb: map[string]int{}}
			followers[c.follower] = f
		}
		before, there := f.ofVerb[c.verb]
		if c.verb == "send_custom_message" {
			before, there = f.latest, f.latest >= 0
		}
		if there && c.sequence < stored(before) {
			if late("%s (%s) came after %s, which was stored later", n, s.commands[before].id) {
				admitted++
			}
			continue
		}
		if c.sequence > stored(f.latest) {
			f.latest = n
		}
		f.ofVerb[c.verb] = n
	}
	return admitted
}
