package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// judge holds what happened against the promise, read from the streams alone.
func (p *scene) judge() (happened []string) {
	violated := func(format string, args ...any) {
		p.Errorf("seed %d: %s\n%s", p.seed, fmt.Sprintf(format, args...), p.tape())
	}
	stored, held := p.stored()
	outcomes := map[string]events.Outcome{}
	hold, late := "", ""
	for _, m := range p.all(bus.StreamOutcome) {
		o, err := events.ParseOutcome(m.Header, m.Body)
		if err != nil {
			violated("outcome: %v", err)
		}
		outcomes[o.Outcome] = o
		happened = append(happened, o.Outcome)
		switch {
		case o.Late() && late == "":
			late = o.Outcome
		case !o.Late() && hold == "":
			hold = o.Outcome
		default:
			violated("a second outcome %q", o.Outcome)
		}
	}
	valid, missed := p.replies()
	commands := len(p.all(bus.StreamCmd))
	fallback := slices.Index(p.passive, "text sorry") >= 0
	passive := len(p.passive)
	if fallback {
		passive--
	}
	if p.killed {
		happened = append(happened, "killed")
	}
	if p.frozen {
		happened = append(happened, "frozen")
	}
	if p.faulty {
		happened = append(happened, "away")
	}
	if missed {
		happened = append(happened, "missed")
	}
	switch {
	case !stored && (passive+commands > 0 || hold != ""):
		violated("something came of an event that is not stored")
	case stored && held && hold == "":
		violated("a held event without an outcome")
	case !held && hold != "":
		violated("the outcome %q of a hold that never was", hold)
	case passive+commands > 1:
		violated("%d passive answers and %d commands", passive, commands)
	case p.fault && !p.killed && (!p.faulty || !slices.ContainsFunc(p.statuses, func(s int) bool { return s != 0 })):
		violated("the follower saw the fault line")
	case p.fault && p.unheard && !p.hasty && !p.frozen:
		violated("the last try was left without an answer")
	case held && !p.killed && !p.faulty && !p.slow && !p.mixed && len(valid) > 0 && valid[0].first && valid[0].at.Before(p.deadline()) && hold != events.OutcomeReplied && hold != events.OutcomeReleased:
		violated("a reply that was in time did not decide: %q", hold)
	case fallback && hold != events.OutcomeFallback:
		violated("the fallback text went out, the outcome is %q", hold)
	case passive == 1 && (hold != events.OutcomeReplied || missed || len(valid) == 0 || valid[0].sequence != outcomes[hold].Sequence || p.passive[0] != valid[0].passive):
		violated("the follower read %q", p.passive[0])
	case hold == events.OutcomeReplied && !missed && passive == 0 && !p.killed:
		violated("an outcome replied, and the follower read nothing")
	}
	if passive == 1 {
		happened = append(happened, "passive")
	}
	if !stored || len(valid) == 0 || hold == events.OutcomeReplied && !missed {
		if late != "" {
			violated("late outcome %q with nothing to be late", late)
		}
		return happened
	}
	// A reply that no response has carried.
	want := events.OutcomeLateSent
	counts := valid[0] // the first of the log, also one that was there before the event
	inTime := hold == events.OutcomeReleased && !counts.hasPassive && counts.sequence == outcomes[hold].Sequence
	if counts.transfer || p.drop && !inTime {
		want = events.OutcomeLateDropped
	}
	if late != want {
		violated("late outcome %q, want %q", late, want)
	}
	if (late == events.OutcomeLateSent) != (commands == 1) {
		violated("late outcome %q and %d commands", late, commands)
	}
	if outcomes[late].Sequence != counts.sequence {
		violated("late outcome of message %d, want %d", outcomes[late].Sequence, counts.sequence)
	}
	return happened
}

// stored says whether the event is, and whether as one that is held.
func (p *scene) stored() (stored, held bool) {
	all := p.all(bus.StreamInbound)
	if len(all) == 0 {
		return false, false
	}
	in, err := events.ParseInbound(p.names, all[0])
	if err != nil {
		p.Error(err)
	}
	return true, !in.Deadline.IsZero()
}

// deadline is until when a reply must be in time where nothing fails: the last
// wanted try's end, less what the way to it may take.
func (p *scene) deadline() time.Time {
	const way = 100 * time.Millisecond
	end := p.began.Add(p.config.Hold - way)
	wanted := p.config.HoldTries
	for _, m := range p.all(bus.StreamReply) {
		if strings.Contains(string(m.Body), `"wait"`) && m.Time.Before(end) {
			wanted = 3
		}
	}
	return end.Add(time.Duration(wanted-1) * 5 * time.Second)
}

// reply is a valid reply of the log, as the test reads it.
type reply struct {
	at                   time.Time
	sequence             uint64
	passive              string // what the follower reads of it
	hasPassive, transfer bool
	decides              bool // nothing decided before
	first                bool // no replier decided before
}

// replies lists the valid replies in the stream's order, and says whether a
// holder has marked its reply as missed.
func (p *scene) replies() (valid []reply, missed bool) {
	decided, answered, carried := false, false, false
	for _, m := range p.all(bus.StreamReply) {
		body := string(m.Body)
		switch {
		case strings.Contains(body, `"mark":"missed"`):
			missed = missed || !carried
		case strings.Contains(body, `"mark":"carried"`):
			carried = true
		case strings.Contains(body, `"mark":"closed"`):
			decided = true
		case strings.Contains(body, `"release"`):
			decided, answered = true, true
		case strings.Contains(body, "answer"), strings.Contains(body, "transfer"):
			r := reply{at: m.Time, sequence: m.Sequence, decides: !decided, first: !answered, hasPassive: !strings.Contains(body, "msgmenu"), transfer: strings.Contains(body, "transfer")}
			if at := strings.Index(body, "answer"); at >= 0 {
				r.passive = "text " + body[at:at+len("answer 0")]
			}
			if r.transfer {
				r.passive = "transfer_customer_service "
			}
			valid = append(valid, r)
			decided, answered = true, true
		}
	}
	return valid, missed
}

// tape is all that the streams hold, for whoever looks into a violation.
func (p *scene) tape() string {
	var b strings.Builder
	fmt.Fprintf(&b, "config %+v drop %v loss %.2f killed %v; follower read %q, success %v, fault %v, failed tries %v\n", p.config, p.drop, p.loss, p.killed, p.passive, p.success, p.fault, p.statuses)
	for _, stream := range []string{bus.StreamInbound, bus.StreamReply, bus.StreamOutcome, bus.StreamCmd, bus.StreamDLQ} {
		for _, m := range p.all(stream) {
			_, body, found := bytes.Cut(m.Body, []byte(`"data":`))
			if !found {
				body = m.Body
			}
			fmt.Fprintf(&b, "%s %6.3f %d %s %s\n", stream, m.Time.Sub(dawn).Seconds(), m.Sequence, m.Subject, body)
		}
	}
	return b.String()
}
