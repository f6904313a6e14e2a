package ingress

import (
	"encoding/json"
	"time"
)

// Observer is told what happens to callbacks. Metrics are one, the demo's tape
// is another. Calls come from many goroutines and must not block.
type Observer interface {
	// Refused: a request was not accepted; reason is a stable word.
	Refused(status int, reason string)
	// Stored: an event is in the stream.
	Stored(Stored)
	// Shed: a callback is not held, because there is no room for more.
	Shed(kind string)
	// Answered: the response to a held try is on the wire.
	Answered(Answered)
}

// Stored is an event that was put into the stream, or was found there.
type Stored struct {
	ID, Kind, OpenID string
	Data             json.RawMessage
	Duplicate, Held  bool
	Took             time.Duration
}

// Answered is how a held try ended.
type Answered struct {
	ID, Kind string
	// Outcome is that of the event, "" if the try was answered without one.
	Outcome string
	Try     int
	Reply   json.RawMessage // as the sender wrote it, nil without
	Took    time.Duration   // since the arrival of the try
}

// Observers tells several.
type Observers []Observer

// Refused implements Observer.
func (all Observers) Refused(status int, reason string) {
	for _, o := range all {
		o.Refused(status, reason)
	}
}

// Stored implements Observer.
func (all Observers) Stored(s Stored) {
	for _, o := range all {
		o.Stored(s)
	}
}

// Shed implements Observer.
func (all Observers) Shed(kind string) {
	for _, o := range all {
		o.Shed(kind)
	}
}

// Answered implements Observer.
func (all Observers) Answered(a Answered) {
	for _, o := range all {
		o.Answered(a)
	}
}
