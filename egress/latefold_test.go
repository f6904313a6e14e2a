package egress

import (
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// unread is a bus of which only the names are asked.
type unread struct{ LateBus }

func (unread) Names() events.Prefix { return "wx" }

func unreadLate(window time.Duration) *Late {
	l := NewLate(Config{Late: lateCustom}, testApp, window, unread{}, nil, nil)
	l.forget()
	return l
}

// A worker that begins reads every reply about which the streams still know what
// was done: with a short window all of it, so that a restart loses none.
func TestHowFarBackTheFoldBegins(t *testing.T) {
	t.Parallel()
	for window, want := range map[time.Duration]time.Duration{
		time.Minute:      59 * time.Second,
		5 * time.Minute:  5*time.Minute - time.Second,
		10 * time.Minute: 9*time.Minute + 30*time.Second,
		time.Hour:        59*time.Minute + 30*time.Second,
	} {
		for _, past := range unreadLate(window).pasts() {
			back := want
			if past.Stream != bus.StreamReply {
				back += window
			}
			if past.Back != back {
				t.Errorf("window %s: %s is read %s back, want %s", window, past.Stream, past.Back, back)
			}
		}
	}
}

// Past the dedupe window a stream may hold a second outcome of a hold. The first
// counts, as it does for every try: an answer that was given stays given.
func TestFirstOutcomeCounts(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	for sequence, outcome := range []string{events.OutcomeReplied, events.OutcomeUnanswered} {
		e, err := events.NewOutcome(testApp, "text", "m-1", "", "", time.Now(), events.Outcome{Outcome: outcome, Sequence: 7})
		if err != nil {
			t.Fatal(err)
		}
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			t.Fatal(err)
		}
		l.read(bus.StreamOutcome, events.Message{Subject: "wx.outcome.text", Header: header, Body: body, Sequence: uint64(sequence), Time: time.Now()})
	}
	if hold := l.story("m-1").hold; hold == nil || hold.Outcome != events.OutcomeReplied {
		t.Errorf("%+v", hold)
	}
}

// Replies to keys that no event has leave nothing in memory once they are kept
// as dead letters, so an application that publishes a flood of them costs none.
func TestUnknownKeysAreForgotten(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	l.begin()
	for n, key := range []string{"k-1", "k-2", "k-2", "k-3"} {
		l.read(bus.StreamReply, events.Message{Subject: "wx.reply." + key, Body: []byte("hello"), Sequence: uint64(n) + 1, Time: time.Now()})
	}
	l.ripenUntil(time.Now().Add(ripeAfter))
	filed := 0
	for {
		s, next := l.take()
		if s == nil {
			break
		}
		if next.word == fileLine {
			filed++
			l.done(s, next, nil)
		}
	}
	if filed != 4 || len(l.stories) != 0 || l.order.Len() != 0 {
		t.Errorf("%d filed; %d stories and %d places are left", filed, len(l.stories), l.order.Len())
	}
}

// Nothing is done before all streams are read to where they ended: what looks
// like an event without an end may have one further on.
func TestNothingIsDoneBeforeAllIsRead(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	l.read(bus.StreamReply, events.Message{Subject: "wx.reply.k-1", Body: []byte("hello"), Sequence: 1, Time: time.Now()})
	l.ripenUntil(time.Now().Add(ripeAfter))
	if s, next := l.take(); s != nil {
		t.Errorf("before: %+v", next)
	}
	l.begin()
	if _, next := l.take(); next.word != fileLine {
		t.Errorf("after: %+v", next)
	}
}

// A reply may be in the log before its event is stored. Then the time of WeChat's
// tries runs from the event: the reply's holder is not dead yet.
func TestTimeRunsFromTheEvent(t *testing.T) {
	t.Parallel()
	l := unreadLate(time.Hour)
	l.begin()
	message, err := callback.Parse([]byte("<xml><ToUserName>gh_1</ToUserName><FromUserName>oAlice</FromUserName><CreateTime>1700000000</CreateTime>" +
		"<MsgType>text</MsgType><Content>hi</Content><MsgId>1</MsgId></xml>"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.NewInbound("wx", testApp, message, time.Now().Add(time.Hour), events.Trace{})
	if err != nil {
		t.Fatal(err)
	}
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	l.read(bus.StreamReply, events.Message{Subject: "wx.reply." + message.ID(), Body: []byte("hello"), Sequence: 1, Time: time.Now()})
	fromReply := l.timers[0].at
	l.read(bus.StreamInbound, events.Message{Subject: "wx.inbound.text", Header: header, Body: body, Sequence: 1, Time: time.Now()})
	l.ripenUntil(fromReply)
	if _, next := l.take(); next.word != noStep {
		t.Errorf("17 s after the reply: %+v", next)
	}
	l.ripenUntil(time.Now().Add(l.ripe))
	if _, next := l.take(); next.word != claim {
		t.Errorf("17 s after the event: %+v", next)
	}
}
