package events

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// How a hold ends.
const (
	// OutcomeReplied: the callback was answered with the reply.
	OutcomeReplied = "replied"
	// OutcomeReleased: a release was seen, the callback was answered with success.
	OutcomeReleased = "released"
	// OutcomeFallback: nobody decided in time, the fallback text went out.
	OutcomeFallback = "fallback"
	// OutcomeUnanswered: nobody decided in time, the callback was answered with success.
	OutcomeUnanswered = "unanswered"
)

// Outcome is the data of wx.outcome.<kind>: how one held inbound event ended.
type Outcome struct {
	Outcome string `json:"outcome"`
	// Try is WeChat's try, from 1, whose response carried the answer.
	Try int `json:"try"`
	// MS is the time from the arrival of that try to the decision, in milliseconds.
	MS int64 `json:"ms"`
	// Source is the replier's CloudEvents source, if it named one.
	Source string `json:"source,omitempty"`
	// Sequence is the deciding message's in WX_REPLY.
	Sequence uint64 `json:"sequence,omitempty"`
}

// NewOutcome makes the outcome event of the inbound event with this id. cause
// is the id of the reply that decided, if it had one.
func NewOutcome(appID, kind, id, openID, cause string, at time.Time, o Outcome) (cloudevents.Event, error) {
	e, err := newEvent(Outcomes, kind, id+".out", Source(appID), at, o)
	if err != nil {
		return e, err
	}
	if openID != "" {
		e.SetSubject(openID)
		e.SetExtension(extPartitionKey, openID)
	}
	e.SetExtension(extCorrelation, id)
	if cause != "" {
		e.SetExtension(extCausation, cause)
	}
	return e, nil
}

// ParseOutcome reads the data of a message of wx.outcome.<kind>.
func ParseOutcome(header Header, body []byte) (Outcome, error) {
	e, isEvent, err := Decode(header, body)
	if err != nil {
		return Outcome{}, err
	}
	if !isEvent {
		return Outcome{}, fmt.Errorf("an outcome is always a CloudEvent")
	}
	var o Outcome
	if err := json.Unmarshal(e.Data(), &o); err != nil {
		return Outcome{}, fmt.Errorf("outcome: %w", err)
	}
	return o, nil
}
