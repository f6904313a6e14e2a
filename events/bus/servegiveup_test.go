package bus

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// What a stream refuses to Answer itself, as when it sends commands, is an error of
// Answer's like any other, and brings the event again.
func TestServeRefusedInsideAnswer(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	own := []error{
		&RefusedError{Subject: "wx.cmd.create_menu", Code: tooLong, Description: "message size exceeds maximum allowed"},
		&RefusedError{Subject: "wx.reply.other", Code: storeFailed, Description: "maximum messages per subject exceeded"},
	}
	var calls atomic.Int32
	s.serve(t, Service{Name: "orders", Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		if n := int(calls.Add(1)); n <= len(own) {
			return events.Reply{}, fmt.Errorf("menu: %w", own[n-1])
		}
		return events.TextReply("at last"), nil
	}})
	s.says(t, "one", "text", "hi")
	if got := s.replies(t, "one", 1)[0]; got.Text.Content != "at last" {
		t.Errorf("%+v", got)
	}
}

// A reply that finds the key's log full is not tried again: the log gets no emptier.
func TestServeFindsTheLogFull(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	for range MaxReplies {
		publish(t, s.bridge, "wx.reply.full", "x", "")
	}
	var calls atomic.Int32
	s.serve(t, Service{Name: "orders", Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		calls.Add(1)
		return events.TextReply("one more"), nil
	}})
	s.says(t, "full", "text", "hi")
	s.soon(t, "it is given up", func() bool { return strings.Contains(s.log.String(), "event is given up") })
	s.soon(t, "nothing is left", func() bool { return s.left(t, "orders") == 0 })
	if n := calls.Load(); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}

// A stream that is full may have room at the next try.
func TestOnlyAKeysLogIsFullForGood(t *testing.T) {
	t.Parallel()
	for description, full := range map[string]bool{
		"maximum messages per subject exceeded": true, "maximum bytes exceeded": false, "maximum messages exceeded": false,
	} {
		if got := logIsFull(&RefusedError{Code: storeFailed, Description: description}); got != full {
			t.Errorf("%s: %v", description, got)
		}
	}
}
