package egress

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
)

// entry is one of the bucket, as a watcher brings it.
type entry struct {
	jetstream.KeyValueEntry
	pause     Pause
	revision  uint64
	operation jetstream.KeyValueOp
}

func (e entry) Key() string                     { return e.pause.key() }
func (e entry) Revision() uint64                { return e.revision }
func (e entry) Operation() jetstream.KeyValueOp { return e.operation }
func (e entry) Value() []byte {
	value, _ := json.Marshal(e.pause) // it always encodes
	return value
}

// While a pause is on its way to the bucket, the echo of one before it and of that
// one's end are heard too. They change nothing; somebody's longer pause does.
func TestEchoesOfAPause(t *testing.T) {
	t.Parallel()
	s := newPauses(nil, &queue.Queue{}, slog.New(slog.DiscardHandler))
	now := time.Now()
	before := Pause{API: "get_groups", Reason: "before", Until: now.Add(time.Minute)}
	ours := Pause{API: "get_groups", Reason: "ours", Until: now.Add(time.Hour)}
	longer := Pause{API: "get_groups", Reason: "longer", Until: now.Add(2 * time.Hour)}
	s.by[ours.key()] = &paused{Pause: ours, told: now, storing: true}
	for _, step := range []struct {
		heard entry
		want  string
	}{
		{entry{pause: before, revision: 1, operation: jetstream.KeyValuePut}, "ours"},
		{entry{pause: before, revision: 2, operation: jetstream.KeyValueDelete}, "ours"},
		{entry{pause: longer, revision: 4, operation: jetstream.KeyValuePut}, "longer"},
		{entry{pause: longer, revision: 3, operation: jetstream.KeyValueDelete}, "longer"},
	} {
		s.hear(step.heard)
		if rests := s.of("get_groups"); len(rests) != 1 || rests[0].Reason != step.want {
			t.Errorf("after revision %d: %+v, want %q", step.heard.revision, rests, step.want)
		}
	}
}

// Each connection reads the pauses anew, and what an older one still reads counts
// for nothing.
func TestPausesAreReadOnEachConnection(t *testing.T) {
	t.Parallel()
	s := newPauses(nil, &queue.Queue{}, slog.New(slog.DiscardHandler))
	knows := func(want bool, when string) {
		t.Helper()
		if s.known() != want {
			t.Errorf("%s: known %t, want %t", when, !want, want)
		}
	}
	knows(false, "before any")
	first := s.readOn(1)
	knows(false, "while it is read")
	s.wasRead(1)
	s.wasRead(1) // a watch that began again
	knows(true, "when it was read")
	<-first
	s.readOn(2)
	s.wasRead(1)
	knows(false, "on the next connection")
	s.wasRead(2)
	knows(true, "when that was read")
}
