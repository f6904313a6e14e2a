package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// TextReply answers with a text, of at most MaxText bytes.
func TextReply(content string) Reply {
	return Reply{MsgType: "text", Text: &Text{Content: content}}
}

// ReleaseReply lets the follower go at once: nobody will answer.
func ReleaseReply() Reply { return Reply{MsgType: MsgRelease} }

// WaitReply says that an answer is being worked on: WeChat's next tries are
// used, some 14 s in all instead of 4.5 s. The answer itself is another reply.
func WaitReply() Reply { return Reply{MsgType: MsgWait} }

// NewReply makes the event that answers an inbound event. Publish it on
// in.ReplyTo. Its id follows from the inbound event's and the msgtype, so that a
// service to which an event comes twice publishes the same reply again; source
// names the service, in the outcome too.
//
// reply is a Reply; a string, which is the text of one; or, for the types that
// only a custom message has, whatever is one in JSON: a
// wxapi.SendCustomMessageRequest, a json.RawMessage, a Reply with Data. A reply
// that could not decide a hold is an error here, by the rule of ParseReply.
func NewReply(in InboundEvent, source string, at time.Time, reply any) (cloudevents.Event, error) {
	data, err := replyData(reply)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("reply to %s: %w", in.ID, err)
	}
	checked, err := parseReplyData(data)
	if err == nil && !isObject(data) {
		err = errors.New("neither a text nor an object in JSON")
	}
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("reply to %s: %w", in.ID, err)
	}
	e, err := newEvent(Replies, "", in.ID+"."+checked.MsgType, source, at, checked.Data)
	if err != nil {
		return e, fmt.Errorf("reply to %s: %w", in.ID, err)
	}
	e.SetExtension(extCorrelation, in.ID)
	if in.OpenID != "" {
		e.SetSubject(in.OpenID)
		e.SetExtension(extPartitionKey, in.OpenID)
	}
	return e, nil
}

func replyData(reply any) (json.RawMessage, error) {
	switch r := reply.(type) {
	case string:
		return marshal(TextReply(r))
	case Reply:
		if len(r.Data) > 0 {
			return r.Data, nil
		}
	}
	return asJSON(reply)
}
