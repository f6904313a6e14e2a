package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Letter is a dead letter as it stands in WX_DLQ.
type Letter struct {
	DeadLetter
	// ID is the event's.
	ID string
	// Name is the verb or kind under which it is filed.
	Name string
	// Cause is the id of the command or reply that it is about, "" if it had none.
	Cause string
	// Event is the id of the inbound event that a reply was meant for.
	Event string
	// OpenID is the follower's, where anybody knows it.
	OpenID string
	// Redriven is how many times the command that it is about was sent again.
	Redriven int
	// Sequence is its number in the stream, Time when it was stored there.
	Sequence uint64
	Time     time.Time
}

// ParseLetter reads a message of wx.dlq.<name>.
func ParseLetter(p Prefix, m Message) (Letter, error) {
	branch, name, ok := p.Split(m.Subject)
	if !ok || branch != DLQ {
		return Letter{}, fmt.Errorf("subject %q carries no dead letter of prefix %q", m.Subject, p)
	}
	l := Letter{Name: name, Sequence: m.Sequence, Time: m.Time}
	e, isEvent, err := Decode(m.Header, m.Body)
	switch {
	case err != nil:
		return l, fmt.Errorf("no dead letter of the bridge: %w", err)
	case !isEvent:
		return l, errors.New("no dead letter of the bridge: the message is no CloudEvent")
	}
	if err := checkType(DLQ, name, e.Type()); err != nil {
		return l, fmt.Errorf("no dead letter of the bridge: %w", err)
	}
	if err := json.Unmarshal(e.Data(), &l.DeadLetter); err != nil {
		return l, fmt.Errorf("no dead letter of the bridge: %w", err)
	}
	l.ID, l.OpenID = e.ID(), e.Subject()
	l.Cause, l.Event = extension(e, extCausation), extension(e, extCorrelation)
	l.Redriven = redriveOf(e.Extensions())
	return l, nil
}

// isReply says whether the original is a reply.
func (l Letter) isReply(p Prefix) bool {
	branch, _, _ := p.Split(l.Subject)
	return branch == Replies
}

// command is the id of the command that the letter is about. Of an id_conflict
// it is one of its own, as that of its result: the letter of the command that
// had the id first has that id.
func (l Letter) command(p Prefix) string {
	if l.isReply(p) {
		return LateID(l.Event)
	}
	if id, ok := strings.CutSuffix(l.ID, ResultID("")+letterSuffix); ok {
		return id
	}
	return l.Cause
}
