package ingress

import (
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Past the limit an event is stored, as one that is not held, and its follower is
// let go at once; those who are held are answered as ever, and after them there
// is room again.
func TestOverload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(func(s *setup) { s.MaxHolds = 2 })
	heard, opened := w.service(), w.log.hear("callbacks are held again")
	first, second := w.try(r, text(alice, private)), w.try(r, text(bob, private))
	held := []inbound{next(t, heard), next(t, heard)}
	if holds, bytes := r.Held(); holds != 2 || bytes == 0 {
		t.Errorf("%d holds, %d bytes", holds, bytes)
	}
	for range 3 {
		if got := w.says(next(t, w.try(r, text(alice, private)))); got != callback.Success {
			t.Errorf("the third is answered %q", got)
		}
		if in := next(t, heard); !in.Deadline.IsZero() {
			t.Errorf("an event that is not held has a wxdeadline: %s", in.Deadline)
		}
		if kind := next(t, r.shed); kind != "text" {
			t.Errorf("kind %q", kind)
		}
	}
	for _, in := range held {
		w.reply(in.ReplyTo, nil, private+" answer")
	}
	for _, a := range []answer{next(t, first), next(t, second)} {
		if got := w.says(a); got != private+" answer" {
			t.Errorf("held and answered %q", got)
		}
	}
	next(t, opened)
	third := w.try(r, text(alice, private))
	w.reply(next(t, heard).ReplyTo, nil, private+" room again")
	if got := w.says(next(t, third)); got != private+" room again" {
		t.Errorf("after the overload: %q", got)
	}
	if holds, bytes := r.Held(); holds != 0 || bytes != 0 {
		t.Errorf("%d holds, %d bytes are left", holds, bytes)
	}
}

// Bytes are a limit too.
func TestOverloadByBytes(t *testing.T) {
	t.Parallel()
	g := gate{maxHolds: 100, maxBytes: 1000}
	for _, c := range []struct {
		bytes    int64
		ok, shut bool
	}{{600, true, false}, {401, false, true}, {400, true, false}, {1, false, false}} {
		if ok, shut := g.enter(c.bytes); ok != c.ok || shut != c.shut {
			t.Errorf("%d bytes: %v, %v", c.bytes, ok, shut)
		}
	}
	if opened := g.leave(400); opened != 0 {
		t.Errorf("open again with 600 of 1000 bytes held")
	}
	if opened := g.leave(600); opened != 2 {
		t.Errorf("%d were not held, want 2", opened)
	}
}

// A try of an event that another process stored as one that is not held is let
// go: replies to that event are late from the start, and one that also answered
// here would come twice.
func TestTryOfAnEventThatIsNotHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	full, other := w.replica(hold(0)), w.replica()
	doc := text(alice, private)
	if got := w.says(next(t, w.try(full, doc))); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	message, err := callback.Parse(doc)
	noError(t, err)
	w.reply(w.prefix.Subject(events.Replies, message.ID()), nil, private+" late from the start")
	if got := w.says(next(t, w.try(other, doc))); got != callback.Success {
		t.Errorf("the second try is answered %q", got)
	}
	if all := w.outcomes(); len(all) != 0 {
		t.Errorf("outcomes of an event that was never held: %v", all)
	}
}
