package bus

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// A stream that was deleted and made anew counts from 1 again; its events are
// answered from the first, also those that came before the service noticed.
func TestServeAStreamMadeAnew(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.serve(t, Service{Name: "orders", Answer: func(context.Context, events.InboundEvent) (events.Reply, error) {
		return events.TextReply("here"), nil
	}})
	const before = 5
	for i := range before {
		s.says(t, "old-"+strconv.Itoa(i), "text", "hi")
		s.replies(t, "old-"+strconv.Itoa(i), 1)
	}
	js := s.bridge.JetStream()
	if err := js.DeleteStream(within(t), "WX_INBOUND"); err != nil {
		t.Fatal(err)
	}
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"new-1", "new-2"} { // fewer than the old stream had
		s.says(t, id, "text", "hi")
	}
	for _, id := range []string{"new-1", "new-2"} {
		s.replies(t, id, 1)
	}
	if !strings.Contains(s.log.String(), "made anew") {
		t.Errorf("log: %s", s.log)
	}
}
