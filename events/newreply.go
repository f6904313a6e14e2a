package events

import (
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// NewReply makes the event of an answer to a follower; publish it on the
// inbound event's ReplyTo. source names your service, in the outcome too, and id
// is unique within it.
//
// reply is a Reply; a string, which is the text of one; or, for the types that
// only a custom message has, whatever is one in JSON: a
// wxapi.SendCustomMessageRequest, a json.RawMessage. A reply that could not
// decide a hold is an error here, by the rule of ParseReply.
func NewReply(id, source string, at time.Time, reply any) (cloudevents.Event, error) {
	if text, ok := reply.(string); ok {
		reply = Reply{MsgType: "text", Text: &Text{Content: text}}
	}
	data, err := asJSON(reply)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("reply %s: %w", id, err)
	}
	e, err := newEvent(Replies, "", id, source, at, data)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("reply %s: %w", id, err)
	}
	_, err = parseReplyData(e.Data())
	if err == nil && !isObject(e.Data()) {
		err = errors.New("neither a text nor an object in JSON")
	}
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("reply %s: %w", id, err)
	}
	return e, nil
}
