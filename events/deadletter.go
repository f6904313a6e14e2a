package events

import (
	"strings"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// DeadLetter is the data of wx.dlq.<verb or kind>: what could not be processed,
// with the reason and the original.
type DeadLetter struct {
	Reason   string `json:"reason"`
	Class    string `json:"class"`
	Attempts int    `json:"attempts"`
	Subject  string `json:"subject"`
	Headers  Header `json:"headers,omitempty"`
	// Body is the original if it is UTF-8, otherwise BodyBase64 is; also if JSON's
	// escapes would make it longer than that.
	Body       string `json:"body,omitempty"`
	BodyBase64 []byte `json:"body_base64,omitempty"`
}

// The classes of dead letters that no command left.
const (
	ClassReplyInvalid = "reply_invalid"
	ClassUnparsable   = "unparsable"
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
