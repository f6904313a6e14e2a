package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// What is done next about an event, by what is known of it. Each word of a
// sketch is one thing known:
//
//	event, held        the inbound event, without or with a wxdeadline
//	text menu hand wait release odd   a reply of that sort; @900 so many seconds after the event
//	closed missed carried   a marker of the bridge
//	=replied:2 …       the outcome of the hold, with the deciding message
//	late:2             a late outcome
//	ripe               no try of WeChat's can be held any more
func TestStory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about, sketch string
		want          string
		drop          string // with WX_LATE=drop, where it is not the same
	}{
		{about: "nothing is known but a reply", sketch: "text", want: "nothing"},
		{about: "the event never came", sketch: "text ripe", want: "file 1 reply_unknown"},
		{about: "not even to what counts for nothing", sketch: "odd", want: "nothing"},
		{about: "an invalid reply to nothing", sketch: "odd ripe", want: "file 1 reply_invalid"},

		{about: "a reply that counts goes before one that counts for nothing", sketch: "event odd text", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "which is kept then", sketch: "event odd text late:2", want: "file 1 reply_invalid"},
		{about: "so does the end of a hold", sketch: "held odd ripe", want: "close"},
		{about: "and its outcome", sketch: "held odd closed ripe", want: "claim unanswered 2"},

		{about: "a hold without replies", sketch: "held", want: "nothing"},
		{about: "its holder died", sketch: "held ripe", want: "close"},
		{about: "and it is closed now", sketch: "held ripe closed", want: "claim unanswered 1"},
		{about: "a reply in a hold is the holder's", sketch: "held text", want: "nothing"},
		{about: "the holder died with a reply", sketch: "held text ripe", want: "claim unanswered 1"},
		{about: "the holder died with a release", sketch: "held release ripe", want: "claim released 1"},
		{about: "the holder died with a reply that no response carries", sketch: "held menu ripe", want: "claim released 1"},
		{about: "a wait decides nothing", sketch: "held wait ripe", want: "close"},
		{about: "an invalid reply decides nothing, and is kept", sketch: "held odd", want: "file 1 reply_invalid"},

		{about: "answered", sketch: "held text =replied:1", want: "nothing"},
		{about: "answered twice", sketch: "held text text2 =replied:1", want: "file 2 reply_used"},
		{about: "the same answer again is no other", sketch: "held text text =replied:1", want: "nothing"},
		{about: "words after an answer mean nothing", sketch: "held text release wait =replied:1", want: "nothing"},
		{about: "the answer is older than what was read", sketch: "held text =replied:9", want: "nothing"},
		{about: "the answer never reached the follower", sketch: "held text =replied:1 missed", want: "send 1", drop: "drop 1 late_dropped"},

		{about: "another try carried it before it was missed", sketch: "held text =replied:1 carried missed", want: "nothing"},
		{about: "it was missed before another try could carry it", sketch: "held text =replied:1 missed carried", want: "send 1", drop: "drop 1 late_dropped"},

		{about: "late", sketch: "held closed =unanswered:1 text", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "late after the fallback text", sketch: "held closed =fallback:1 text", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "late after a release", sketch: "held release =released:1 text", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "words after the close mean nothing", sketch: "held closed =unanswered:1 release wait", want: "nothing"},
		{about: "the close is not read yet", sketch: "held closed text", want: "nothing"},
		{about: "in time, and no response carries it", sketch: "held menu =released:1", want: "send 1"},
		{about: "in time, after one that came before the event was stored", sketch: "held hand menu =released:2", want: "send 2"},
		{about: "missed, after one that came before the event was stored", sketch: "held text text2 =replied:2 missed", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "the same sort, too late", sketch: "held closed =unanswered:1 menu", want: "send 2", drop: "drop 2 late_dropped"},
		{about: "the same sort, too soon: the hold knew nothing of it", sketch: "held menu closed =unanswered:2", want: "send 1", drop: "drop 1 late_dropped"},
		{about: "nobody takes over any more", sketch: "held closed =unanswered:1 hand text", want: "drop 2 late_dropped"},
		{about: "its holder died, and it is claimed", sketch: "held text ripe =unanswered:1", want: "send 1", drop: "drop 1 late_dropped"},
		{about: "sent", sketch: "held closed =unanswered:1 text late:2", want: "nothing"},
		{about: "sent, and another", sketch: "held closed =unanswered:1 text text2 late:2", want: "file 3 reply_used"},

		{about: "never held", sketch: "event text", want: "send 1", drop: "drop 1 late_dropped"},
		{about: "never held, and nobody answers", sketch: "event ripe", want: "nothing"},
		{about: "never held, words", sketch: "event wait release", want: "nothing"},
		{about: "never held, sent", sketch: "event text late:1", want: "nothing"},

		{about: "past the reply window", sketch: "held closed =unanswered:1 text@601", want: "file 2 reply_unknown"},
		{about: "in its last second", sketch: "held closed =unanswered:1 text@600", want: "send 2", drop: "drop 2 late_dropped"},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			s := sketched(t, c.sketch)
			if got := told(s.next(10*time.Minute, false)); got != c.want {
				t.Errorf("%s: %s, want %s", c.sketch, got, c.want)
			}
			if c.drop == "" {
				c.drop = c.want
			}
			if got := told(s.next(10*time.Minute, true)); got != c.drop {
				t.Errorf("%s: with WX_LATE=drop %s, want %s", c.sketch, got, c.drop)
			}
		})
	}
}

// Done once is done: a step that was taken is not taken again while what it
// stored is on its way back.
func TestStoryWaitsForWhatItDid(t *testing.T) {
	t.Parallel()
	closing := sketched(t, "held ripe")
	closing.closed = true
	claiming := sketched(t, "held ripe closed")
	claiming.claimed = true
	filing := sketched(t, "held odd")
	filing.log[0].filed = true
	for _, s := range []*story{closing, claiming, filing} {
		if got := told(s.next(time.Minute, false)); got != "nothing" {
			t.Errorf("%+v: %s", s, got)
		}
	}
}

func sketched(t *testing.T, sketch string) *story {
	t.Helper()
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := &story{about: about{key: "m-1"}}
	replies := map[string]string{
		"text": "hello", "text2": "something else", "wait": `{"msgtype":"wait"}`, "release": `{"msgtype":"release"}`,
		"menu": `{"msgtype":"msgmenu","msgmenu":{"list":[{"id":"1"}]}}`, "hand": `{"msgtype":"transfer_customer_service"}`, "odd": `{"msgtype":"text"}`,
	}
	for word := range strings.FieldsSeq(sketch) {
		word, after := cutNumber(t, word, "@")
		m := events.Message{Sequence: uint64(len(s.log)) + 1, Time: began.Add(time.Duration(after) * time.Second)}
		name, sequence := cutNumber(t, word, ":")
		switch {
		case word == "event", word == "held":
			s.kind, s.openID, s.stored, s.held = "text", "oAlice", began, word == "held"
		case word == "ripe":
			s.ripe = true
		case word == events.MarkClosed, word == events.MarkMissed, word == events.MarkCarried:
			s.log = append(s.log, line{Entry: events.Entry{Sequence: m.Sequence, Mark: &events.Mark{Mark: word}}, at: m.Time})
		case name == "late":
			s.late, s.counted = true, uint64(sequence)
		case strings.HasPrefix(name, "="):
			s.hold = &events.Outcome{Outcome: name[1:], Sequence: uint64(sequence)}
		case replies[word] != "":
			m.Body = []byte(replies[word])
			s.log = append(s.log, readLine(events.Replies, m))
		default:
			t.Fatalf("%q in %q", word, sketch)
		}
	}
	return s
}

func cutNumber(t *testing.T, word, at string) (name string, number int) {
	t.Helper()
	name, digits, found := strings.Cut(word, at)
	if found {
		if _, err := fmt.Sscan(digits, &number); err != nil {
			t.Fatal(err)
		}
	}
	return name, number
}

// told is a step in words.
func told(s step) string {
	switch s.word {
	case fileLine:
		return fmt.Sprintf("file %d %s", s.line.Sequence, s.class)
	case closeIt:
		return "close"
	case claim:
		return fmt.Sprintf("claim %s %d", s.outcome, s.line.Sequence)
	case sendLate:
		return fmt.Sprintf("send %d", s.line.Sequence)
	case dropLate:
		return fmt.Sprintf("drop %d %s", s.line.Sequence, s.class)
	case noStep:
	}
	return "nothing"
}
