package egress

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// warnings are the lines of that level.
type warnings chan string

func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler             { return w }
func (w warnings) WithGroup(string) slog.Handler                  { return w }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	w <- r.Message
	return nil
}

// roomFor lets a stream hold so many bytes, -1 for any.
func (w *world) roomFor(stream string, bytes int64) {
	w.t.Helper()
	s, err := w.js.Stream(w.within(), stream)
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	cfg.MaxBytes = bytes
	if _, err := w.js.UpdateStream(w.within(), cfg); err != nil {
		w.t.Fatal(err)
	}
}

// The dead letters take nothing: what counts for nothing cannot be kept, but a
// valid reply beside it is sent, and a hold without a holder is settled. When
// there is room again all of it is kept.
func TestFullDeadLettersStopNoLateReply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	p := w.start(late(lateCustom)).ready()
	w.roomFor("WX_DLQ", 1)
	late, held := w.says(alice, false), w.says(alice, true)
	for _, id := range []string{late, held} {
		w.answers(id, `{"msgtype":"hologram"}`)
	}
	w.eventually("the process says what it cannot do", func() bool { return len(p.Reasons()) > 0 })
	for _, id := range []string{late, held} {
		w.answers(id, "late "+id)
		w.ends(events.LateID(id), events.ResultDone)
		if o, _ := w.outcome(outcomes, id+".late.out"); o.Outcome != events.OutcomeLateSent {
			t.Errorf("%+v", o)
		}
	}
	w.roomFor("WX_DLQ", -1)
	w.eventually("both are kept", func() bool { return w.stored("WX_DLQ") == 2 })
	p.ready()
}

// What one story meets is said once, as long as it lasts: not each second, not
// by each story, and not anew after each other thing that was done.
func TestTroubleIsSaidOnce(t *testing.T) {
	t.Parallel()
	said := make(warnings, 100)
	l := unreadLate(time.Hour)
	l.logger = slog.New(said)
	l.begin()
	reply := func(key, body string, sequence uint64) {
		l.read(bus.StreamReply, events.Message{Subject: "wx.reply." + key, Body: []byte(body), Sequence: sequence, Time: time.Now()})
	}
	for n, key := range []string{"k-1", "k-2"} {
		s := l.story(key)
		s.kind, s.stored = "text", time.Now()
		reply(key, `{"msgtype":"hologram"}`, uint64(n)+1)
	}
	full := errors.New("maximum bytes exceeded")
	// turn does what is to be done now; only the dead letters take nothing.
	turn := func(err error) {
		l.ripenUntil(time.Now().Add(fileAgain))
		for s, next := l.take(); s != nil; s, next = l.take() {
			switch next.word {
			case noStep:
			case fileLine:
				l.done(s, next, err)
			default:
				l.done(s, next, nil)
			}
		}
	}
	turn(full)
	reply("k-1", "a valid one", 3)
	for range 5 {
		turn(full)
		if reasons := l.Reasons(); len(reasons) != 1 {
			t.Errorf("reasons %q", reasons)
		}
	}
	if !l.stories["k-1"].late {
		t.Error("the valid reply was not sent")
	}
	if len(said) != 1 {
		t.Errorf("said %d times", len(said))
	}
	turn(nil)
	if reasons := l.Reasons(); len(reasons) != 0 {
		t.Errorf("it is over, and the reasons are %q", reasons)
	}
	reply("k-2", `{"msgtype":"hologram"}`, 4)
	turn(full)
	if len(said) != 2 {
		t.Errorf("another trouble, and said %d times", len(said))
	}
}

// A step that failed and that another replica has done meanwhile is no trouble
// any more.
func TestTroubleEndsWithItsStep(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	l.begin()
	s := l.story("k-1")
	s.kind, s.stored = "text", time.Now()
	l.read(bus.StreamReply, events.Message{Subject: "wx.reply.k-1", Body: []byte("hello"), Sequence: 1, Time: time.Now()})
	if _, next := l.take(); next.word != sendLate {
		t.Fatalf("%+v", next)
	} else {
		l.done(s, next, errors.New("no answer"))
	}
	if reasons := l.Reasons(); len(reasons) != 1 {
		t.Errorf("reasons %q", reasons)
	}
	s.late, s.counted = true, 1 // as its outcome says
	l.ripenUntil(time.Now().Add(lateAgain))
	if _, next := l.take(); next.word != noStep || len(l.Reasons()) != 0 {
		t.Errorf("%+v, %q", next, l.Reasons())
	}
}

// While the dead letters do not even refuse, one worker waits for them and the
// others have time for what matters.
func TestOneWorkerWaitsForTheDeadLetters(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	l.begin()
	for n, key := range []string{"k-1", "k-2", "k-3"} {
		s := l.story(key)
		s.kind, s.stored = "text", time.Now()
		l.read(bus.StreamReply, events.Message{Subject: "wx.reply." + key, Body: []byte("\xff"), Sequence: uint64(n) + 1, Time: time.Now()})
	}
	s, next := l.take()
	l.done(s, next, errors.New("no answer"))
	if _, next = l.take(); next.word != fileLine {
		t.Errorf("nobody looks whether they answer again: %+v", next)
	}
	if _, next = l.take(); next.word != noStep {
		t.Errorf("two wait: %+v", next)
	}
}
