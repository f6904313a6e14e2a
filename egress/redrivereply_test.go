package egress

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// A reply that was dropped because it came late can still become a message, once;
// what can only leave in a response cannot, and no other reply either.
func TestRedriveReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(late(lateDrop)).ready()
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	sequences := func() (all []uint64) {
		for _, id := range w.letters.ids() {
			if p, _, _ := w.letters.get(id); strings.HasPrefix(id, "reply.") {
				all = append(all, metaOf(t, w.js, p))
			}
		}
		return all
	}
	id := w.says(alice, false)
	reply := w.answers(id, "vertraulich: late")
	w.outcome(outcomes, id+".late.out")
	w.letters.wait(w.within(), fmt.Sprint("reply.", reply))
	dropped := sequences()
	if len(dropped) != 1 {
		t.Fatalf("letters %v", w.letters.ids())
	}
	if did := w.redrivesOne(dropped[0], events.LetterRedriven); did.ID != id+".late~1" {
		t.Errorf("%+v", did)
	}
	w.ends(id+".late~1", events.ResultDone)
	w.redrivesOne(dropped[0], events.LetterAlready)
	if calls := w.calls("send_custom_message"); calls != 1 {
		t.Errorf("%d messages", calls)
	}
	for body, reason := range map[string]string{
		`{"msgtype":"transfer_customer_service"}`: "can only leave in the response",
		`{"msgtype":"txt"}`:                       "invalid reply",
	} {
		id, before := w.says(alice, false), len(sequences())
		w.answers(id, body)
		w.eventually("the reply is filed", func() bool { return len(sequences()) > before })
		all := sequences()
		newest := all[0]
		for _, s := range all {
			newest = max(newest, s)
		}
		if did := w.redrivesOne(newest, events.LetterRefused); !strings.Contains(did.Reason, reason) {
			t.Errorf("%s: %+v", body, did)
		}
	}
}

// metaOf is the number of a letter in the stream.
func metaOf(t *testing.T, js jetstream.JetStream, p published) uint64 {
	t.Helper()
	stream, err := js.Stream(t.Context(), "WX_DLQ")
	if err != nil {
		t.Fatal(err)
	}
	for sequence := uint64(1); ; sequence++ {
		m, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Data), `"id":"`+p.Event.ID()+`"`) {
			return sequence
		}
	}
}

// A reply too large for its letter stops no late worker.
func TestLargeReplyIsFiled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(late(lateCustom)).ready()
	id := w.says(w.follower("alice"), false)
	body := strings.Repeat("\xff", 1_000_000)
	sequence := w.answers(id, body)
	w.eventually("the reply is filed", func() bool { return w.stored("WX_DLQ") == 1 })
	letter := w.letters.wait(w.within(), fmt.Sprint("reply.", sequence))
	var l events.DeadLetter
	decodeInto(t, letter.Event.Data(), &l)
	if _, original, err := (bus.App{JetStream: w.js}).Original(w.within(), l); err != nil || string(original) != body || l.BodyRef == "" {
		t.Errorf("%s, %d bytes, %v", l.BodyRef, len(original), err)
	}
	w.eventually("no trouble", func() bool { return len(p.Reasons()) == 0 })
}
