package events

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// redriveMark stands between a command's id and the number of its redrive.
const redriveMark = "~"

// RedriveID is the id of the command that a dead letter becomes when it is sent
// again: <id>~1, and <id>~2 for the letter that <id>~1 left. It follows from the
// letter alone, so sending a letter again twice is one command, whoever does it.
func (l Letter) RedriveID(p Prefix) string {
	id, _ := l.next(p)
	return id
}

// next is the id and number of a letter's redrive. An id is taken apart only where
// the letter says that the bridge has put it together: order~5 may be its sender's
// own, and order~6 another command of theirs.
func (l Letter) next(p Prefix) (again string, n int) {
	id, n := l.command(p), 1
	if base, found := strings.CutSuffix(id, redriveMark+strconv.Itoa(l.Redriven)); found && l.Redriven > 0 {
		id, n = base, l.Redriven+1
	}
	again = id + redriveMark + strconv.Itoa(n)
	if len(again) > maxID {
		sum := sha256.Sum256([]byte(id))
		again = hex.EncodeToString(sum[:]) + redriveMark + strconv.Itoa(n)
	}
	return again, n
}

// redriveOf is which redrive an event says it is, 0 for none.
func redriveOf(extensions map[string]any) int {
	n, err := strconv.Atoi(formatted(extensions[extRedrive]))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Redrive is a dead letter made a command again.
type Redrive struct {
	Verb  string
	Event cloudevents.Event
	// Header are the original's headers beside those of the event, for the message.
	Header Header
	// Notes say what of the original is not in it.
	Notes []string
}

// RedriveError is why a dead letter cannot become a command.
type RedriveError struct{ Problem string }

func (e *RedriveError) Error() string { return e.Problem }

// Redrive makes the command that sends a letter again: a new one, whose id is
// RedriveID, whose causationid is the old id, and whose wxredrive counts. The original is passed in,
// because the letter may only hold a reference to it. Commands can be sent again,
// and a late reply that was dropped, as a custom message. Errors are *RedriveError.
func (l Letter) Redrive(p Prefix, appID string, header Header, original []byte, at time.Time) (Redrive, error) {
	branch, verb, _ := p.Split(l.Subject)
	switch {
	case l.Class == ClassUnparsable:
		return Redrive{}, &RedriveError{"a callback that cannot be read is no command: nothing can be sent again"}
	case branch == Replies && l.Class != ClassLateDropped:
		return Redrive{}, &RedriveError{unsendable(l.Class)}
	case branch != Cmd && branch != Replies:
		return Redrive{}, &RedriveError{fmt.Sprintf("its original was no command: it was published on %q", l.Subject)}
	case len(original) == 0:
		return Redrive{}, &RedriveError{"the letter holds no original, which was empty, held credentials, or is lost: only its sender can send it again"}
	case branch == Replies:
		return l.redriveReply(p, appID, header, original, at)
	}
	return l.redriveCommand(p, appID, verb, header, original, at)
}

// unsendable says why a reply of a class is not sent again.
func unsendable(class string) string {
	switch class {
	case ClassReplyInvalid:
		return "an invalid reply cannot be sent: mend it, and send it as send_custom_message"
	case ClassReplyUnknown:
		return "nobody knows whom this reply was meant for: send it as send_custom_message to the right follower"
	case ClassReplyUsed:
		return "another reply has answered this event: if the follower shall have both, send this one as send_custom_message"
	}
	return "a reply of class " + class + " cannot be sent again"
}

func (l Letter) redriveCommand(p Prefix, appID, verb string, header Header, original []byte, at time.Time) (Redrive, error) {
	m := Message{Subject: l.Subject, Header: header, Body: original, Time: at}
	id, n := l.next(p)
	c, err := ParseCommand(p, m, id)
	if err != nil {
		return Redrive{}, &RedriveError{"it is no valid command, and would be refused again: " + err.Error()}
	}
	r := Redrive{Verb: verb, Header: besideEvent(header)}
	e, isEvent, _ := Decode(header, original) // ParseCommand has
	if isEvent {
		e.SetID(id)
		e.SetTime(at.UTC())
	} else if e, err = NewCommand(verb, id, Source(appID), at, c.Data); err != nil {
		return Redrive{}, &RedriveError{err.Error()}
	}
	e.SetExtension(extCausation, l.Cause)
	e.SetExtension(extRedrive, strconv.Itoa(n))
	if _, set := e.Extensions()[extExpiry]; set && !c.Expires.After(at) {
		e.SetExtension(extExpiry, nil)
		r.Notes = append(r.Notes, "the original's expirytime "+c.Expires.UTC().Format(time.RFC3339)+" is over and left out")
	}
	r.Event = e
	return r, nil
}

func (l Letter) redriveReply(p Prefix, appID string, header Header, original []byte, at time.Time) (Redrive, error) {
	if l.OpenID == "" || l.Event == "" {
		return Redrive{}, &RedriveError{"the letter does not say whom the reply was meant for"}
	}
	reply, err := ParseReply(header, original)
	if err != nil {
		return Redrive{}, &RedriveError{"it is no valid reply: " + err.Error()}
	}
	e, cut, err := NewLateCommand(appID, l.Event, l.OpenID, reply, at)
	if err != nil {
		return Redrive{}, &RedriveError{err.Error()}
	}
	id, n := l.next(p)
	e.SetID(id)
	e.SetExtension(extRedrive, strconv.Itoa(n))
	r := Redrive{Verb: LateVerb, Event: e}
	if cut != "" {
		r.Notes = append(r.Notes, cut)
	}
	return r, nil
}

// besideEvent are the headers of a message that are neither NATS's nor part of
// an event.
func besideEvent(h Header) Header {
	kept := WithoutNATS(h)
	for name := range kept {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, attributeHeader) || lower == strings.ToLower(contentTypeHeader) {
			delete(kept, name)
		}
	}
	return kept
}
