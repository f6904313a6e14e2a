package ingress

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// A replier that floods the log of one event: a key takes so many messages, and
// the next is refused to its sender. The valid one among them answers; without
// one the hold ends as if nobody had said anything. Another follower notices nothing.
func TestReplierThatFloods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(func(s *setup) { s.Hold, s.FallbackText = long, sorry }), w.service()
	flood := func(in inbound, n int) {
		t.Helper()
		for i := range n {
			noError(t, w.conn.Publish(in.ReplyTo, fmt.Appendf(nil, `{"msgtype":"%d"}`, i)))
		}
	}
	full := func(in inbound) {
		t.Helper()
		_, err := w.js.PublishMsg(t.Context(), &nats.Msg{Subject: in.ReplyTo, Data: []byte(private)})
		if refused := (*jetstream.APIError)(nil); !errors.As(err, &refused) {
			t.Errorf("the message after the last is not refused: %v", err)
		}
	}

	first := w.try(r, text(alice, private))
	in := next(t, heard)
	flood(in, bus.MaxReplies-1)
	w.reply(in.ReplyTo, nil, private)
	full(in)
	if got := w.says(next(t, first)); got != private {
		t.Errorf("answered %q", got)
	}

	second := w.try(r, text(alice, private))
	in = next(t, heard)
	flood(in, bus.MaxReplies)
	full(in)
	third := w.try(r, text(bob, private))
	w.reply(next(t, heard).ReplyTo, nil, private+" bob")
	if got := w.says(next(t, third)); got != private+" bob" {
		t.Errorf("another follower reads %q", got)
	}
	if got := w.says(next(t, second)); got != sorry {
		t.Errorf("answered %q", got)
	}
	if o := w.outcome(in.ID); o.Outcome.Outcome != events.OutcomeFallback {
		t.Errorf("outcome %+v", o.Outcome)
	}
}
