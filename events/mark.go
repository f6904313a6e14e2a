package events

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// The markers that the bridge writes into a key's log.
const (
	// MarkTry counts the tries of WeChat that arrived after the first.
	MarkTry = "try"
	// MarkClosed ends a hold: nobody decided in time.
	MarkClosed = "closed"
	// MarkMissed says that the outcome replied never reached the follower: the
	// holder learned too late that it was stored, and had answered success.
	MarkMissed = "missed"
	// MarkCarried says that another try than the one that claimed the outcome
	// replied is about to carry its reply: from then on it was not missed.
	MarkCarried = "carried"
	// MarkProbe proves that a process's feed runs; it is in no event's log.
	MarkProbe = "probe"
)

// Mark is the data of a marker, the bridge's own word in an event's log.
type Mark struct {
	Mark string `json:"mark"`
	// Outcome is how a closed hold was answered: OutcomeFallback or OutcomeUnanswered.
	Outcome string `json:"outcome,omitempty"`
	// Text is the fallback text, so that every replica gives the same.
	Text   string `json:"text,omitempty"`
	Event  string `json:"event,omitempty"`
	OpenID string `json:"openid,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Try    int    `json:"try,omitempty"`

	// ID is the event's: a marker whose ack was lost stands in the log twice.
	ID string `json:"-"`
}

// NewMark makes the event of a marker; id is unique within the prefix, source
// the account's.
func NewMark(id, source string, at time.Time, m Mark) (cloudevents.Event, error) {
	e, err := newEvent(Marks, "", id, source, at, m)
	if err != nil {
		return e, err
	}
	if m.Event != "" {
		e.SetExtension(extCorrelation, m.Event)
	}
	return e, nil
}

// ParseMark reads a message of wx.mark.<key>.
func ParseMark(header Header, body []byte) (Mark, error) {
	e, isEvent, err := Decode(header, body)
	if err != nil {
		return Mark{}, err
	}
	if !isEvent {
		return Mark{}, fmt.Errorf("a marker is always a CloudEvent")
	}
	if err := checkType(Marks, "", e.Type()); err != nil {
		return Mark{}, err
	}
	var m Mark
	if err := json.Unmarshal(e.Data(), &m); err != nil {
		return Mark{}, fmt.Errorf("marker: %w", err)
	}
	m.ID = e.ID()
	switch m.Mark {
	case MarkTry, MarkClosed, MarkMissed, MarkCarried, MarkProbe:
		return m, nil
	}
	return Mark{}, fmt.Errorf("marker %q is unknown", m.Mark)
}
