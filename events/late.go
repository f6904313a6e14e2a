package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// LateVerb is the verb that sends a late reply.
const LateVerb = "send_custom_message"

// LateID is the id of the command that sends the late reply to the inbound
// event with this id. There is one at most, and so one message to the follower.
func LateID(event string) string { return event + ".late" }

// ErrOnlyPassive is why some replies cannot be sent late.
var ErrOnlyPassive = errors.New(MsgTransfer + " can only leave in the response to a callback, which is closed: no custom message hands a conversation over")

// customArticles is how many articles a custom message of msgtype news carries:
// 图文消息条数限制在1条以内 (since 2018-10-12; more is refused with 45008).
const customArticles = 1

// NewLateCommand makes the command that sends a reply as a custom message to the
// follower of the inbound event with this id. cut says what of it a custom
// message cannot carry, "" if it is whole. The same reply makes the same data
// in every process: the command's id is the same too. The error is
// ErrOnlyPassive, or why r is no valid reply.
func NewLateCommand(appID, event, openID string, r Reply, at time.Time) (e cloudevents.Event, cut string, err error) {
	if r.MsgType == MsgTransfer {
		return e, "", ErrOnlyPassive
	}
	var message map[string]json.RawMessage
	if err := json.Unmarshal(r.Data, &message); err != nil {
		return e, "", fmt.Errorf("late reply: %w", err)
	}
	if r.MsgType == "news" {
		if message["news"], cut, err = firstArticle(message["news"]); err != nil {
			return e, "", fmt.Errorf("late reply: %w", err)
		}
	}
	if message["touser"], err = marshal(openID); err != nil {
		return e, "", err
	}
	data, err := marshal(message)
	if err != nil {
		return e, "", err
	}
	if e, err = NewCommand(LateVerb, LateID(event), Source(appID), at, data); err != nil {
		return e, "", err
	}
	e.SetSubject(openID)
	e.SetExtension(extPartitionKey, openID)
	e.SetExtension(extCorrelation, event)
	if r.ID != "" {
		e.SetExtension(extCausation, r.ID)
	}
	return e, cut, nil
}

// firstArticle is a news object with as many articles as a custom message carries.
func firstArticle(object json.RawMessage) (whole json.RawMessage, cut string, err error) {
	var news map[string]json.RawMessage
	if err := json.Unmarshal(object, &news); err != nil {
		return nil, "", err
	}
	var articles []json.RawMessage
	if err := json.Unmarshal(news["articles"], &articles); err != nil {
		return nil, "", err
	}
	if len(articles) <= customArticles {
		return object, "", nil
	}
	if news["articles"], err = marshal(articles[:customArticles]); err != nil {
		return nil, "", err
	}
	whole, err = marshal(news)
	return whole, fmt.Sprintf("news.articles: %d of %d, a custom message carries one", customArticles, len(articles)), err
}
