package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// DeadLetter is the data of wx.dlq.<verb or kind>: what could not be processed,
// with the reason and the original.
type DeadLetter struct {
	// Reason says in one line what was wrong.
	Reason string `json:"reason"`
	// Class groups the reasons: that of the command's result, or one of those below.
	Class string `json:"class"`
	// Outcome is that of the command's result, "" for what was no command. Of an
	// unknown one WeChat may have executed the original.
	Outcome string `json:"outcome,omitempty"`
	// Attempts counts the requests written to WeChat for it.
	Attempts int `json:"attempts"`
	// Subject is where the original was published; "" for a callback.
	Subject string `json:"subject"`
	// Headers are the original's, without those that instruct NATS.
	Headers Header `json:"headers,omitempty"`
	// Body is the original if it is UTF-8, otherwise BodyBase64 is; also if JSON's
	// escapes would make it longer than that.
	Body string `json:"body,omitempty"`
	// BodyBase64 is the original in Base64.
	BodyBase64 []byte `json:"body_base64,omitempty"`
	// BodyRef is a dataref to the original if it is too large for a message:
	// nats-object://<bucket>/<name>, kept as long as the letter. Its headers are then
	// the object's.
	BodyRef string `json:"body_ref,omitempty"`
}

// Original is what the letter itself carries of the original, nothing if that is
// where BodyRef says.
func (l DeadLetter) Original() []byte {
	if l.BodyBase64 != nil {
		return l.BodyBase64
	}
	return []byte(l.Body)
}

// The classes of dead letters that no command left.
const (
	// ClassUnparsable: an authentic callback that cannot be read.
	ClassUnparsable = "unparsable"
	// ClassReplyInvalid: a reply that the contract's rule does not let count.
	ClassReplyInvalid = "reply_invalid"
	// ClassReplyUnknown: a reply to a key with no event in the reply window.
	ClassReplyUnknown = "reply_unknown"
	// ClassReplyUsed: a valid reply to an event that another reply has answered.
	ClassReplyUsed = "reply_used"
	// ClassLateDropped: a reply that came after the hold and was not sent.
	ClassLateDropped = "late_dropped"
)

// letterSuffix makes a result's id that of the dead letter beside it.
const letterSuffix = ".dlq"

// LetterID is the id of the dead letter beside a result.
func LetterID(resultID string) string { return resultID + letterSuffix }

// NewDeadLetter makes the event of a dead letter. cause is the id of the
// message that could not be processed, "" if it had none.
func NewDeadLetter(name, id, source, cause string, at time.Time, letter DeadLetter, original []byte) (cloudevents.Event, error) {
	if isReadable(original) {
		letter.Body = string(original)
	} else {
		letter.BodyBase64 = original
	}
	letter.Headers = WithoutNATS(letter.Headers)
	e, err := newEvent(DLQ, name, id, source, at, letter)
	if err != nil {
		return e, err
	}
	if cause != "" {
		e.SetExtension(extCausation, cause)
	}
	return e, nil
}

// NewCommandLetter makes the dead letter of a command that ended without
// success: m as it was, and the result r with the id resultID.
func NewCommandLetter(appID string, c Command, resultID string, at time.Time, r Result, m Message) (cloudevents.Event, error) {
	e, err := NewDeadLetter(c.Verb, LetterID(resultID), Source(appID), c.ID, at, DeadLetter{
		Reason: r.ErrMsg, Class: r.Class, Outcome: r.Outcome, Attempts: r.Attempts, Subject: m.Subject, Headers: m.Header,
	}, m.Body)
	if err != nil {
		return e, err
	}
	setFollower(&e, c.PartitionKey)
	if c.Redriven > 0 {
		e.SetExtension(extRedrive, strconv.Itoa(c.Redriven))
	}
	c.Trace.set(&e)
	return e, nil
}

// NewReplyLetter makes the dead letter of a reply in the log of a key: one for
// each message of the log, by whichever process it is made. name is the inbound
// event's kind, or ReplyLetters if nobody knows it; openID is who is replied to,
// "" likewise. Publish it under its id.
func NewReplyLetter(appID, name, key, openID, class, reason string, m Message, at time.Time) (cloudevents.Event, error) {
	reply, _, _ := Decode(m.Header, m.Body) // for its id, if it has one
	cause := reply.ID()
	if len(cause) > maxCause {
		cause = ""
	}
	id := "reply." + strconv.FormatUint(m.Sequence, 10)
	e, err := NewDeadLetter(name, id, Source(appID), cause, at, DeadLetter{
		Reason: reason, Class: class, Subject: m.Subject, Headers: m.Header,
	}, m.Body)
	if err == nil {
		e.SetExtension(extCorrelation, key)
		setFollower(&e, openID)
	}
	return e, err
}

// WithoutOriginal takes the original out of a dead letter that no message can
// carry, and gives it a dataref instead, or the reason why there is none.
func WithoutOriginal(e cloudevents.Event, ref, lost string) (cloudevents.Event, error) {
	var letter DeadLetter
	if err := json.Unmarshal(e.Data(), &letter); err != nil {
		return e, fmt.Errorf("dead letter %s: %w", e.ID(), err)
	}
	letter.Headers, letter.Body, letter.BodyBase64, letter.BodyRef = nil, "", nil, ref
	if ref == "" {
		letter.Reason += " (the original is too large for a message and is lost: " + lost + ")"
	}
	data, err := marshal(letter)
	e = e.Clone()
	e.DataEncoded = data
	return e, err
}

// ReplyLetters is the name under which replies are filed whose inbound event
// nobody knows.
const ReplyLetters = "reply"

// WithoutNATS copies headers without those that instruct the server: a
// Nats-Rollup or Nats-TTL that a stranger set must not act on another stream.
func WithoutNATS(h Header) Header {
	kept := Header{}
	for name, values := range h {
		if !strings.HasPrefix(strings.ToLower(name), "nats-") {
			kept[name] = values
		}
	}
	return kept
}

// isReadable says whether a body is better kept as text than as base64.
func isReadable(body []byte) bool {
	controls := 0
	for _, c := range body {
		if c < ' ' {
			controls++ // up to six bytes in JSON
		}
	}
	return utf8.Valid(body) && 5*controls <= len(body)/3+1024
}
