package egress

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// redriveLetter sends one letter again, or says why not. The error is the bus's:
// nobody knows what became of the letter, and asking again finds out.
func (e *Egress) redriveLetter(ctx context.Context, want events.RedriveRequest, marks *bus.RedriveMarks, m events.Message) (events.RedrivenLetter, error) {
	p := e.bus.Prefix
	did := events.RedrivenLetter{Sequence: m.Sequence, Did: events.LetterRefused}
	l, err := events.ParseLetter(p, m)
	did.Name = l.Name
	if err != nil {
		did.Reason = err.Error()
		return did, nil //nolint:nilerr // it is what became of the letter
	}
	did.Command = l.Cause
	mark, err := marks.Load(ctx, l)
	switch {
	case err != nil:
		return did, err
	case mark.Stored():
		did.Did, did.ID = events.LetterAlready, mark.ID
		did.Reason = "sent again at " + mark.Time.UTC().Format(time.RFC3339)
		return did, nil
	case l.Outcome == events.ResultUnknown && !want.Unknown:
		did.Reason = `WeChat may have executed it already: "unknown":true sends it all the same`
		return did, nil
	}
	again, err := e.commandOf(ctx, l)
	if refused := (*events.RedriveError)(nil); errors.As(err, &refused) {
		did.Reason = refused.Problem
		return did, nil
	}
	if err != nil {
		return did, err
	}
	if mark.IsNew() {
		claim, err := e.claims.Load(ctx, mark.ID)
		if err != nil {
			return did, err
		}
		if claim.State != "" {
			now, err := marks.Load(ctx, l)
			if err != nil {
				return did, err
			}
			if !now.IsNew() { // somebody else has just sent it again, and it had its turn
				return e.redriveLetter(ctx, want, marks, m)
			}
			// Its result would be taken for that of the letter, or both refused.
			did.Reason = fmt.Sprintf("the id of its redrive, %s, is that of another command: send it under an id of your own", mark.ID)
			return did, nil
		}
	}
	did.ID, did.Notes, did.Did = again.Event.ID(), again.Notes, events.LetterWouldBe
	if want.DryRun {
		return did, nil
	}
	did.Did, err = e.sendAgain(ctx, marks, mark, again)
	switch {
	case bus.Conflict(err): // somebody else does so at this moment
		select {
		case <-ctx.Done():
			return did, ctx.Err()
		case <-time.After(50 * time.Millisecond): // not every replica knows it at once
		}
		return e.redriveLetter(ctx, want, marks, m)
	case did.Did == events.LetterRefused:
		did.Reason, err = err.Error(), nil
	}
	return did, err
}

// commandOf makes the command of a letter. What egress would refuse again is a
// *events.RedriveError: it would only leave another letter.
func (e *Egress) commandOf(ctx context.Context, l events.Letter) (events.Redrive, error) {
	p := e.bus.Prefix
	header, original, err := bus.App{JetStream: e.bus.JetStream(), Prefix: p}.Original(ctx, l.DeadLetter)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return events.Redrive{}, &events.RedriveError{Problem: "the original is gone: " + err.Error()}
	}
	if err != nil {
		return events.Redrive{}, err
	}
	again, err := l.Redrive(p, e.appID, header, original, time.Now())
	if err != nil {
		return again, err
	}
	header, body, err := events.EncodeStructured(again.Event)
	if err != nil {
		return again, &events.RedriveError{Problem: err.Error()}
	}
	j := &job{message: events.Message{Subject: p.Subject(events.Cmd, again.Verb), Header: header, Body: body, Time: time.Now()}}
	j.command, j.malformed = events.ParseCommand(p, j.message, again.Event.ID())
	if odd := fit(&j.command, again.Event.ID()); j.malformed == nil {
		j.malformed = odd
	}
	e.recognise(j)
	if err := e.refuse(j); err != nil {
		return again, &events.RedriveError{Problem: "it would be refused again: " + err.Error()}
	}
	return again, nil
}

// idsLast is how long a command may be stored again whose first storing nobody
// has confirmed: its id is remembered for 7 days, of which it may wait for 6.
const idsLast = 24 * time.Hour

// sendAgain stores the command of a letter and marks the letter, before and
// after. With events.LetterRefused the error is the reason.
func (e *Egress) sendAgain(ctx context.Context, marks *bus.RedriveMarks, mark bus.RedriveMark, again events.Redrive) (did string, err error) {
	switch {
	case mark.IsNew():
		if err := marks.Save(ctx, &mark); err != nil {
			return "", err
		}
	case time.Since(mark.Time) > idsLast:
		return events.LetterRefused, fmt.Errorf("somebody began to send it again as %s at %s, and nobody can know any more whether that was stored",
			mark.ID, mark.Time.UTC().Format(time.RFC3339))
	}
	header, body, err := events.EncodeStructured(again.Event)
	if err != nil {
		return events.LetterRefused, err
	}
	maps.Copy(header, again.Header)
	within, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	ack, err := e.bus.Publish(within, e.bus.Prefix.Subject(events.Cmd, again.Verb), header, body, e.appID+"."+mark.ID, "")
	if err != nil {
		return "", err
	}
	mark.Sequence = ack.Sequence
	if err := marks.Save(ctx, &mark); err != nil {
		// Whoever asks again stores the same command, which is harmless for a day.
		e.logger.Warn("a letter was sent again and is not marked so", "letter", mark.Letter, "command", mark.ID, "error", err)
	}
	return events.LetterRedriven, nil
}
