package events

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// deadlineFormat is RFC 3339 with milliseconds.
const deadlineFormat = "2006-01-02T15:04:05.000Z07:00"

// NewInbound makes the event of one follower message or event. Its id, which is
// also the key to reply under, follows from the message alone, so every replica
// and every try of WeChat computes the same. A zero deadline means that the
// callback is not held.
func NewInbound(p Prefix, appID string, m *callback.Message, deadline time.Time, trace Trace) (cloudevents.Event, error) {
	id := m.ID()
	e, err := newEvent(Inbound, m.Kind, id, Source(appID), m.CreateTime, json.RawMessage(m.JSON()))
	if err != nil {
		return e, fmt.Errorf("inbound event %s: %w", id, err)
	}
	e.SetSubject(m.FromUserName)
	e.SetExtension(extPartitionKey, m.FromUserName)
	e.SetExtension(extReplyTo, p.Subject(Replies, id))
	if !deadline.IsZero() {
		e.SetExtension(extDeadline, deadline.UTC().Format(deadlineFormat))
	}
	trace.set(&e)
	return e, nil
}

// InboundEvent is an event of wx.inbound.<kind> as a service reads it.
type InboundEvent struct {
	ID     string
	Kind   string
	OpenID string
	Time   time.Time
	// ReplyTo is the subject to publish a reply on.
	ReplyTo string
	// Deadline is until when a passive reply can still go out; zero if the
	// callback is not held.
	Deadline time.Time
	// Data is WeChat's own XML as JSON: the element names are those of its docs.
	Data json.RawMessage
}

// Decode reads the data into the struct of its kind and returns a pointer to it:
// *callback.TextMessage, *callback.ScanEvent and so on, for a type switch; an
// *callback.Unknown for a kind that has none.
//
// Who subscribes to one kind may write json.Unmarshal(in.Data, &text) instead.
func (in InboundEvent) Decode() (any, error) {
	data, err := callback.Decode(in.Kind, in.Data)
	if err != nil {
		return nil, fmt.Errorf("inbound event %s: %w", in.ID, err)
	}
	return data, nil
}

// ParseInbound reads a message of wx.inbound.<kind>. The empty prefix takes
// those of every account.
func ParseInbound(p Prefix, m Message) (InboundEvent, error) {
	branch, kind, ok := p.Split(m.Subject)
	if !ok || branch != Inbound {
		return InboundEvent{}, fmt.Errorf("subject %q carries no inbound event of prefix %q", m.Subject, p)
	}
	e, isEvent, err := Decode(m.Header, m.Body)
	if err != nil {
		return InboundEvent{}, err
	}
	if !isEvent {
		return InboundEvent{}, fmt.Errorf("subject %q: the message is no CloudEvent", m.Subject)
	}
	if err := checkType(Inbound, kind, e.Type()); err != nil {
		return InboundEvent{}, err
	}
	in := InboundEvent{
		ID: e.ID(), Kind: kind, OpenID: e.Subject(), Time: e.Time(),
		ReplyTo: extension(e, extReplyTo), Data: e.Data(),
	}
	if deadline := extension(e, extDeadline); deadline != "" {
		if in.Deadline, err = time.Parse(time.RFC3339, deadline); err != nil {
			return InboundEvent{}, fmt.Errorf("%s: %w", extDeadline, err)
		}
	}
	return in, nil
}
