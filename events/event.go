package events

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Extension attributes; CloudEvents allows them only [a-z0-9].
const (
	extPartitionKey = "partitionkey"
	extReplyTo      = "wxreplyto"
	extDeadline     = "wxdeadline"
	extCorrelation  = "correlationid"
	extCausation    = "causationid"
	extExpiry       = "expirytime"
	extOnUnknown    = "wxonunknown"
	extRedrive      = "wxredrive"
	extTraceParent  = "traceparent"
	extTraceState   = "tracestate"
)

// Source is the source of what the bridge says about an account.
func Source(appID string) string { return "//mp.weixin.qq.com/" + appID }

// newEvent makes an event with the attributes that all of ours have.
func newEvent(b Branch, name, id, source string, at time.Time, data any) (cloudevents.Event, error) {
	e := cloudevents.New()
	e.SetType(Type(b, name))
	e.SetDataSchema(Schema(b, name))
	e.SetID(id)
	e.SetSource(source)
	e.SetTime(at.UTC())
	encoded, err := asJSON(data)
	if err != nil {
		return e, err
	}
	e.SetDataContentType(cloudevents.ApplicationJSON)
	// Set as they are: SetData would turn & < > into escapes.
	// JSON that somebody else wrote may hold a character cut in the middle, inside
	// of a string; nobody could read the event.
	if !utf8.Valid(encoded) {
		encoded = bytes.ToValidUTF8(encoded, []byte("\uFFFD"))
	}
	e.DataEncoded = encoded
	return e, nil
}

// asJSON is what is JSON already, or what it is in JSON.
func asJSON(data any) (json.RawMessage, error) {
	switch data := data.(type) {
	case json.RawMessage:
		return data, nil
	case []byte:
		return data, nil
	}
	return marshal(data)
}

// marshal is json.Marshal without HTML escapes: these events are read by people.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// setFollower names the follower whom an event is about, if anybody knows.
func setFollower(e *cloudevents.Event, openID string) {
	if openID != "" {
		e.SetSubject(openID)
		e.SetExtension(extPartitionKey, openID)
	}
}

// extension reads an extension attribute as text.
func extension(e cloudevents.Event, name string) string { return formatted(e.Extensions()[name]) }

func formatted(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	}
	// In JSON an extension may also be a number or a boolean: an OpenID of digits, say.
	s, err := types.Format(value)
	if err != nil {
		return ""
	}
	return s
}

// Trace is the W3C trace context that travels with an event, from HTTP to bus
// to HTTP. It may be empty.
type Trace struct{ Parent, State string }

func (t Trace) set(e *cloudevents.Event) {
	if t.Parent == "" {
		return
	}
	e.SetExtension(extTraceParent, t.Parent)
	if t.State != "" {
		e.SetExtension(extTraceState, t.State)
	}
}
