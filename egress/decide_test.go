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

// rowOf is a row of a retry class.
func rowOf(retry wxapi.RetryClass) *wxapi.Row {
	return &wxapi.Row{Name: "v", Retry: retry, KeyLife: 10 * time.Minute}
}

var retries = []wxapi.RetryClass{wxapi.Unsafe, wxapi.Read, wxapi.Keyed}

// The tables have a rule for each class, and no other.
func TestRulesAreTotal(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]map[wxapi.Class]rule{"refusals": refusals, "tokenRefusals": tokenRefusals} {
		for _, class := range wxapi.Classes() {
			if r, ok := table[class]; !ok || (r.outcome == "") != (r.pace != never) || r.outcome != "" && r.pause != nothing {
				t.Errorf("%s[%s] is %+v, %t", name, class, r, ok)
			}
		}
		if len(table) != len(wxapi.Classes()) {
			t.Errorf("%s has %d rules for %d classes", name, len(table), len(wxapi.Classes()))
		}
	}
}

// What a refusal means depends on its class and the budget alone: not on the
// kind of retry, since WeChat has not executed it. Rows 36, 37, 42, 43.
func TestDecideRefusals(t *testing.T) {
	t.Parallel()
	want := map[wxapi.Class]struct {
		first, last string // with nothing and with all but one of the budget spent
		spends      bool
		pause       scope
	}{
		wxapi.ClassOK:        {events.ResultDone, events.ResultDone, false, nothing},
		wxapi.ClassToken:     {again, again, false, nothing},
		wxapi.ClassBackoff:   {again, events.ResultFailed, true, nothing},
		wxapi.ClassMinute:    {again, again, false, theAPI},
		wxapi.ClassQuota:     {again, again, false, theAPI},
		wxapi.ClassPermanent: {events.ResultRejected, events.ResultRejected, false, nothing},
		wxapi.ClassUser:      {events.ResultRejected, events.ResultRejected, false, nothing},
		wxapi.ClassConfig:    {again, again, false, theAccount},
		wxapi.ClassRight:     {events.ResultRejected, events.ResultRejected, false, nothing},
		wxapi.ClassBug:       {events.ResultRejected, events.ResultRejected, false, nothing},
	}
	for _, class := range wxapi.Classes() {
		for _, retry := range retries {
			for _, on := range []string{events.OnUnknownReport, events.OnUnknownResend} {
				for spent, outcome := range map[int]string{0: want[class].first, budget - 2: want[class].first, budget - 1: want[class].last, budget + 3: want[class].last} {
					d := decide(attempt{
						row: rowOf(retry), reach: refused, errcode: codeOf[class], class: class,
						onUnknown: on, spent: spent, now: time.Now(),
					})
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
		a := attempt{row: rowOf(wxapi.Unsafe), reach: refused, errcode: undocument, class: wxapi.ClassBackoff, spent: spent}
		if d := decide(a); d.outcome != outcome || (d.class == wxapi.ClassPermanent) != (outcome != again) {
			t.Errorf("an errcode nobody knows, %d spent: %+v", spent, d)
		}
	}
	if d := decide(attempt{row: rowOf(wxapi.Keyed), reach: refused, errcode: 45066, class: wxapi.ClassMinute}); d.outcome != again || d.pause != nothing {
		t.Errorf("one clientmsgid that came too fast rests its API: %+v", d)
	}
}

// What was written and not answered is unknown, unless a repetition does no
// harm. Rows 30 to 33.
func TestDecideUnproven(t *testing.T) {
	t.Parallel()
	now := time.Now()
	const life = 10 * time.Minute
	for _, status := range []int{0, 200, 429, 500, 502, 503, 504} {
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
			{wxapi.Keyed, events.OnUnknownReport, 0, life - keyMargin - time.Second, again},
			{wxapi.Keyed, events.OnUnknownReport, budget - 1, 0, events.ResultUnknown},
			{wxapi.Keyed, events.OnUnknownReport, 0, life - keyMargin, events.ResultUnknown},
			{wxapi.Keyed, events.OnUnknownResend, 0, life + time.Hour, again},
		} {
			d := decide(attempt{
				row: rowOf(c.retry), keyed: true, reach: written, status: status, onUnknown: c.on, spent: c.spent,
				firstSent: now.Add(-c.age), now: now,
			})
			name := fmt.Sprintf("%d, %s %s, %d spent, %s old", status, c.retry, c.on, c.spent, c.age)
			sound(t, name, d)
			// Row 36: of a gateway's 429 the others of that API learn too.
			pause, class := nothing, wxapi.ClassBackoff
			if status == 429 {
				pause, class = theAPI, wxapi.ClassMinute
			}
			if d.outcome != c.want || !d.doubt || d.pause != pause || d.class != class {
				t.Errorf("%s: %+v", name, d)
			}
		}
	}
}

// A keyed row's command that carries no key is like any other.
func TestDecideWithoutKey(t *testing.T) {
	t.Parallel()
	a := attempt{row: rowOf(wxapi.Keyed), reach: written, now: time.Now()}
	a.firstSent = a.now
	if d := decide(a); d.outcome != events.ResultUnknown {
		t.Errorf("%+v", d)
	}
}

// How far an attempt got, by the error that it ended with. Rows 31, 33, 44, 45.
func TestReach(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want attempt
	}{
		"no error":           {nil, attempt{reach: executed}},
		"our checks":         {&wxapi.RequestError{}, attempt{reach: refusedByUs}},
		"not written":        {&wxapi.TransportError{Verb: "v", Err: errors.New("no such host")}, attempt{reach: notWritten}},
		"lost":               {&wxapi.TransportError{Verb: "v", Written: true, Err: errors.New("reset")}, attempt{reach: written}},
		"html":               {&wxapi.AnswerError{Verb: "v", Status: 502}, attempt{reach: written, status: 502}},
		"wrapped":            {fmt.Errorf("call: %w", &wxapi.AnswerError{Verb: "v", Status: 200}), attempt{reach: written, status: 200}},
		"refused":            {&wxapi.Error{Verb: "v", Code: 45009, Class: wxapi.ClassQuota}, attempt{reach: refused, errcode: 45009, class: wxapi.ClassQuota}},
		"token: not written": {&wxapi.TransportError{Verb: events.CallGetAccessToken, Err: errors.New("certificate has expired")}, attempt{reach: notWritten}},
		"token: lost":        {&wxapi.TransportError{Verb: events.CallGetAccessToken, Written: true, Err: errors.New("reset")}, attempt{reach: notWritten}},
		"token: strange":     {&wxapi.AnswerError{Verb: events.CallGetAccessToken, Status: 502}, attempt{reach: notWritten}},
		"token: refused":     {&wxapi.Error{Verb: events.CallGetAccessToken, Code: 40164, Class: wxapi.ClassConfig}, attempt{reach: tokenMissing, errcode: 40164, class: wxapi.ClassConfig}},
		"of no known type":   {errors.New("it may have been anything"), attempt{reach: written}},
	} {
		if got := (attempt{}).saw(c.err); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What was certainly not sent comes again whatever it is, and spends nothing.
// Rows 33, 44, 45.
func TestDecideUnsent(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]attempt{
		"not written":          {reach: notWritten},
		"token: WeChat's busy": {reach: tokenMissing, errcode: -1, class: wxapi.ClassBackoff},
		"token: nobody knows":  {reach: tokenMissing, errcode: undocument, class: wxapi.ClassBackoff},
	} {
		for _, retry := range retries {
			for _, spent := range []int{0, budget - 1, budget + 5} {
				a.row, a.spent, a.backoff = rowOf(retry), spent, 3
				d := decide(a)
				sound(t, name, d)
				if d.outcome != again || d.spends || d.doubt || d.pause != nothing || d.backoff != 4 || d.wait < 4*time.Second || d.wait > 8*time.Second {
					t.Errorf("%s, %s, %d spent: %+v", name, retry, spent, d)
				}
			}
		}
	}
}

// A refused token says nothing about the command that needed it: no class may
// end it, and what lasts rests the account. Row 42.
func TestDecideToken(t *testing.T) {
	t.Parallel()
	for _, class := range wxapi.Classes() {
		d := decide(attempt{row: rowOf(wxapi.Unsafe), reach: tokenMissing, errcode: codeOf[class], class: class, spent: budget, now: time.Now()})
		sound(t, "token "+string(class), d)
		if d.outcome != again || d.spends || d.doubt {
			t.Errorf("%s: %+v", class, d)
		}
		lasts := class != wxapi.ClassOK && class != wxapi.ClassBackoff && class != wxapi.ClassToken
		if (d.pause == theAccount) != lasts || d.pause == theAPI {
			t.Errorf("%s: pause is %d", class, d.pause)
		}
	}
}

func TestDecideTheRest(t *testing.T) {
	t.Parallel()
	if d := decide(attempt{row: rowOf(wxapi.Unsafe), reach: executed}); d != (decision{outcome: events.ResultDone}) {
		t.Errorf("executed: %+v", d)
	}
	if d := decide(attempt{row: rowOf(wxapi.Read), reach: refusedByUs}); d != (decision{outcome: events.ResultRejected, class: wxapi.ClassBug}) {
		t.Errorf("refused by our checks: %+v", d)
	}
}

// Total: every row, whatever errcode WeChat knows or does not know, however far
// the attempt got and however many went before, has one sound decision, the same
// one again; only what may be repeated comes again when nobody can know.
func TestDecideEveryRow(t *testing.T) {
	t.Parallel()
	now := time.Now()
	codes := []int{undocument}
	for _, known := range wxapi.Codes() {
		codes = append(codes, known.Code)
	}
	check := func(a attempt) {
		name := fmt.Sprintf("%s: reach %d, status %d, errcode %d, %d spent", a.row.Name, a.reach, a.status, a.errcode, a.spent)
		d := decide(a)
		sound(t, name, d)
		if d != decide(a) {
			t.Errorf("%s: not the same twice", name)
		}
		harmless := a.row.Retry == wxapi.Read || a.onUnknown == events.OnUnknownResend ||
			a.row.Retry == wxapi.Keyed && a.keyed && now.Before(a.firstSent.Add(a.row.KeyLife-keyMargin))
		if d.doubt != (a.reach == written) || d.doubt && d.outcome == again && !harmless {
			t.Errorf("%s: %+v", name, d)
		}
		if a.reach == refused && a.row.Auth == wxapi.AccountToken && d.outcome == events.ResultDone && d.class != wxapi.ClassOK {
			t.Errorf("%s: a refusal is done: %+v", name, d)
		}
	}
	for _, row := range wxapi.Verbs() {
		own := codes
		for code := range row.Classes {
			own = append(own[:len(own):len(own)], code)
		}
		for _, on := range []string{events.OnUnknownReport, events.OnUnknownResend} {
			for _, spent := range []int{0, budget - 1, budget} {
				a := attempt{row: row, keyed: spent != budget, onUnknown: on, spent: spent, now: now, firstSent: now.Add(-time.Minute)}
				for a.reach = refusedByUs; a.reach <= executed; a.reach++ {
					if a.reach != tokenMissing && a.reach != refused {
						check(a)
						continue
					}
					for _, code := range own {
						b := a
						b.errcode, b.class = code, wxapi.Classify(row, code)
						check(b)
					}
				}
				for _, status := range []int{200, 429, 502} {
					b := a
					b.reach, b.status = written, status
					check(b)
				}
			}
		}
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
		if (d.wait != 0) != (d.pause != nothing) || d.pause != nothing && !d.doubt {
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
		if d := (attempt{jitter: 0}).after(n); d != least {
			t.Errorf("the shortest backoff %d is %s, not %s", n, d, least)
		}
		if d := (attempt{jitter: 1}).after(n); d != 2*least {
			t.Errorf("the longest backoff %d is %s, not %s", n, d, 2*least)
		}
	}
	if d := (attempt{jitter: 1}).after(1 << 40); d != time.Minute {
		t.Errorf("the backoff of a long trouble is %s", d)
	}
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		wait func(time.Time) time.Duration
		now  time.Time
		want time.Duration
	}{
		"minute, its beginning":     {untilNextMinute, noon, time.Minute},
		"minute, its end":           {untilNextMinute, noon.Add(59*time.Second + 999*time.Millisecond), time.Millisecond},
		"day, noon UTC":             {untilNextDay, noon, 4 * time.Hour},
		"day, before midnight":      {untilNextDay, noon.Add(4*time.Hour - time.Second), time.Second},
		"day, at midnight":          {untilNextDay, noon.Add(4 * time.Hour), 24 * time.Hour},
		"day, after UTC's midnight": {untilNextDay, noon.Add(13 * time.Hour), 15 * time.Hour},
		"day, the month's last":     {untilNextDay, time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC), time.Hour},
		"day, told in another zone": {untilNextDay, noon.In(time.FixedZone("", -5*3600)), 4 * time.Hour},
	} {
		if d := c.wait(c.now); d != c.want {
			t.Errorf("%s: %s, not %s", name, d, c.want)
		}
	}
	// What waited together does not come back together.
	for class, most := range map[wxapi.Class]time.Duration{wxapi.ClassMinute: 5 * time.Second, wxapi.ClassQuota: time.Minute} {
		a := attempt{row: rowOf(wxapi.Unsafe), reach: refused, class: class, now: noon}
		first := decide(a).wait
		a.jitter = 1
		if last := decide(a).wait; last-first != most {
			t.Errorf("%s: from %s to %s", class, first, last)
		}
	}
}
