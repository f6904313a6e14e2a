package events

import (
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
// names the service. Data of the reply, if set, is sent as it is: that is how a
// msgmenu or a miniprogrampage is sent, which only a custom message can carry.
// The error says what the bridge would refuse.
func NewReply(in InboundEvent, source string, at time.Time, r Reply) (cloudevents.Event, error) {
	data := r.Data
	if len(data) == 0 {
		var err error
		if data, err = marshal(r); err != nil {
			return cloudevents.Event{}, fmt.Errorf("reply to %s: %w", in.ID, err)
		}
	}
	checked, err := parseReplyData(data)
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
