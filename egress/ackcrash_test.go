package egress

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// A process dies when the result is published and none of its acks has arrived,
// and the lane has gone on meanwhile: the heir sends nothing again, publishes the
// same results, and the stream drops them as duplicates.
func TestDiesWithItsAcksOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.follower("anna")
	first := w.start(func(e *Egress) {
		post := e.queue.Post
		e.queue.Post = func(m *nats.Msg, failed func(error)) {
			if string(m.Data) != "+ACK" {
				post(m, failed)
			}
		}
	}).ready()
	for _, id := range []string{"a1", "a2", "a3"} {
		w.event("send_custom_message", id, text(anna, id+"."), nil)
	}
	for _, id := range []string{"a1", "a2", "a3"} {
		w.ends(id, events.ResultDone)
	}
	if n := w.stored("WX_CMD"); n != 3 {
		t.Errorf("%d commands are in the stream, although no ack arrived", n)
	}
	first.kill()
	w.start().ready()
	w.emptied()
	for id, n := range w.arrivals() {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if n := w.calls("send_custom_message"); n != 3 {
		t.Errorf("%d calls", n)
	}
	if n := w.stored("WX_RESULT"); n != 3 {
		t.Errorf("%d results", n)
	}
}
