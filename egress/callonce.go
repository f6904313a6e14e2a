package egress

import (
	"context"
	"errors"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// A call that carries an id and does something is made once, so that whoever got
// no answer may ask again. It has a claim like a command's, under the same id, with
// the sequence 0 of what is in no stream. While the claim says sending, NotBefore
// is when the process that makes the call has certainly given up. A call that was
// not executed leaves its id free for the next.

// callLife is how long a call takes at most, its claim included.
const callLife = callWithin + 2*storeWithin

// callOnce makes a call with an id, or answers what came of the one before.
func (e *Egress) callOnce(ctx context.Context, command events.Command) events.Result {
	if err := fit(&command, command.ID); err != nil {
		return rejected(err)
	}
	j := &job{command: command, claim: queue.Claim{Verb: command.Verb, Hash: dataHash(command.Data)}}
	e.recognise(j)
	fresh := j.claim
	for {
		if !time.Now().Before(command.Expires) {
			return expired(command)
		}
		err := e.claimCall(ctx, j)
		if err == nil {
			return e.callClaimed(ctx, j)
		}
		if !errors.Is(err, queue.ErrConflict) {
			e.sendingUnsure(command.ID)
			return unclaimed(err)
		}
		switch result, free := e.awaitFormer(ctx, j, fresh); {
		case free:
		case result.Outcome == events.Pending:
			return underWay(result)
		default:
			return result
		}
	}
}

// underWay is the answer while the result of the id is still to come.
func underWay(pending events.Result) events.Result {
	return events.Result{
		Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff),
		ErrMsg: "nothing was sent, because a command or call of this id has " + pending.ErrMsg + "; ask again, or wx.call." + events.CallGetResult,
	}
}

// claimCall writes down that this process makes the call.
func (e *Egress) claimCall(ctx context.Context, j *job) error {
	j.began = time.Now()
	j.claim.State, j.claim.Owner, j.claim.NotBefore = queue.Sending, e.process, j.began.Add(callLife)
	if j.claim.FirstSent.IsZero() {
		j.claim.FirstSent = j.began
	}
	return e.claims.Save(ctx, j.command.ID, &j.claim)
}

func unclaimed(err error) events.Result {
	return events.Result{
		Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff),
		ErrMsg: "nothing was sent, because the claim of the id is not to be had: " + err.Error(),
	}
}

// awaitFormer waits for what comes of the command or call that has the id
// already. free says that the call can be made over what j then has as its claim.
func (e *Egress) awaitFormer(ctx context.Context, j *job, fresh queue.Claim) (result events.Result, free bool) {
	for again := 10 * time.Millisecond; ; again = min(2*again, 500*time.Millisecond) {
		var err error
		if j.claim, err = e.claims.Load(ctx, j.command.ID); err != nil {
			return unclaimed(err), false
		}
		result, free = e.former(ctx, j, fresh)
		if free || result.Outcome != events.Pending || !sleep(ctx, again) {
			return result, free
		}
	}
}

// former says what a claim that was there before means for a call of its id.
func (e *Egress) former(ctx context.Context, j *job, fresh queue.Claim) (result events.Result, free bool) {
	c := &j.claim
	switch {
	case c.State == "":
		return pending(*c), false // what a replica that lags behind says
	case c.Verb != fresh.Verb || c.Hash != fresh.Hash:
		return idConflict(j.command.ID), false
	case c.State == queue.Done:
		return storedResult(*c), false
	case c.Sequence != 0:
		return pending(*c), false // a command of the queue: it will be executed
	case c.State == queue.Waiting, c.Owner == e.process && e.knownUnsent(j.command.ID):
		return events.Result{}, true
	case time.Now().Before(c.NotBefore):
		return pending(*c), false
	}
	// Whoever made the call is gone. Written or not: it counts as if it was.
	c.Attempts++
	c.Doubt = true
	a := attempt{row: j.row, keyed: j.keyed, onUnknown: j.command.OnUnknown, firstSent: c.FirstSent, now: time.Now()}
	if a.mayResend() {
		return events.Result{}, true
	}
	return e.endCall(ctx, j, events.Result{
		Outcome: events.ResultUnknown, Class: string(wxapi.ClassBackoff),
		ErrMsg: "a process stopped while it was making this call: nobody can know whether WeChat executed it",
	}), false
}

// callClaimed makes the call that this process has claimed.
func (e *Egress) callClaimed(ctx context.Context, j *job) events.Result {
	r := e.callNow(ctx, j.row, j.command, j.data)
	j.claim.Attempts += r.Attempts
	if r.Outcome != events.ResultDone && j.claim.Doubt {
		r.Outcome = events.ResultUnknown
		r.ErrMsg += ": nobody can know whether WeChat executed it"
	}
	return e.endCall(ctx, j, r)
}

// endCall writes down what came of a call before its caller is told: whoever asks
// again is told the same.
func (e *Egress) endCall(ctx context.Context, j *job, r events.Result) events.Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWithin) // whatever the caller's patience
	defer cancel()
	r.Attempts, r.ElapsedMS = j.claim.Attempts, time.Since(j.began).Milliseconds()
	e.fitResult(ctx, j.command.ID, &r)
	switch r.Outcome {
	case events.ResultFailed, events.ResultExpired:
		j.claim.State, j.claim.NotBefore = queue.Waiting, time.Now()
	default:
		var err error
		j.claim.State, j.claim.NotBefore = queue.Done, time.Time{}
		if j.claim.Result, err = events.EncodeResult(e.appID, j.command, events.ResultID(j.command.ID), time.Now(), r); err != nil {
			e.logger.Error("result cannot be written as an event", "call", j.command.ID, "error", err)
			return r
		}
	}
	err := e.claims.Save(ctx, j.command.ID, &j.claim)
	if errors.Is(err, queue.ErrConflict) {
		// Somebody else has taken us for dead, and the id has one result.
		if claim, err := e.claims.Load(ctx, j.command.ID); err == nil && claim.State == queue.Done {
			return storedResult(claim)
		}
	}
	if err != nil {
		e.logger.Warn("what came of a call is not kept: asked again, nobody can know", "call", j.command.ID, "verb", j.command.Verb, "outcome", r.Outcome, "error", err)
	}
	return r
}
