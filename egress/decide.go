package egress

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	// budget is how many requests that were answered with trouble a command may
	// spend before it failed.
	budget = 6
	// unknownBudget is the same for an errcode that nobody has documented.
	unknownBudget = 3
	// configPause is how long the account rests when only an operator can help.
	configPause = time.Minute
	// tokenVerb is the verb of errors that befell the fetching of the token;
	// the command itself was then never begun.
	tokenVerb = "get_access_token"
)

// attempt is all that a decision looks at.
type attempt struct {
	err       error
	retry     wxapi.RetryClass
	keyLife   time.Duration // how long WeChat remembers a keyed call
	onUnknown string        // of the command
	spent     int           // budget used before this attempt
	backoff   int           // attempts in a row that used up nothing
	firstSent time.Time     // of the first request written
	now       time.Time
}

// decision is what an attempt means.
type decision struct {
	// outcome is terminal, or "" for again after wait.
	outcome string
	class   wxapi.Class
	wait    time.Duration
	backoff int  // the next attempt's
	spends  bool // the attempt used up budget
	pause   bool // the whole account rests for wait
	doubt   bool // nobody can know whether the attempt was executed
}

// decide is pure: the same attempt, the same decision, save for the jitter.
//
//   - refused by our checks, or finally by WeChat: rejected
//   - nothing was sent: again, without using up the budget
//   - WeChat is busy: again, six times in all, then failed
//   - a minute's or day's quota is used up: again when it is new
//   - only an operator can help: the account rests, then again
//   - nobody can know: unknown, unless a repetition does no harm
func decide(a attempt) decision {
	if a.err == nil {
		return decision{outcome: events.ResultDone}
	}
	var refused *wxapi.Error
	var request *wxapi.RequestError
	switch {
	case errors.As(a.err, &request):
		return decision{outcome: events.ResultRejected, class: wxapi.ClassBug}
	case errors.As(a.err, &refused) && refused.Verb == tokenVerb:
		return decideToken(a, refused)
	case errors.As(a.err, &refused):
		return decideRefusal(a, refused)
	case notSent(a.err):
		return unsent(a)
	}
	// Written, and no answer that proves anything.
	d := decision{class: wxapi.ClassBackoff, doubt: true}
	switch {
	case !mayResend(a):
		d.outcome = events.ResultUnknown
		return d
	case a.spent+1 < budget:
		d.wait = backoff(a.spent)
	case a.retry == wxapi.Read:
		d.outcome = events.ResultFailed
	default:
		d.outcome = events.ResultUnknown
	}
	d.spends = true
	return d
}

// unsent is the decision on an attempt of which WeChat has seen nothing.
func unsent(a attempt) decision {
	return decision{class: wxapi.ClassBackoff, wait: backoff(a.backoff), backoff: a.backoff + 1}
}

// decideToken is the decision when the token was refused us. That says nothing
// about the command: it waits until there is a token.
func decideToken(a attempt, refused *wxapi.Error) decision {
	switch refused.Class {
	case wxapi.ClassBackoff, wxapi.ClassToken:
		return unsent(a)
	case wxapi.ClassMinute:
		return decision{class: refused.Class, wait: untilNextMinute(a.now)}
	default: // its quota too: an operator can clear it
		return decision{class: refused.Class, wait: configPause, pause: true}
	}
}

func decideRefusal(a attempt, refused *wxapi.Error) decision {
	d := decision{class: refused.Class}
	switch refused.Class {
	case wxapi.ClassOK:
		d.outcome = events.ResultDone
	case wxapi.ClassToken:
		// The client has fetched a new one and tried again already.
		d.wait, d.backoff = backoff(a.backoff), a.backoff+1
	case wxapi.ClassMinute:
		d.wait = untilNextMinute(a.now)
	case wxapi.ClassQuota:
		d.wait = untilNextDay(a.now)
	case wxapi.ClassConfig:
		d.wait, d.pause = configPause, true
	case wxapi.ClassBackoff:
		d.spends = true
		_, known := wxapi.Known(refused.Code)
		switch {
		case !known && a.spent+1 >= unknownBudget:
			d.outcome = events.ResultRejected
		case a.spent+1 >= budget:
			d.outcome = events.ResultFailed
		default:
			d.wait = backoff(a.spent)
		}
	default: // permanent, user, right, bug
		d.outcome = events.ResultRejected
	}
	return d
}

// notSent says that WeChat cannot have seen the command.
func notSent(err error) bool {
	var transport *wxapi.TransportError
	if errors.As(err, &transport) {
		return !transport.Written || transport.Verb == tokenVerb
	}
	var answer *wxapi.AnswerError
	return errors.As(err, &answer) && answer.Verb == tokenVerb
}

// mayResend says whether a call that may have been executed may be sent again.
func mayResend(a attempt) bool {
	switch {
	case a.onUnknown == events.OnUnknownResend, a.retry == wxapi.Read:
		return true
	case a.retry == wxapi.Keyed:
		return a.now.Before(a.firstSent.Add(a.keyLife))
	}
	return false
}

// backoff is the n-th wait: 0.5–1 s, doubled each time, at most 60 s.
func backoff(n int) time.Duration {
	whole := min(time.Second<<min(n, 10), time.Minute)
	return whole/2 + rand.N(whole/2+1)
}

// untilNextMinute is how long a minute's quota lasts still; the jitter keeps
// what waited together from coming back together.
func untilNextMinute(now time.Time) time.Duration {
	return now.Truncate(time.Minute).Add(time.Minute).Sub(now) + rand.N(5*time.Second)
}

// untilNextDay is how long a day's quota lasts still: WeChat counts days in UTC+8.
func untilNextDay(now time.Time) time.Duration {
	local := now.In(time.FixedZone("UTC+8", 8*60*60))
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location())
	return midnight.Sub(now) + rand.N(time.Minute)
}
