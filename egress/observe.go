package egress

import (
	"encoding/json"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// Observer is told what happens to commands. Calls come from many goroutines
// and must not block.
type Observer interface {
	// Taken: a command is about to be sent; told at each attempt.
	Taken(Taken)
	// Finished: a command has its terminal result, or a call its answer.
	Finished(Finished)
	// Settled: the late worker has done something that no other process had done.
	Settled(Settled)
}

// Taken is a command that is about to be sent.
type Taken struct {
	ID, Verb string
	Data     json.RawMessage
}

// Finished is a command with its result.
type Finished struct {
	ID, Verb string
	Call     bool // it came on wx.call
	Result   events.Result
	Took     time.Duration // of the last attempt
}

// Settled is what the late worker did about an inbound event.
type Settled struct {
	ID, Kind string
	// Outcome is that of a hold without a holder, or of a late reply, "" for neither.
	Outcome string
	// Class is that of a dead letter, "" without.
	Class string
}

// Observers tells several.
type Observers []Observer

// Taken implements Observer.
func (all Observers) Taken(t Taken) {
	for _, o := range all {
		o.Taken(t)
	}
}

// Finished implements Observer.
func (all Observers) Finished(f Finished) {
	for _, o := range all {
		o.Finished(f)
	}
}

// Settled implements Observer.
func (all Observers) Settled(s Settled) {
	for _, o := range all {
		o.Settled(s)
	}
}
