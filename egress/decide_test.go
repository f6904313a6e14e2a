package egress

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	again      = "" // the outcome of a decision that is none yet
	undocument = 987654
)

// codeOf is an errcode of a class.
var codeOf = map[wxapi.Class]int{
	wxapi.ClassOK: 45065, wxapi.ClassToken: 42001, wxapi.ClassBackoff: -1, wxapi.ClassMinute: 45011,
	wxapi.ClassQuota: 45009, wxapi.ClassPermanent: 40007, wxapi.ClassUser: 45015,
	wxapi.ClassConfig: 40164, wxapi.ClassRight: 48001, wxapi.ClassBug: 47001,
}

func refusal(class wxapi.Class) error {
	return &wxapi.Error{Verb: "send_custom_message", Code: codeOf[class], Class: class}
}

// What a refusal means depends on its class and the budget alone: not on the
// kind of retry, since WeChat has not executed it.
func TestDecideRefusals(t *testing.T) {
	t.Parallel()
	want := map[wxapi.Class]struct {
		first, last   string // with nothing and with all but one of the budget spent
		spends, pause bool
	}{
		wxapi.ClassOK:        {events.ResultDone, events.ResultDone, false, false},
		wxapi.ClassToken:     {again, again, false, false},
		wxapi.ClassBackoff:   {again, events.ResultFailed, true, false},
		wxapi.ClassMinute:    {again, again, false, false},
		wxapi.ClassQuota:     {again, again, false, false},
		wxapi.ClassPermanent: {events.ResultRejected, events.ResultRejected, false, false},
		wxapi.ClassUser:      {events.ResultRejected, events.ResultRejected, false, false},
		wxapi.ClassConfig:    {again, again, false, true},
		wxapi.ClassRight:     {events.ResultRejected, events.ResultRejected, false, false},
		wxapi.ClassBug:       {events.ResultRejected, events.ResultRejected, false, false},
	}
	for _, class := range wxapi.Classes() {
		for _, retry := range []wxapi.RetryClass{wxapi.Unsafe, wxapi.Read, wxapi.Keyed} {
			for _, on := range []string{events.OnUnknownReport, events.OnUnknownResend} {
				for spent, outcome := range map[int]string{0: want[class].first, budget - 2: want[class].first, budget - 1: want[class].last, budget + 3: want[class].last} {
					d := decide(attempt{err: refusal(class), retry: retry, onUnknown: on, spent: spent, now: time.Now()})
					name := fmt.Sprintf("%s %s %s, %d spent", class, retry, on, spent)
					sound(t, name, d)
					if d.outcome != outcome || d.spends != want[class].spends || d.pause != want[class].pause || d.class != class || d.doubt {
						t.Errorf("%s: %+v", name, d)
					}
				}
			}
		}
	}
	for spent, outcome := range map[int]string{0: again, 1: again, 2: events.ResultRejected, 7: events.ResultRejected} {
		err := &wxapi.Error{Verb: "v", Code: undocument, Class: wxapi.ClassBackoff}
		if d := decide(attempt{err: err, spent: spent}); d.outcome != outcome {
			t.Errorf("an errcode nobody knows, %d spent: %+v", spent, d)
		}
	}
}

// What was written and not answered is unknown, unless a repetition does no harm.
func TestDecideUnproven(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const life = 10 * time.Minute
	for name, err := range map[string]error{
		"lost":    &wxapi.TransportError{Verb: "v", Written: true, Err: errors.New("reset")},
		"html":    &wxapi.AnswerError{Verb: "v", Status: 502, Reason: "it is no JSON"},
		"wrapped": fmt.Errorf("call: %w", &wxapi.AnswerError{Verb: "v"}),
	} {
		for _, c := range []struct {
			retry wxapi.RetryClass
			on    string
			spent int
			age   time.Duration // since the first request
			want  string
		}{
			{wxapi.Unsafe, events.OnUnknownReport, 0, 0, events.ResultUnknown},
			{wxapi.Unsafe, events.OnUnknownReport, budget - 1, 0, events.ResultUnknown},
			{wxapi.Unsafe, events.OnUnknownResend, 0, 0, again},
			{wxapi.Unsafe, events.OnUnknownResend, budget - 2, 0, again},
			{wxapi.Unsafe, events.OnUnknownResend, budget - 1, 0, events.ResultUnknown},
			{wxapi.Read, events.OnUnknownReport, 0, 0, again},
			{wxapi.Read, events.OnUnknownReport, budget - 1, 0, events.ResultFailed},
			{wxapi.Read, events.OnUnknownResend, budget - 1, 0, events.ResultFailed},
			{wxapi.Keyed, events.OnUnknownReport, 0, life - time.Second, again},
			{wxapi.Keyed, events.OnUnknownReport, budget - 1, 0, events.ResultUnknown},
			{wxapi.Keyed, events.OnUnknownReport, 0, life, events.ResultUnknown},
			{wxapi.Keyed, events.OnUnknownResend, 0, life + time.Hour, again},
		} {
			d := decide(attempt{
				err: err, retry: c.retry, keyLife: life, onUnknown: c.on, spent: c.spent,
				firstSent: now.Add(-c.age), now: now,
			})
			sound(t, name, d)
			if d.outcome != c.want || !d.doubt || d.pause || d.class != wxapi.ClassBackoff {
				t.Errorf("%s, %s %s, %d spent, %s old: %+v", name, c.retry, c.on, c.spent, c.age, d)
			}
		}
	}
}

// What was certainly not sent comes again whatever it is, and spends nothing.
func TestDecideUnsent(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"not written":          &wxapi.TransportError{Verb: "v", Err: errors.New("refused")},
		"token: not written":   &wxapi.TransportError{Verb: tokenVerb, Err: errors.New("refused")},
		"token: lost":          &wxapi.TransportError{Verb: tokenVerb, Written: true, Err: errors.New("reset")},
		"token: strange":       &wxapi.AnswerError{Verb: tokenVerb, Status: 502},
		"token: WeChat's busy": &wxapi.Error{Verb: tokenVerb, Code: -1, Class: wxapi.ClassBackoff},
		"token: nobody knows":  &wxapi.Error{Verb: tokenVerb, Code: undocument, Class: wxapi.ClassBackoff},
	} {
		for _, retry := range []wxapi.RetryClass{wxapi.Unsafe, wxapi.Read, wxapi.Keyed} {
			for _, spent := range []int{0, budget - 1, budget + 5} {
				d := decide(attempt{err: err, retry: retry, spent: spent, backoff: 3})
				sound(t, name, d)
				if d.outcome != again || d.spends || d.doubt || d.pause || d.backoff != 4 || d.wait < 4*time.Second || d.wait > 8*time.Second {
					t.Errorf("%s, %s, %d spent: %+v", name, retry, spent, d)
				}
			}
		}
	}
}

// A refused token says nothing about the command that needed it: no class may
// end it, and what lasts rests the account.
func TestDecideToken(t *testing.T) {
	t.Parallel()
	for _, class := range wxapi.Classes() {
		d := decide(attempt{err: &wxapi.Error{Verb: tokenVerb, Code: codeOf[class], Class: class}, spent: budget, now: time.Now()})
		sound(t, "token "+string(class), d)
		if d.outcome != again || d.spends || d.doubt {
			t.Errorf("%s: %+v", class, d)
		}
		if lasts := class != wxapi.ClassBackoff && class != wxapi.ClassMinute && class != wxapi.ClassToken; d.pause != lasts {
			t.Errorf("%s: pause is %t", class, d.pause)
		}
	}
}

func TestDecideTheRest(t *testing.T) {
	t.Parallel()
	if d := decide(attempt{}); d.outcome != events.ResultDone || d.class != "" {
		t.Errorf("no error: %+v", d)
	}
	if d := decide(attempt{err: &wxapi.RequestError{}, retry: wxapi.Read}); d.outcome != events.ResultRejected || d.class != wxapi.ClassBug {
		t.Errorf("refused by our checks: %+v", d)
	}
	if d := decide(attempt{err: errors.New("of no type we know")}); d.outcome != events.ResultUnknown {
		t.Errorf("an error of no known type may have been anything: %+v", d)
	}
}

// Total: every errcode, known or not, of every verb has one sound decision.
func TestDecideEveryErrcode(t *testing.T) {
	t.Parallel()
	check := func(row *wxapi.Row, code int) {
		err := &wxapi.Error{Verb: "v", Code: code, Class: wxapi.Classify(row, code)}
		sound(t, fmt.Sprint(code), decide(attempt{err: err, now: time.Now()}))
	}
	for code := -2; code < 100_000; code++ {
		check(nil, code)
	}
	for _, row := range wxapi.Verbs() {
		for _, known := range wxapi.Codes() {
			check(row, known.Code)
		}
		for code := range row.Classes {
			check(row, code)
		}
		check(row, undocument)
	}
}

// sound: either an outcome of the contract or a wait, never both or neither.
func sound(t *testing.T, name string, d decision) {
	t.Helper()
	switch d.outcome {
	case again:
		if d.wait <= 0 || d.wait > 25*time.Hour {
			t.Errorf("%s: again after %s", name, d.wait)
		}
	case events.ResultDone, events.ResultRejected, events.ResultFailed, events.ResultUnknown:
		if d.wait != 0 || d.pause {
			t.Errorf("%s: %s and yet a wait of %s", name, d.outcome, d.wait)
		}
	default:
		t.Errorf("%s: outcome %q", name, d.outcome)
	}
	if d.backoff < 0 || d.spends && d.backoff != 0 {
		t.Errorf("%s: %+v: what is answered begins the backoff anew", name, d)
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for n, least := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
		seen := map[time.Duration]bool{}
		for range 200 {
			d := backoff(n)
			if seen[d] = true; d < least || d > 2*least {
				t.Fatalf("backoff %d is %s, not between %s and %s", n, d, least, 2*least)
			}
		}
		if len(seen) < 100 {
			t.Errorf("backoff %d has no jitter", n)
		}
	}
	if d := backoff(1 << 40); d < 30*time.Second || d > time.Minute {
		t.Errorf("the backoff of a long trouble is %s", d)
	}
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		wait        func(time.Time) time.Duration
		now         time.Time
		least, most time.Duration
	}{
		"minute, its beginning":     {untilNextMinute, noon, time.Minute, 65 * time.Second},
		"minute, its end":           {untilNextMinute, noon.Add(59*time.Second + 999*time.Millisecond), time.Millisecond, 6 * time.Second},
		"day, noon UTC":             {untilNextDay, noon, 4 * time.Hour, 4*time.Hour + time.Minute},
		"day, before midnight":      {untilNextDay, noon.Add(4*time.Hour - time.Second), time.Second, 61 * time.Second},
		"day, at midnight":          {untilNextDay, noon.Add(4 * time.Hour), 24 * time.Hour, 24*time.Hour + time.Minute},
		"day, after UTC's midnight": {untilNextDay, noon.Add(13 * time.Hour), 15 * time.Hour, 15*time.Hour + time.Minute},
		"day, the month's last":     {untilNextDay, time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), time.Hour, time.Hour + time.Minute},
		"day, told in another zone": {untilNextDay, noon.In(time.FixedZone("", -5*3600)), 4 * time.Hour, 4*time.Hour + time.Minute},
	} {
		for range 50 {
			if d := c.wait(c.now); d < c.least || d > c.most {
				t.Errorf("%s: %s, not between %s and %s", name, d, c.least, c.most)
			}
		}
	}
}
