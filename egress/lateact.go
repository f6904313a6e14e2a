package egress

import (
	"context"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// look has a worker look at a story. The caller holds mu.
func (l *Late) look(s *story) {
	if !l.caughtUp || s.queued || s.working {
		return // whoever works on it looks again when done
	}
	s.queued = true
	l.todo = append(l.todo, s)
	l.nudge()
}

func (l *Late) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// work acts on stories until ctx ends.
func (l *Late) work(ctx context.Context) {
	for {
		s, next := l.take()
		if s == nil {
			select {
			case <-ctx.Done():
				return
			case <-l.wake:
			}
			continue
		}
		if next.word == noStep {
			continue
		}
		l.done(s, next, l.do(ctx, next))
		if ctx.Err() != nil {
			return
		}
	}
}

// take is the next story to act on and what to do, nothing if there is nothing.
func (l *Late) take() (*story, step) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.todo) == 0 {
		return nil, step{}
	}
	s := l.todo[0]
	l.todo[0] = nil
	if l.todo = l.todo[1:]; len(l.todo) > 0 {
		l.nudge()
	}
	s.queued = false
	next := s.next(l.window, l.drop)
	l.troubles.keep(s, next.word)
	if next.word == fileLine {
		if l.jammed && l.filing > 0 {
			l.after(fileAgain, s)
			return s, step{}
		}
		l.filing++
	}
	next.about = s.about // as it is now: the doing holds no lock
	s.working = next.word != noStep
	return s, next
}

// done puts down what was done, or that it must be tried again.
func (l *Late) done(s *story, did step, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.working = false
	again := lateAgain
	if did.word == fileLine {
		l.filing--
		l.jammed = err != nil
		again = fileAgain
	}
	if err != nil {
		if l.troubles.met(did.word, s, err) {
			l.logger.Warn("late replies wait for the bus", "event", s.key, "kind", s.kind, "error", err)
		}
		l.after(again, s)
		return
	}
	if l.troubles.over(did.word, s) {
		l.logger.Info("late replies no longer wait for the bus")
	}
	switch did.word {
	case fileLine:
		s.log[did.at].filed = true
		if s.stored.IsZero() && s.odd(l.window).word == noStep {
			// All of it is kept elsewhere. A flood of replies to keys that no event
			// has must not fill the memory for as long as the reply window.
			l.remove(s)
			return
		}
	case closeIt:
		s.closed = true
	case claim:
		s.claimed = true
	case sendLate, dropLate:
		s.late, s.counted = true, did.line.Sequence
	case noStep:
	}
	l.look(s)
}

// do does a step. It may be done before, by another replica or by this process
// in an earlier life: the streams keep the first.
func (l *Late) do(ctx context.Context, next step) error {
	within := lateWithin
	if next.word == fileLine || next.word == dropLate {
		within = fileWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	switch next.word {
	case fileLine:
		m, err := l.bus.Stored(ctx, bus.StreamReply, next.line.Sequence)
		if err != nil {
			return l.unlessGone(err, next)
		}
		return l.file(ctx, next, m)
	case closeIt:
		return l.close(ctx, next)
	case claim:
		return l.conclude(ctx, next, events.Outcome{
			Outcome: next.outcome, MS: l.ripe.Milliseconds(), Sequence: next.line.Sequence,
		})
	case sendLate:
		return l.send(ctx, next)
	case dropLate:
		return l.refuse(ctx, next)
	case noStep:
	}
	return nil
}

// unlessGone forgives that a message is no longer in the stream: its time is over.
func (l *Late) unlessGone(err error, next step) error {
	if !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	l.logger.Error("a reply is lost: it left the stream before it could be worked on", "event", next.key, "sequence", next.line.Sequence)
	return nil
}

// file keeps a reply as a dead letter.
func (l *Late) file(ctx context.Context, next step, m events.Message) error {
	name := next.kind
	if name == "" {
		name = events.ReplyLetters
	}
	e, err := events.NewReplyLetter(l.appID, name, next.key, next.openID, next.class, next.reason, m, time.Now())
	if err != nil {
		return err
	}
	ack, err := l.bus.PublishLetter(ctx, name, e, l.appID+"."+e.ID())
	if err == nil && !ack.Duplicate {
		l.logger.Warn("a reply counts for nothing", "event", next.key, "kind", next.kind, "sequence", next.line.Sequence,
			"class", next.class, "reason", next.reason)
		l.observe.Settled(Settled{ID: next.key, Kind: next.kind, Class: next.class})
	}
	return err
}

// close ends a hold on every replica; what then stands in the log decides.
func (l *Late) close(ctx context.Context, next step) error {
	e, err := events.NewMark(nuid.Next(), events.Source(l.appID), time.Now(), events.Mark{
		Mark: events.MarkClosed, Outcome: events.OutcomeUnanswered, Event: next.key, OpenID: next.openID, Kind: next.kind,
	})
	if err != nil {
		return err
	}
	_, err = l.publish(ctx, events.Marks, next.key, e, "")
	return err
}

// conclude stores an outcome, if there is none of its sort yet.
func (l *Late) conclude(ctx context.Context, next step, o events.Outcome) error {
	cause := ""
	if reply := next.line.Reply; reply != nil {
		o.Source, cause = reply.Source, reply.ID
	}
	e, err := events.NewOutcome(l.appID, next.kind, next.key, next.openID, cause, time.Now(), o)
	if err != nil {
		return err
	}
	ack, err := l.publish(ctx, events.Outcomes, next.kind, e, events.OutcomeMsgID(l.appID, next.key, o.Late()))
	if err == nil && !ack.Duplicate {
		l.logger.Info("an inbound event is settled", "event", next.key, "kind", next.kind, "outcome", o.Outcome)
		l.observe.Settled(Settled{ID: next.key, Kind: next.kind, Outcome: o.Outcome})
	}
	return err
}

// send makes a command of the late reply, which from then on goes down the road
// of every command; the outcome says that it is stored.
func (l *Late) send(ctx context.Context, next step) error {
	m, err := l.bus.Stored(ctx, bus.StreamReply, next.line.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		next.reason = "it left the stream before it could be sent"
		return l.dropped(ctx, next)
	}
	if err != nil {
		return err
	}
	reply, err := events.ParseReply(m.Header, m.Body)
	if err != nil {
		return fmt.Errorf("message %d of the stream is no longer the reply that it was: %w", m.Sequence, err)
	}
	command, cut, err := events.NewLateCommand(l.appID, next.key, next.openID, reply, time.Now())
	if err != nil {
		return err
	}
	_, err = l.publish(ctx, events.Cmd, events.LateVerb, command, l.appID+"."+command.ID())
	if bus.TooLarge(err) {
		next.class, next.reason = events.ClassLateDropped, fmt.Sprintf("it has %d bytes, too many for a command", len(m.Body))
		return l.refuse(ctx, next)
	}
	if err != nil {
		return err
	}
	return l.conclude(ctx, next, events.Outcome{
		Outcome: events.OutcomeLateSent, MS: next.age(), Sequence: next.line.Sequence, Cut: cut,
	})
}

// refuse keeps the late reply as a dead letter, then says so.
func (l *Late) refuse(ctx context.Context, next step) error {
	m, err := l.bus.Stored(ctx, bus.StreamReply, next.line.Sequence)
	if err == nil {
		err = l.file(ctx, next, m)
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	return l.dropped(ctx, next)
}

func (l *Late) dropped(ctx context.Context, next step) error {
	return l.conclude(ctx, next, events.Outcome{
		Outcome: events.OutcomeLateDropped, MS: next.age(), Sequence: next.line.Sequence, Reason: next.reason,
	})
}

// age is how long after the event its line was stored, in milliseconds.
func (s step) age() int64 { return max(0, s.line.at.Sub(s.stored).Milliseconds()) }

func (l *Late) publish(ctx context.Context, branch events.Branch, name string, e cloudevents.Event, id string) (bus.Ack, error) {
	return l.bus.PublishEvent(ctx, l.names.Subject(branch, name), e, id, "")
}
