package events

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"testing/quick"
)

// logMessage is one message of a key's log and what the model says of it.
type logMessage struct {
	branch  Branch
	headers Header
	body    string
	// verdict is "" for what decides nothing, else the outcome.
	verdict string
	wait    bool
}

func markBody(mark, outcome string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"/s","type":"com.qq.weixin.mp.mark","data":{"mark":%q,"outcome":%q}}`, mark, outcome)
}

// logAlphabet is what strangers and the bridge write into logs; the verdicts
// were written down by hand.
var logAlphabet = []logMessage{
	{branch: Replies, body: "hello", verdict: OutcomeReplied},
	{branch: Replies, body: `{"msgtype":"text","text":{"content":"hi"}}`, verdict: OutcomeReplied},
	{branch: Replies, body: `{"msgtype":"msgmenu","msgmenu":{"list":[1]}}`, verdict: OutcomeReplied},
	{branch: Replies, body: `{"msgtype":"transfer_customer_service"}`, verdict: OutcomeReplied},
	{branch: Replies, body: `{"msgtype":"release"}`, verdict: OutcomeReleased},
	{branch: Replies, body: `{"msgtype":"wait"}`, wait: true},
	{branch: Replies, body: `{"msgtype":"text"}`},
	{branch: Replies, body: `{`},
	{branch: Replies, body: ``},
	{branch: Replies, body: "\xff"},
	{branch: Replies, body: markBody(MarkClosed, ""), headers: nil}, // a marker on the wrong branch
	{branch: Marks, body: `{"specversion":"1.0","id":"1","source":"/s","type":"com.qq.weixin.mp.mark","data":{"mark":"closed","outcome":"fallback","text":"later"}}`, verdict: OutcomeFallback},
	{branch: Marks, body: markBody(MarkClosed, OutcomeFallback), verdict: OutcomeUnanswered}, // without a text there is none to give
	{branch: Marks, body: markBody(MarkClosed, OutcomeUnanswered), verdict: OutcomeUnanswered},
	{branch: Marks, body: markBody(MarkClosed, ""), verdict: OutcomeUnanswered},
	{branch: Marks, body: markBody(MarkClosed, OutcomeReplied), verdict: OutcomeUnanswered},
	{branch: Marks, body: markBody(MarkTry, "")},
	{branch: Marks, body: markBody(MarkProbe, "")},
	{branch: Marks, body: markBody("Closed", "")},
	{branch: Marks, body: "hello"}, // only events are markers
	{branch: Marks, body: `{"msgtype":"release"}`},
	{branch: Marks, body: `{"specversion":"1.0","id":"1","source":"/s","type":"com.qq.weixin.mp.reply","data":{"mark":"closed"}}`},
}

func TestDecideAgainstModel(t *testing.T) {
	t.Parallel()
	property := func(seed uint64) bool {
		r := rand.New(rand.NewPCG(seed, 1))
		var log []Entry
		wantSequence, wantOutcome, wantWait := uint64(0), "", false
		for sequence := uint64(10); len(log) < r.IntN(9); sequence += 1 + r.Uint64N(3) {
			m := logAlphabet[r.IntN(len(logAlphabet))]
			entry := ReadEntry(m.branch, Message{Header: m.headers, Body: []byte(m.body), Sequence: sequence})
			log = append(log, entry)
			if wantOutcome == "" && m.verdict != "" {
				wantSequence, wantOutcome = sequence, m.verdict
			}
			wantWait = wantWait || m.wait
		}
		d, ok := Decide(log)
		if ok != (wantOutcome != "") || d.Outcome != wantOutcome || d.Sequence != wantSequence || Waits(log) != wantWait {
			t.Errorf("decision %+v, wanted %q at %d", d, wantOutcome, wantSequence)
			return false
		}
		if byReply := d.Outcome == OutcomeReplied || d.Outcome == OutcomeReleased; (d.Reply != nil) != byReply {
			t.Errorf("decision %+v", d)
			return false
		}
		return !t.Failed()
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}

// Two readers get the messages of one log in any order, some twice (from the
// feed and from the log); merged by sequence they decide the same.
func TestDecideInAnyOrderOfArrival(t *testing.T) {
	t.Parallel()
	pick := []int{5, 6, 16, 1, 4, 13} // wait, invalid, try, text, release, closed
	var log []Entry
	for i, letter := range pick {
		m := logAlphabet[letter]
		log = append(log, ReadEntry(m.branch, Message{Body: []byte(m.body), Sequence: uint64(i + 1)}))
	}
	want, ok := Decide(log)
	if !ok || want.Sequence != 4 {
		t.Fatalf("%+v", want)
	}
	seen := 0
	permute(log, func(arrival []Entry) {
		seen++
		merged := slices.Clone(append(arrival, arrival[0], arrival[seen%len(arrival)]))
		slices.SortStableFunc(merged, func(a, b Entry) int { return int(a.Sequence) - int(b.Sequence) })
		merged = slices.CompactFunc(merged, func(a, b Entry) bool { return a.Sequence == b.Sequence })
		if got, ok := Decide(merged); !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v instead of %+v", got, want)
		}
	})
	if seen != 720 {
		t.Errorf("%d permutations", seen)
	}
}

func permute(log []Entry, f func([]Entry)) {
	var step func(int)
	step = func(at int) {
		if at == len(log) {
			f(slices.Clone(log))
			return
		}
		for i := at; i < len(log); i++ {
			log[at], log[i] = log[i], log[at]
			step(at + 1)
			log[at], log[i] = log[i], log[at]
		}
	}
	step(0)
}

func TestGarbageDecidesNothing(t *testing.T) {
	t.Parallel()
	property := func(body []byte, mark bool) bool {
		branch := Replies
		if mark {
			branch = Marks
		} else {
			body = append([]byte("{\xff"), body...)
		}
		entry := ReadEntry(branch, Message{Body: body, Sequence: 1})
		_, ok := Decide([]Entry{entry})
		return !ok && entry.Invalid != nil && entry.Reply == nil && entry.Mark == nil
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	if _, ok := Decide(nil); ok || Waits(nil) || TryNumber(nil, "") != 0 {
		t.Error("an empty log decides")
	}
}

// A marker counts once, however often a lost ack made it stand in the log.
func TestTryNumber(t *testing.T) {
	t.Parallel()
	mark := func(kind, id string) Entry { return Entry{Mark: &Mark{Mark: kind, ID: id}} }
	log := []Entry{
		mark(MarkTry, "second"),
		{Reply: &Reply{MsgType: MsgWait}},
		mark(MarkTry, "second"),
		mark(MarkClosed, "closed"), mark(MarkTry, "third"),
		{Invalid: errors.New("no")},
	}
	for id, want := range map[string]int{"second": 2, "third": 3, "closed": 0, "never": 0} {
		if number := TryNumber(log, id); number != want {
			t.Errorf("%s is try %d, want %d", id, number, want)
		}
	}
}
