package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

const (
	// CommandLife is how long a command without an expirytime may wait.
	CommandLife = 3 * 24 * time.Hour
	// maxExpiry is how far ahead an expirytime may lie: ids are remembered for 7 days.
	maxExpiry = 6 * 24 * time.Hour
	// maxID bounds a command's id, which becomes part of other ids.
	maxID = 255
	// msgIDHeader is NATS's; it is the id of a bare command.
	msgIDHeader = "Nats-Msg-Id"
)

// What to do with a command when nobody can know whether WeChat executed it.
const (
	OnUnknownReport = "report"
	OnUnknownResend = "resend"
)

// Command is one command of wx.cmd.<verb>.
type Command struct {
	ID   string
	Verb string
	// Data is WeChat's own request body for the verb's API.
	Data json.RawMessage
	// Source is the sender's CloudEvents source, "" for a bare command.
	Source string
	// PartitionKey is the OpenID that the sender named, "" without.
	PartitionKey string
	// Expires is when the command's life ends.
	Expires time.Time
	// OnUnknown is OnUnknownReport or OnUnknownResend.
	OnUnknown string
	// Redriven is how many times it was sent again from a dead letter. The bridge
	// says so; ids that only look like that of a redrive are anybody's.
	Redriven int
	Trace    Trace
}

// CommandError is why a message of wx.cmd.<verb> is no command.
type CommandError struct{ Problem string }

func (e *CommandError) Error() string { return e.Problem }

// ParseCommand reads a message of wx.cmd.<verb>, or a request of wx.call.<verb>; bareID is the id for a bare
// body without a Nats-Msg-Id. The Command is filled as far as it could be read,
// on errors too, so that a refusal can name it; its ID is never empty. Errors
// are *CommandError.
func ParseCommand(p Prefix, m Message, bareID string) (Command, error) {
	branch, verb, _ := p.Split(m.Subject)
	c := Command{ID: bareID, Verb: verb, OnUnknown: OnUnknownReport, Expires: m.Time.Add(CommandLife)}
	idErr := c.takeID(m.Header.Get(msgIDHeader))
	if e, ok := openPlain(m.Header, m.Body); ok {
		c.Data = e.data
		err := c.take(branch, e, m.Time, bareID)
		return c, err
	}
	e, isEvent, err := Decode(m.Header, m.Body)
	if err != nil {
		return c, &CommandError{err.Error()}
	}
	c.Data = bytes.TrimSpace(m.Body)
	if isEvent {
		c.Data = bytes.TrimSpace(e.Data())
		opened := envelope{id: e.ID(), source: e.Source(), eventType: e.Type(), extensions: e.Extensions()}
		idErr, err = nil, c.take(branch, opened, m.Time, bareID)
	}
	switch {
	case idErr != nil:
		return c, &CommandError{idErr.Error()}
	case err != nil:
		return c, err
	case len(c.Data) == 0:
		return c, &CommandError{"empty: the body must be a JSON object, {} for a verb without fields"}
	case !isObject(c.Data):
		return c, &CommandError{"data is not a JSON object in UTF-8"}
	}
	return c, nil
}

// take reads what an event says of a command. The error is a *CommandError.
func (c *Command) take(branch Branch, e envelope, stored time.Time, bareID string) error {
	c.ID, c.Source = bareID, e.source
	idErr := c.takeID(e.id)
	c.PartitionKey = formatted(e.extensions[extPartitionKey])
	c.Redriven = redriveOf(e.extensions)
	c.Trace = Trace{formatted(e.extensions[extTraceParent]), formatted(e.extensions[extTraceState])}
	err := c.readExtensions(branch, e.eventType, e.extensions, stored)
	if idErr != nil {
		err = idErr
	}
	if err != nil {
		return &CommandError{err.Error()}
	}
	return nil
}

// takeID sets the id, unless there is none or it is too long to be part of others.
func (c *Command) takeID(id string) error {
	switch {
	case len(id) > maxID:
		return fmt.Errorf("id is longer than %d bytes", maxID)
	case !utf8.ValidString(id):
		return errors.New("id is not valid UTF-8")
	case id != "":
		c.ID = id
	}
	return nil
}

func isObject(data []byte) bool {
	return len(data) > 0 && data[0] == '{' && json.Valid(data) && utf8.Valid(data)
}

func (c *Command) readExtensions(branch Branch, eventType string, extensions map[string]any, stored time.Time) error {
	// A request of wx.call may also be the command that it would be on wx.cmd.
	if err := checkType(branch, c.Verb, eventType); err != nil && (branch != Call || eventType != Type(Cmd, c.Verb)) {
		return err
	}
	switch on := formatted(extensions[extOnUnknown]); on {
	case "", OnUnknownReport:
	case OnUnknownResend:
		c.OnUnknown = on
	default:
		return fmt.Errorf("%s %q: report or resend", extOnUnknown, on)
	}
	if expiry, ok := extensions[extExpiry]; ok {
		at, err := parseTime(expiry)
		if err != nil {
			return fmt.Errorf("%s: %w", extExpiry, err)
		}
		if at.After(stored.Add(maxExpiry)) {
			return fmt.Errorf("%s %s: at most 6 days ahead", extExpiry, at.Format(time.RFC3339))
		}
		c.Expires = at
	}
	return nil
}

func parseTime(v any) (time.Time, error) {
	switch t := v.(type) {
	case time.Time:
		return t, nil
	default:
		return time.Parse(time.RFC3339, fmt.Sprint(v))
	}
}

// NewCommand makes a command event. id is the idempotency key: unique within
// the prefix for 7 days. data is WeChat's request body, a request type of
// package wxapi or JSON as json.RawMessage. Publish it on
// Prefix.Subject(Cmd, verb).
func NewCommand(verb, id, source string, at time.Time, data any) (cloudevents.Event, error) {
	body, err := asJSON(data)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("command %s: %w", id, err)
	}
	if body = bytes.TrimSpace(body); !isObject(body) {
		return cloudevents.Event{}, fmt.Errorf("command %s: data is not a JSON object", id)
	}
	return newEvent(Cmd, verb, id, source, at, body)
}
