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
	// OutcomeLateSent: a reply that no callback could carry became a command; what
	// WeChat said to it is that command's result.
	OutcomeLateSent = "late_sent"
	// OutcomeLateDropped: a reply that no callback could carry was not sent; the
	// dead letter says why.
	OutcomeLateDropped = "late_dropped"
)

// Outcome is the data of wx.outcome.<kind>: how an inbound event ended. A held
// event has one of replied, released, fallback and unanswered; the first reply
// that comes after it, or to an event that was never held, adds late_sent or
// late_dropped.
type Outcome struct {
	Outcome string `json:"outcome"`
	// Try is WeChat's try, from 1, whose response carried the answer; 0 when none did.
	Try int `json:"try"`
	// MS is the time from the arrival of that try to the decision, in milliseconds;
	// without a try, from the storing of the event.
	MS int64 `json:"ms"`
	// Source is the replier's CloudEvents source, if it named one.
	Source string `json:"source,omitempty"`
	// Sequence is the deciding message's in WX_REPLY.
	Sequence uint64 `json:"sequence,omitempty"`
	// Cut says what of a late reply a custom message cannot carry, and was left out.
	Cut string `json:"cut,omitempty"`
	// Reason is why a late reply was dropped.
	Reason string `json:"reason,omitempty"`

	// Event is the inbound event's id, the outcome's correlationid.
	Event string `json:"-"`
}

// Late says whether the outcome is that of a late reply, and not of the hold.
func (o Outcome) Late() bool {
	return o.Outcome == OutcomeLateSent || o.Outcome == OutcomeLateDropped
}

// OutcomeMsgID is the Nats-Msg-Id of an outcome of the inbound event with this
// id. A hold has one, and whatever comes after it another: the first to be
// stored is the only one, whoever publishes it.
func OutcomeMsgID(appID, id string, late bool) string {
	if late {
		return appID + "." + id + ".late"
	}
	return appID + "." + id + ".hold"
}

// maxCause is the longest name of a reply or of its sender that the bridge's
// events repeat, in bytes. Longer ones are left out: a sender that fills a whole
// message with it must not keep an outcome from being stored.
const maxCause = 4 << 10

// NewOutcome makes an outcome event of the inbound event with this id. cause is
// the id of the reply that decided, if it had one. Publish it under OutcomeMsgID.
func NewOutcome(appID, kind, id, openID, cause string, at time.Time, o Outcome) (cloudevents.Event, error) {
	if len(o.Source) > maxCause {
		o.Source = ""
	}
	if len(cause) > maxCause {
		cause = ""
	}
	own := id + ".out"
	if o.Late() {
		own = LateID(id) + ".out"
	}
	e, err := newEvent(Outcomes, kind, own, Source(appID), at, o)
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

// ParseOutcome reads a message of wx.outcome.<kind>.
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
	o.Event = extension(e, extCorrelation)
	return o, nil
}
