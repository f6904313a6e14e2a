package events

import (
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

// LetterID is the id of the dead letter beside a result.
func LetterID(resultID string) string { return resultID + ".dlq" }

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

// NewReplyLetter makes the dead letter of a reply in the log of a key: one for
// each message of the log, by whichever process it is made. name is the inbound
// event's kind, or ReplyLetters if nobody knows it. Publish it under its id.
func NewReplyLetter(appID, name, key, class, reason string, m Message, at time.Time) (cloudevents.Event, error) {
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
	}
	return e, err
}

// Beginning is as much of a reply as a dead letter holds in any case, and what to
// add to the reason: a letter is longer than its original, which may be as long
// as NATS takes a message.
func Beginning(m Message) (short Message, note string) {
	note = fmt.Sprintf(" (of %d bytes, too many for a dead letter: it holds the beginning; the stream of replies holds all as message %d until the reply window ends)",
		len(m.Body), m.Sequence)
	m.Header, m.Body = nil, m.Body[:min(len(m.Body), beginning)]
	return m, note
}

// beginning is how many bytes Beginning keeps.
const beginning = 8 << 10

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
