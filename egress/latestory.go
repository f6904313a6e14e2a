package egress

import (
	"container/list"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// story is what the late worker knows of one inbound event: the event itself,
// the log of its key, and how its hold ended. It is a fold over three streams,
// whose messages may come in any order between them.
type story struct {
	about
	held bool
	log  []line
	// hold is how the hold ended, nil while it has not.
	hold *events.Outcome
	// late is set when the story has its late outcome, counted the sequence that it names.
	late    bool
	counted uint64
	// ripe: so long after the event was seen that no try of WeChat's can be held.
	// It is from ripens on.
	ripe   bool
	ripens time.Time
	// closed and claimed: this process has done so, and waits to read it.
	closed, claimed bool

	place *list.Element // in the order of stories

	// queued and working: a worker is to look at it, or does.
	queued, working bool
}

// about names an inbound event.
type about struct {
	key, kind, openID string
	// stored is when the event was, by the stream's clock; zero while only its key
	// is known.
	stored time.Time
}

// line is one message of the log, as much of it as the rule needs: the content of
// a reply stays in the stream.
type line struct {
	events.Entry
	at    time.Time // by the stream's clock
	sum   uint64    // of a valid reply's data
	filed bool
}

// readLine reads a message of the log.
func readLine(branch events.Branch, m events.Message) line {
	l := line{Entry: events.ReadEntry(branch, m), at: m.Time}
	if l.Reply != nil {
		sum := fnv.New64a()
		_, _ = sum.Write(l.Reply.Data)
		l.sum = sum.Sum64()
		l.Reply = &events.Reply{MsgType: l.Reply.MsgType, ID: l.Reply.ID, Source: l.Reply.Source}
	}
	return l
}

// word is what is to be done next about a story.
type word int

const (
	noStep   word = iota
	fileLine      // keep a reply that counts for nothing as a dead letter
	closeIt       // end a hold whose holder is gone
	claim         // store the outcome of a hold whose holder is gone
	sendLate      // make a command of the late reply
	dropLate      // refuse it
)

// step is a word and what it is about.
type step struct {
	word
	about
	line    line
	at      int // the line's place in the log
	class   string
	reason  string
	outcome string // to claim
}

// next is the rule of late replies (design §4.5 and §4.6), pure: the same
// knowledge, the same step, in every process. Each step's doing changes the
// knowledge, by what then stands in the streams.
func (s *story) next(window time.Duration, drop bool) step {
	known := !s.stored.IsZero()
	if !known && !s.ripe {
		return step{} // the event may still come: streams have no common order
	}
	if known {
		if act := s.act(window, drop); act.word != noStep {
			return act
		}
	}
	// Last, for nobody waits for it: where the dead letters take nothing, a valid
	// reply must not wait behind an odd one until its time is over.
	return s.odd(window)
}

// act is what is to be done about the hold and the reply that counts.
func (s *story) act(window time.Duration, drop bool) step {
	if s.held && s.hold == nil {
		return s.settle()
	}
	reply, at := s.first(window)
	switch {
	case at < 0:
		return step{}
	case s.delivered():
		return s.others(s.hold.Sequence, window)
	case s.late:
		return s.others(s.counted, window)
	case reply.Reply.MsgType == events.MsgTransfer:
		return step{word: dropLate, line: reply, at: at, class: events.ClassLateDropped, reason: events.ErrOnlyPassive.Error()}
	case drop && !s.sentInstead(reply):
		return step{
			word: dropLate, line: reply, at: at, class: events.ClassLateDropped,
			reason: "it came when no callback could carry it any more, and WX_LATE=drop sends no late replies",
		}
	}
	return step{word: sendLate, line: reply, at: at}
}

// odd finds the next reply that counts for nothing in any case.
func (s *story) odd(window time.Duration) step {
	for at, l := range s.log {
		switch {
		case l.filed:
		case l.Invalid != nil:
			return step{word: fileLine, line: l, at: at, class: events.ClassReplyInvalid, reason: l.Invalid.Error()}
		case l.Reply == nil:
		case s.stored.IsZero():
			return step{
				word: fileLine, line: l, at: at, class: events.ClassReplyUnknown,
				reason: fmt.Sprintf("no event of the last %s has this key: publish to the wxreplyto of the event, in time", window),
			}
		case s.expired(l, window):
			return step{
				word: fileLine, line: l, at: at, class: events.ClassReplyUnknown,
				reason: fmt.Sprintf("it came %s after the event, and the reply window (WX_REPLY_WINDOW) is %s", l.at.Sub(s.stored).Round(time.Second), window),
			}
		}
	}
	return step{}
}

// expired says whether a line came after the reply window; such a one does not count.
func (s *story) expired(l line, window time.Duration) bool { return l.at.Sub(s.stored) > window }

// settle ends a hold that its holder did not end.
func (s *story) settle() step {
	if !s.ripe {
		return step{}
	}
	decision, decided := events.Decide(s.entries())
	switch {
	case !decided && s.closed, decided && s.claimed:
		return step{} // done, and not read yet
	case !decided:
		return step{word: closeIt}
	case decision.Reply != nil && (decision.Outcome == events.OutcomeReleased || !decision.Reply.Passive()):
		return step{word: claim, outcome: events.OutcomeReleased, line: line{Entry: events.Entry{Sequence: decision.Sequence, Reply: decision.Reply}}}
	}
	// A reply that no response has carried: the follower was let go.
	return step{word: claim, outcome: events.OutcomeUnanswered, line: line{Entry: events.Entry{Sequence: decision.Sequence}}}
}

// entries is the log as the rule of holds reads it.
func (s *story) entries() []events.Entry {
	log := make([]events.Entry, len(s.log))
	for i, l := range s.log {
		log[i] = l.Entry
	}
	return log
}

// delivered says whether a response has carried a reply.
func (s *story) delivered() bool {
	return s.hold != nil && s.hold.Outcome == events.OutcomeReplied && !events.Missed(s.entries())
}

// first is the reply that counts, and its place; -1 without one. It is the one
// that the outcome names, if that names one; else the first that could be sent. A
// holder that began just then may not have seen what the log held before its event.
func (s *story) first(window time.Duration) (reply line, place int) {
	place = -1
	for at, l := range s.log {
		switch {
		case !sendable(l) || s.expired(l, window):
		case s.hold != nil && s.hold.Sequence == l.Sequence:
			return l, at
		case place < 0:
			reply, place = l, at
		}
	}
	return reply, place
}

// sendable tells a valid reply from the bridge's own words: release and wait
// after the close mean nothing.
func sendable(l line) bool {
	return l.Reply != nil && l.Reply.MsgType != events.MsgRelease && l.Reply.MsgType != events.MsgWait
}

// sentInstead says whether a reply is the one that ended its hold and has no
// passive form: it was in time, and is a command already. The outcome says so,
// not the log: one that was stored before its event ended no hold.
func (s *story) sentInstead(reply line) bool {
	return s.hold != nil && s.hold.Outcome == events.OutcomeReleased && s.hold.Sequence == reply.Sequence && !reply.Reply.Passive()
}

// others finds the next reply beside the one that counted. The same reply once
// more, as a consumer sends it whose ack was lost, is no other.
func (s *story) others(counted uint64, window time.Duration) step {
	var winner *line
	for at := range s.log {
		if s.log[at].Sequence == counted {
			winner = &s.log[at]
		}
	}
	if winner == nil || winner.Reply == nil {
		return step{} // older than what was read: nothing to compare with
	}
	for at, l := range s.log {
		if l.filed || !sendable(l) || l.Sequence == counted || s.expired(l, window) {
			continue
		}
		if l.sum == winner.sum || l.Reply.ID != "" && l.Reply.ID == winner.Reply.ID && l.Reply.Source == winner.Reply.Source {
			continue
		}
		return step{
			word: fileLine, line: l, at: at, class: events.ClassReplyUsed,
			reason: fmt.Sprintf("another reply, message %d of the stream, has answered this event", counted),
		}
	}
	return step{}
}
