package egress

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Windows close with time; each count is what the one that closes first has left.
func TestWindows(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	type line struct {
		at time.Duration
		deed
	}
	for name, c := range map[string]struct {
		story []line
		at    time.Duration
		want  string
	}{
		"nobody":                    {nil, 0, ""},
		"a message":                 {[]line{{0, deedMessage}}, time.Hour, "message 5"},
		"its 48 hours":              {[]line{{0, deedMessage}}, 48*time.Hour - time.Millisecond, "message 5"},
		"over":                      {[]line{{0, deedMessage}}, 48 * time.Hour, ""},
		"a tap":                     {[]line{{0, deedMenu}}, 59 * time.Second, "menu 3"},
		"a tap is over":             {[]line{{0, deedMenu}}, time.Minute, ""},
		"the shorter first":         {[]line{{0, deedMessage}, {time.Second, deedScan}, {2 * time.Second, deedSent}}, 3 * time.Second, "scan 2 message 5"},
		"then the longer":           {[]line{{0, deedMessage}, {time.Second, deedScan}, {2 * time.Second, deedSent}, {70 * time.Second, deedSent}}, 70 * time.Second, "message 4"},
		"a message counts anew":     {[]line{{0, deedMessage}, {1 * time.Millisecond, deedSent}, {2 * time.Millisecond, deedSent}, {time.Hour, deedMessage}}, 2 * time.Hour, "message 5"},
		"more than allowed":         {[]line{{0, deedFollow}, {1 * time.Millisecond, deedSent}, {2 * time.Millisecond, deedSent}, {3 * time.Millisecond, deedSent}, {4 * time.Millisecond, deedSent}}, 5 * time.Millisecond, "follow 0"},
		"used up":                   {[]line{{0, deedMessage}, {1 * time.Millisecond, deedMenu}, {2 * time.Millisecond, deedUsedUp}}, 3 * time.Millisecond, "menu 0 message 0"},
		"left":                      {[]line{{0, deedMessage}, {1 * time.Millisecond, deedLeave}}, 2 * time.Millisecond, ""},
		"sent before all":           {[]line{{0, deedSent}, {1 * time.Millisecond, deedMessage}}, 2 * time.Millisecond, "message 5"},
		"a window of WeChat's over": {[]line{{0, deedMessage}, {1 * time.Millisecond, deedOver}, {2 * time.Millisecond, deedFollow}}, 3 * time.Millisecond, "follow 3"},
		"in one millisecond":        {[]line{{0, deedMessage}, {200 * time.Microsecond, deedUsedUp}, {300 * time.Microsecond, deedMessage}}, time.Millisecond, "message 5"},
	} {
		// In whatever order the streams are read, it is the same.
		for range 20 {
			rand.Shuffle(len(c.story), func(i, j int) { c.story[i], c.story[j] = c.story[j], c.story[i] })
			var stamps []stamp
			for _, l := range c.story {
				stamps = note(stamps, stampOf(l.deed, noon.Add(l.at)))
			}
			got := ""
			for _, w := range windows(stamps, noon.Add(c.at)) {
				got += fmt.Sprintf("%s %d ", w.After, w.Left)
			}
			if want := c.want; got != want && got != want+" " {
				t.Fatalf("%s: %q, not %q", name, got, c.want)
			}
		}
	}
	var stamps []stamp
	for i := range 10_000 {
		stamps = trim(note(stamps, stampOf(deedMenu, noon.Add(time.Duration(i)*time.Second))))
	}
	if len(stamps) > mostStamps || !slices.IsSorted(stamps) {
		t.Errorf("%d stamps", len(stamps))
	}
}

// However often a follower taps, the message before is not forgotten, nor is the
// reply to a tap taken from it: each was taken from the tap's minute.
func TestTapsDoNotUseUpTheMessage(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, taps := range []int{33, 400} {
		for _, toMessage := range []int{0, 2} {
			var inOrder, story []stamp
			tell := func(d deed, at time.Duration) { story = append(story, stampOf(d, noon.Add(at))) }
			tell(deedMessage, 0)
			for i := range toMessage {
				tell(deedSent, time.Duration(i+1)*time.Second)
			}
			for i := range taps {
				tell(deedMenu, time.Duration(i+1)*90*time.Second)
				tell(deedSent, time.Duration(i+1)*90*time.Second+time.Second)
			}
			for _, s := range story {
				inOrder = trim(note(inOrder, s))
			}
			// As at the start of a process: one stream first, then the other.
			var asRead []stamp
			for _, results := range []bool{false, true} {
				for _, s := range story {
					if results == (s.deed() == deedSent) {
						asRead = note(asRead, s)
					}
				}
			}
			asRead = trim(asRead)
			for name, stamps := range map[string][]stamp{"in order": inOrder, "as read": asRead} {
				open := windows(stamps, noon.Add(20*time.Hour))
				if len(open) != 1 || open[0].After != "message" || open[0].Left != messageCount-toMessage || len(stamps) > mostStamps {
					t.Errorf("%d taps, %d messages, %s: %+v of %d stamps", taps, toMessage, name, open, len(stamps))
				}
			}
		}
	}
}

// What is trimmed makes no difference, then or later, whatever the story.
func TestTrimChangesNothing(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 0))
		var whole, trimmed []stamp
		at := noon
		for range 3 * mostStamps {
			at = at.Add(time.Duration(random.Int64N(int64(20 * time.Second))))
			d := []deed{deedMenu, deedScan, deedSent, deedSent, deedSent}[random.IntN(5)]
			if random.IntN(mostStamps) == 0 {
				d = deed(1 + random.IntN(int(deedOver)))
			}
			s := stampOf(d, at)
			whole, trimmed = append(whole, s), trim(append(trimmed, s))
			for _, later := range []time.Duration{0, 30 * time.Second, time.Hour} {
				if want, got := windows(whole, at.Add(later)), windows(trimmed, at.Add(later)); !slices.Equal(want, got) {
					t.Fatalf("seed %d, %d stamps: %+v, not %+v", seed, len(whole), got, want)
				}
			}
		}
	}
}

// A result that is published again long after, the same event, tells nothing new.
func TestLedgerKnowsCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	anna, bert, cora := openID("anna"), openID("bert"), openID("cora")
	w.quotaOf(anna) // somebody asks, so it follows
	stored := func(branch events.Branch, e cloudevents.Event, at time.Time) {
		t.Helper()
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			t.Fatal(err)
		}
		name := map[events.Branch]string{events.Inbound: "text", events.Results: customMessage}[branch]
		p.ledger.read("", events.Message{Subject: p.Egress.bus.Prefix.Subject(branch, name), Header: header, Body: body, Time: at})
	}
	now := time.Now()
	ended := func(to string, at time.Time, r events.Result) cloudevents.Event {
		t.Helper()
		e, err := events.NewResult(testApp, events.Command{ID: "m", Verb: customMessage, PartitionKey: to}, "m.res", at, r)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	sent, usedUp := events.Result{Outcome: events.ResultDone}, events.Result{Outcome: events.ResultRejected, ErrCode: 45047}
	for _, f := range []string{anna, bert, cora} {
		e, err := events.NewInbound("wx", testApp, &callback.Message{FromUserName: f, Kind: "text", CreateTime: now}, time.Time{}, events.Trace{})
		if err != nil {
			t.Fatal(err)
		}
		e.SetID("in-" + f)
		stored(events.Inbound, e, now.Add(-3*time.Hour))
	}
	began := now.Add(-2 * time.Hour)
	for _, later := range []time.Duration{time.Millisecond, time.Hour, 2 * time.Hour} {
		stored(events.Results, ended(anna, began, sent), began.Add(later))
	}
	// The first one may be late itself: NATS was away when it was to be stored.
	stored(events.Results, ended(cora, began, sent), began.Add(time.Hour))

	// What a refusal said before the follower wrote again is over.
	stored(events.Results, ended(bert, now.Add(-4*time.Hour), usedUp), now.Add(-time.Hour))
	for f, want := range map[string]int{anna: 4, bert: 5, cora: 4} {
		if q := w.quotaOf(f); left(q, "message") != want {
			t.Errorf("%s: %+v, want %d", f, q, want)
		}
	}
}
