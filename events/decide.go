package events

import (
	"errors"
	"strings"
)

// Entry is one message of a key's log, read: a reply, a marker, or an invalid
// message with the reason.
type Entry struct {
	Sequence uint64
	Reply    *Reply
	Mark     *Mark
	// Invalid is why the message counts for nothing.
	Invalid error
}

// ReadEntry reads one message of a key's log by the branch that it came on.
func ReadEntry(branch Branch, m Message) Entry {
	entry := Entry{Sequence: m.Sequence}
	switch branch {
	case Marks:
		mark, err := ParseMark(m.Header, m.Body)
		entry.Mark, entry.Invalid = &mark, err
	default:
		reply, err := ParseReply(m.Header, m.Body)
		entry.Reply, entry.Invalid = &reply, err
	}
	if entry.Invalid != nil {
		entry.Reply, entry.Mark, entry.Invalid = nil, nil, bounded(entry.Invalid)
	}
	return entry
}

// maxReason is how many bytes of a reason count: it may repeat what a stranger wrote.
const maxReason = 1 << 10

func bounded(err error) error {
	text := err.Error()
	if len(text) <= maxReason {
		return err
	}
	return errors.New(strings.ToValidUTF8(text[:maxReason], "") + "…")
}

// Decision is what ended a hold: a reply, a release, or the marker that nobody
// was in time.
type Decision struct {
	// Outcome is OutcomeReplied, OutcomeReleased, OutcomeFallback or OutcomeUnanswered.
	Outcome string
	// Sequence is the deciding message's in WX_REPLY.
	Sequence uint64
	// Reply is set when a reply or a release decided.
	Reply *Reply
	// Text is the fallback text that a closed hold is answered with.
	Text string
}

// Decide is the rule that decides a hold, version 1: the first deciding message
// in the stream's order. A valid reply, release and the marker closed decide;
// wait, the other markers and whatever is invalid decide nothing. log must be in
// stream order; ok is false while nothing in it decides.
//
// It is pure on purpose. Every ingress and the late worker run it over the same
// log and so come to the same answer, whatever they saw first.
func Decide(log []Entry) (d Decision, ok bool) {
	for _, entry := range log {
		switch {
		case entry.Mark != nil && entry.Mark.Mark == MarkClosed:
			return closed(entry), true
		case entry.Reply == nil, entry.Reply.MsgType == MsgWait:
			continue
		case entry.Reply.MsgType == MsgRelease:
			return Decision{Outcome: OutcomeReleased, Sequence: entry.Sequence, Reply: entry.Reply}, true
		default:
			return Decision{Outcome: OutcomeReplied, Sequence: entry.Sequence, Reply: entry.Reply}, true
		}
	}
	return Decision{}, false
}

// closed is what a closed marker says that the callback is answered with.
func closed(entry Entry) Decision {
	d := Decision{Outcome: OutcomeUnanswered, Sequence: entry.Sequence}
	if entry.Mark.Outcome == OutcomeFallback && entry.Mark.Text != "" {
		d.Outcome, d.Text = OutcomeFallback, entry.Mark.Text
	}
	return d
}

// Waits says whether a wait stands in the log: somebody wants WeChat's next tries.
func Waits(log []Entry) bool {
	for _, entry := range log {
		if entry.Reply != nil && entry.Reply.MsgType == MsgWait {
			return true
		}
	}
	return false
}

// Missed says whether the reply of an outcome replied reached no follower: the
// first of the markers missed and carried, in the stream's order, is missed. Who
// marks one of them looks here which it was, so a reply that is sent late is never
// carried by a try as well.
func Missed(log []Entry) bool {
	for _, entry := range log {
		if entry.Mark != nil && (entry.Mark.Mark == MarkMissed || entry.Mark.Mark == MarkCarried) {
			return entry.Mark.Mark == MarkMissed
		}
	}
	return false
}

// TryNumber is the number of the try whose marker has this id: the first try
// leaves no marker, so the n-th marker is try n+1. It is 0 when the marker is
// not in the log.
func TryNumber(log []Entry, id string) int {
	seen := map[string]bool{}
	for _, entry := range log {
		if entry.Mark == nil || entry.Mark.Mark != MarkTry {
			continue
		}
		seen[entry.Mark.ID] = true
		if entry.Mark.ID == id {
			return len(seen) + 1
		}
	}
	return 0
}
