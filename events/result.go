package events

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// How a command ends.
const (
	// ResultDone: WeChat executed it.
	ResultDone = "done"
	// ResultRejected: refused by our checks or finally by WeChat.
	ResultRejected = "rejected"
	// ResultFailed: every allowed try was used up.
	ResultFailed = "failed"
	// ResultExpired: its time ran out before it could be sent.
	ResultExpired = "expired"
	// ResultUnknown: it was sent, and nobody can know.
	ResultUnknown = "unknown"
)

// Result is the data of wx.result.<verb> and the answer of wx.call.<verb>: the
// one terminal result of a command.
type Result struct {
	Outcome string `json:"outcome"`
	// ErrCode is WeChat's errcode, 0 on success and where WeChat did not answer.
	ErrCode int `json:"errcode"`
	// ErrMsg is WeChat's errmsg, or what was wrong before WeChat was asked.
	ErrMsg string `json:"errmsg,omitempty"`
	// RID is WeChat's request id, which its support asks for.
	RID string `json:"rid,omitempty"`
	// Class is the action class of what went wrong, "" when done; or call_only (a
	// verb with credentials, refused on wx.cmd), id_conflict (another command had
	// the id) or expired.
	Class string `json:"class,omitempty"`
	// Attempts counts the requests written for this command, over all processes.
	Attempts int `json:"attempts"`
	// ElapsedMS is the time from storing the command to its result, in milliseconds.
	ElapsedMS int64 `json:"elapsed_ms"`
	// Response is WeChat's answer, always an object. What the schema knows of it has
	// the schema's form, ids of 64 bits are text, and what WeChat adds is kept.
	Response json.RawMessage `json:"response,omitempty"`
	// ResponseRef is a dataref to the answer if it is too large for a message:
	// nats-object://<bucket>/<name>.
	ResponseRef string `json:"response_ref,omitempty"`
	// Warnings name what was passed on and is not known, one field each.
	Warnings []string `json:"warnings,omitempty"`
}

// ResultID is the id of a command's result event.
func ResultID(commandID string) string { return commandID + ".res" }

// NewResult makes the result event of a command.
func NewResult(appID string, c Command, id string, at time.Time, r Result) (cloudevents.Event, error) {
	e, err := newEvent(Results, c.Verb, id, Source(appID), at, r)
	if err != nil {
		return e, err
	}
	setFollower(&e, c.PartitionKey)
	e.SetExtension(extCausation, c.ID)
	c.Trace.set(&e)
	return e, nil
}

// ParseResult reads a message of wx.result.<verb>: the result and the id of the
// command that it belongs to.
func ParseResult(header Header, body []byte) (r Result, commandID string, err error) {
	e, isEvent, err := Decode(header, body)
	if err != nil {
		return Result{}, "", err
	}
	if !isEvent {
		return Result{}, "", fmt.Errorf("a result is always a CloudEvent")
	}
	if err := json.Unmarshal(e.Data(), &r); err != nil {
		return Result{}, "", fmt.Errorf("result: %w", err)
	}
	return r, extension(e, extCausation), nil
}
