package egress

import (
	"errors"
	"net/http"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	// budget is how many requests that were answered with trouble a command may
	// spend before it failed.
	budget = 6
	// unknownBudget is the same for an errcode that nobody has documented: it may
	// have meant that WeChat was busy, and after so many it did not.
	unknownBudget = 3
	// keyMargin is how long before WeChat forgets a key nothing is sent with it any
	// more: so much later than decided a request may be written.
	keyMargin = 15 * time.Second
	// configPause is how often somebody tries whether an operator has helped.
	configPause = time.Minute
)

// reach is how far an attempt got.
type reach int

const (
	refusedByUs  reach = iota // our own checks refused it
	tokenMissing              // no token was to be had, or WeChat refused to give one
	notWritten                // nothing of the request can have reached WeChat
	written                   // it may have, and no answer proves what came of it
	refused                   // WeChat answered with an errcode
	executed                  // WeChat's answer proves that it did it
)

// attempt is all that a decision looks at.
type attempt struct {
	row     *wxapi.Row
	keyed   bool // the request carries the row's key, by which WeChat knows it again
	reach   reach
	status  int // of HTTP, where there was an answer that proves nothing
	errcode int // of a refusal, the token's too
	class   wxapi.Class

	onUnknown string    // of the command
	spent     int       // budget used before this attempt
	backoff   int       // attempts in a row that used up nothing
	firstSent time.Time // of the first request written
	now       time.Time
	jitter    float64 // 0 to 1, drawn for this attempt
}

// scope is what rests besides the command.
type scope int

const (
	nothing scope = iota
	theAPI
	theAccount
)

// decision is what an attempt means.
type decision struct {
	// outcome is terminal, or "" for again after wait.
	outcome string
	class   wxapi.Class
	wait    time.Duration
	pause   scope // what rests for wait
	backoff int   // the next attempt's
	spends  bool  // the attempt used up budget
	doubt   bool  // nobody can know whether the attempt was executed
}

// pace is when a command comes again.
type pace int

const (
	never    pace = iota
	freely        // with a backoff that uses up nothing
	spending      // with a backoff that uses up the budget
	minutely      // when this minute's quota is new
	daily         // when this day's is
	operator      // when an operator may have helped
)

// rule is what a class of answers means.
type rule struct {
	outcome string // "" for again
	pace    pace
	pause   scope
}

// refusals is what WeChat's refusal of a command means. It was not executed,
// whatever kind of command it is.
var refusals = map[wxapi.Class]rule{
	wxapi.ClassOK:        {outcome: events.ResultDone},
	wxapi.ClassToken:     {pace: freely}, // the client has fetched a new one and tried again already
	wxapi.ClassBackoff:   {pace: spending},
	wxapi.ClassMinute:    {pace: minutely, pause: theAPI},
	wxapi.ClassQuota:     {pace: daily, pause: theAPI},
	wxapi.ClassConfig:    {pace: operator, pause: theAccount},
	wxapi.ClassPermanent: {outcome: events.ResultRejected},
	wxapi.ClassUser:      {outcome: events.ResultRejected},
	wxapi.ClassRight:     {outcome: events.ResultRejected},
	wxapi.ClassBug:       {outcome: events.ResultRejected},
}

// tokenRefusals is what it means that the token was refused us. That says
// nothing about the command: it waits until there is one. A day's quota of
// tokens can be cleared by an operator.
var tokenRefusals = map[wxapi.Class]rule{
	wxapi.ClassOK:        {pace: freely},
	wxapi.ClassToken:     {pace: freely},
	wxapi.ClassBackoff:   {pace: freely},
	wxapi.ClassMinute:    {pace: minutely, pause: theAccount},
	wxapi.ClassQuota:     {pace: operator, pause: theAccount},
	wxapi.ClassConfig:    {pace: operator, pause: theAccount},
	wxapi.ClassPermanent: {pace: operator, pause: theAccount},
	wxapi.ClassUser:      {pace: operator, pause: theAccount},
	wxapi.ClassRight:     {pace: operator, pause: theAccount},
	wxapi.ClassBug:       {pace: operator, pause: theAccount},
}

// ownPace are errcodes that mean one command and not its API.
var ownPace = map[int]bool{
	45066: true, // same clientmsgid retry too fast
}

// decide is pure and total: every attempt has one decision, the same one each time.
//
//   - refused by our checks, or finally by WeChat: rejected
//   - nothing was sent: again, without using up the budget
//   - WeChat is busy: again, six times in all, then failed
//   - nobody knows the errcode: again, three times in all, then rejected for good
//   - a minute's or day's quota is used up: the API rests until it is new
//   - only an operator can help: the account rests, and one command at a time tries
//   - nobody can know: unknown, unless a repetition does no harm
func decide(a attempt) decision {
	switch a.reach {
	case executed:
		return decision{outcome: events.ResultDone}
	case refusedByUs:
		return decision{outcome: events.ResultRejected, class: wxapi.ClassBug}
	case tokenMissing:
		return a.apply(tokenRefusals[a.class])
	case refused:
		r := refusals[a.class]
		if ownPace[a.errcode] {
			r.pause = nothing
		}
		return a.apply(r)
	case notWritten:
		d := a.apply(rule{pace: freely})
		d.class = wxapi.ClassBackoff
		return d
	}
	return a.unproven()
}

// apply makes a decision of a rule.
func (a attempt) apply(r rule) decision {
	d := decision{outcome: r.outcome, class: a.class, pause: r.pause}
	switch r.pace {
	case freely:
		d.wait, d.backoff = a.after(a.backoff), a.backoff+1
	case spending:
		d.spends = true
		_, known := wxapi.Known(a.errcode)
		switch {
		case !known && a.spent+1 >= unknownBudget:
			d.outcome, d.class = events.ResultRejected, wxapi.ClassPermanent
		case a.spent+1 >= budget:
			d.outcome = events.ResultFailed
		default:
			d.wait = a.after(a.spent)
		}
	case minutely:
		d.wait = untilNextMinute(a.now) + a.upTo(5*time.Second)
	case daily:
		d.wait = untilNextDay(a.now) + a.upTo(time.Minute)
	case operator:
		d.wait = configPause
	case never:
	}
	return d
}

// unproven is the decision on a request that was written and has no answer that
// proves anything.
func (a attempt) unproven() decision {
	d := decision{class: wxapi.ClassBackoff, doubt: true}
	if a.status == http.StatusTooManyRequests {
		// A gateway's word for a minute's quota. Whether it has passed the
		// request on nobody can know, but the next one can wait.
		d.class, d.pause, d.wait = wxapi.ClassMinute, theAPI, untilNextMinute(a.now)+a.upTo(5*time.Second)
	}
	switch {
	case !a.mayResend():
		d.outcome = events.ResultUnknown
		return d
	case a.spent+1 < budget:
		d.wait = max(d.wait, a.after(a.spent))
	case a.row.Retry == wxapi.Read:
		d.outcome = events.ResultFailed
	default:
		d.outcome = events.ResultUnknown
	}
	d.spends = true
	return d
}

// mayResend says whether a call that may have been executed may be sent again.
func (a attempt) mayResend() bool {
	switch {
	case a.onUnknown == events.OnUnknownResend, a.row.Retry == wxapi.Read:
		return true
	case a.row.Retry == wxapi.Keyed && a.keyed:
		return a.now.Before(a.firstSent.Add(a.row.KeyLife - keyMargin))
	}
	return false
}

// saw tells what an error of the client says about an attempt.
func (a attempt) saw(err error) attempt {
	var answer *wxapi.Error
	var request *wxapi.RequestError
	var transport *wxapi.TransportError
	var strange *wxapi.AnswerError
	switch {
	case err == nil:
		a.reach = executed
	case errors.As(err, &request):
		a.reach = refusedByUs
	case errors.As(err, &answer):
		a.reach, a.errcode, a.class = refused, answer.Code, answer.Class
		if answer.Verb == events.CallGetAccessToken { // the command itself was never begun
			a.reach = tokenMissing
		}
	case errors.As(err, &transport) && (!transport.Written || transport.Verb == events.CallGetAccessToken),
		errors.As(err, &strange) && strange.Verb == events.CallGetAccessToken:
		a.reach = notWritten
	case strange != nil:
		a.reach, a.status = written, strange.Status
	default: // of no type that we know, it may have been anything
		a.reach = written
	}
	return a
}

// after is the n-th wait: 0.5–1 s, doubled each time, at most 60 s.
func (a attempt) after(n int) time.Duration {
	whole := min(time.Second<<min(n, 10), time.Minute)
	return whole/2 + a.upTo(whole/2)
}

// upTo keeps what waited together from coming back together.
func (a attempt) upTo(d time.Duration) time.Duration { return time.Duration(a.jitter * float64(d)) }

// untilNextMinute is how long a minute's quota lasts still.
func untilNextMinute(now time.Time) time.Duration {
	return now.Truncate(time.Minute).Add(time.Minute).Sub(now)
}

// untilNextDay is how long a day's quota lasts still: WeChat counts days in UTC+8.
func untilNextDay(now time.Time) time.Duration {
	local := now.In(time.FixedZone("UTC+8", 8*60*60))
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location())
	return midnight.Sub(now)
}
