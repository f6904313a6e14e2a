package egress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// soon is when a command comes again whose work could not go on, for a reason
// that is the bus's and not WeChat's.
const soon = time.Second

// twin is when a command comes again while another with its id is worked on.
const twin = soon / 10

// heirWaits is how long an heir leaves the commands alone that another process
// was sending: if that one lives, and was only cut off from NATS for a moment,
// it knows what came of them and says so.
const heirWaits = 2 * time.Second

// work executes one command, or says when it must come again.
func (e *Egress) work(ctx context.Context, j *job, turn queue.Turn) (verdict queue.Verdict) {
	j.turn, j.began = turn, time.Now()
	if !e.enter(j.command.ID) {
		return queue.Again(twin)
	}
	defer e.leave(j.command.ID)
	j.admitted = false
	defer func() {
		if j.admitted {
			e.rates.giveBack(j.api)
		}
	}()
	defer func() {
		if mistake := recover(); mistake != nil {
			verdict = e.mistaken(ctx, j, mistake)
		}
	}()
	// Most commands are new, so their claim is created before it is looked for.
	j.claim = queue.Claim{Sequence: j.message.Sequence, Verb: j.command.Verb, Hash: dataHash(j.command.Data)}
	verdict, err := e.execute(ctx, j)
	if !errors.Is(err, queue.ErrConflict) {
		return verdict
	}
	fresh := j.claim
	if j.claim, err = e.claims.Load(ctx, j.command.ID); err != nil || j.claim.State == "" {
		e.logger.Warn("claim cannot be read", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	if verdict, settled := e.settled(ctx, j, fresh.Hash); settled {
		return verdict
	}
	verdict, _ = e.execute(ctx, j)
	return verdict
}

// execute makes one attempt at a command that is neither finished nor waits. The
// error is queue.ErrConflict if the claim is not as j has it.
func (e *Egress) execute(ctx context.Context, j *job) (queue.Verdict, error) {
	if err := e.refuse(j); err != nil {
		return e.finish(ctx, j, rejected(err))
	}
	if !j.began.Before(j.command.Expires) {
		e.rates.forget(j.message.Sequence)
		return e.finish(ctx, j, expired(j.command))
	}
	return e.send(ctx, j)
}

// mistaken ends a command on which this program failed.
func (e *Egress) mistaken(ctx context.Context, j *job, mistake any) queue.Verdict {
	what := fmt.Sprintf("%T", mistake) // its text may be anybody's
	if fault, ok := mistake.(runtime.Error); ok {
		what = fault.Error()
	}
	e.logger.Error("the program failed on a command", "command", j.command.ID, "verb", j.command.Verb,
		"panic", what, "stack", string(debug.Stack()))
	claim, err := e.claims.Load(ctx, j.command.ID)
	switch {
	case err != nil:
		return queue.Again(soon)
	case claim.State == queue.Done:
		j.claim = claim
		return e.publish(ctx, j, events.ResultID(j.command.ID))
	case claim.State != "":
		j.claim = claim
	default:
		j.claim = queue.Claim{Sequence: j.message.Sequence, Verb: j.command.Verb, Hash: dataHash(j.command.Data)}
	}
	j.claim.Doubt = j.claim.Doubt || j.claim.State == queue.Sending
	verdict, err := e.finish(ctx, j, events.Result{
		Outcome: events.ResultFailed, Class: string(wxapi.ClassBug),
		ErrMsg: "the bridge failed on this command, which is the bridge's mistake: see its log",
	})
	if err != nil {
		return queue.Again(soon)
	}
	return verdict
}

// settled deals with a command that is not new: finished, waiting, or left in
// mid-send by a process that died.
func (e *Egress) settled(ctx context.Context, j *job, hash string) (queue.Verdict, bool) {
	c := &j.claim
	switch {
	case c.Verb != j.command.Verb || c.Hash != hash:
		return e.conflict(ctx, j), true
	case c.State == queue.Done:
		return e.publish(ctx, j, events.ResultID(j.command.ID)), true
	case c.Sequence == 0 && c.State == queue.Sending && j.began.Before(c.NotBefore):
		return queue.Again(soon), true // a call of this id is being made
	case c.Sequence != 0 && c.Sequence != j.message.Sequence && e.inStream(ctx, c.Sequence):
		return queue.Again(soon), true // its twin is at work and will leave a result
	case c.State == queue.Waiting && j.began.Before(c.NotBefore):
		return queue.Again(c.NotBefore.Sub(j.began)), true
	}
	if c.State == queue.Sending && (c.Owner != e.process || !e.knownUnsent(j.command.ID)) {
		if wait := e.heirWaits - time.Since(j.turn.Began); c.Owner != e.process && wait > 0 {
			return queue.Again(wait), true
		}
		if c.Epoch > j.turn.Epoch || !j.turn.Held() {
			return queue.Again(soon), true // it is its heir's who lives, and not left by a former owner
		}
		// Written or not: it counts as if it was.
		c.Attempts++
		c.Spent++
		c.Doubt = true
		j.inherited = true
	}
	c.Sequence = j.message.Sequence
	return queue.Verdict{}, false
}

// inStream says whether a command still waits in the stream.
func (e *Egress) inStream(ctx context.Context, sequence uint64) bool {
	_, err := e.bus.Stored(ctx, bus.StreamCmd, sequence)
	return !errors.Is(err, jetstream.ErrMsgNotFound)
}

// send makes one attempt. The claim says sending before a byte is written, so
// that an heir knows that the command may have been executed.
func (e *Egress) send(ctx context.Context, j *job) (queue.Verdict, error) {
	a := attempt{
		row: j.row, keyed: j.keyed, onUnknown: j.command.OnUnknown, spent: j.claim.Spent, backoff: j.claim.Backoff,
		firstSent: j.claim.FirstSent, now: j.began, jitter: rand.Float64(),
	}
	switch {
	case j.inherited && (!a.mayResend() || a.spent >= budget):
		return e.finish(ctx, j, events.Result{
			Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff),
			ErrMsg: "a process stopped while it was sending this command",
		})
	case j.claim.Doubt && !a.mayResend(): // it could be when its last attempt ended, and has waited since
		return e.finish(ctx, j, events.Result{
			Outcome: events.ResultUnknown, Class: string(wxapi.ClassBackoff),
			ErrMsg: "it was sent, and has waited until WeChat knows a repetition no more",
		})
	}
	if !j.admitted {
		if wait := e.rates.admit(j.message.Sequence, j.turn.Epoch, j.api); wait > 0 {
			return queue.Again(wait), nil
		}
		j.admitted = true
	}
	before := j.claim
	j.claim.State, j.claim.Owner, j.claim.Epoch, j.claim.NotBefore = queue.Sending, e.process, j.turn.Epoch, time.Time{}
	if j.claim.FirstSent.IsZero() {
		j.claim.FirstSent = j.began
	}
	switch err := e.claims.Save(ctx, j.command.ID, &j.claim); {
	case errors.Is(err, queue.ErrConflict):
		return queue.Again(soon), err
	case err != nil:
		e.sendingUnsure(j.command.ID)
		e.logger.Warn("command is not sent, its claim cannot be written", "command", j.command.ID, "error", err)
		return queue.Again(soon), nil
	case !j.turn.Held():
		// Another process may own the queue by now, and send what comes after.
		return e.unsent(ctx, j, before)
	}
	_ = e.knownUnsent(j.command.ID) // from now on it is not
	j.admitted = false              // it is spent
	e.observe.Taken(Taken{ID: j.command.ID, Verb: j.row.Name, Data: j.command.Data})
	sent := time.Now()
	answer, err := e.client.Do(ctx, j.checked)
	j.claim.Attempts += answer.Requests
	a.now, a.firstSent = time.Now(), j.claim.FirstSent
	a = a.saw(err)
	d := e.decide(a)
	j.claim.Backoff = d.backoff
	j.claim.Doubt = j.claim.Doubt || d.doubt
	if d.spends {
		j.claim.Spent++
	}
	e.tell(ctx, j, a, d, sent, answer.Requests, err)
	if d.outcome == "" {
		return e.wait(ctx, j, d, err)
	}
	return e.finish(ctx, j, result(d, answer, err))
}

// unsent takes back that a command is being sent: nothing was.
func (e *Egress) unsent(ctx context.Context, j *job, before queue.Claim) (queue.Verdict, error) {
	sending := j.claim
	j.claim = before
	j.claim.State, j.claim.NotBefore = queue.Waiting, j.began
	j.claim.Takes(sending)
	return queue.Again(soon), e.save(ctx, j)
}

// wait parks a command until its next attempt. While its API or the account is
// paused the pause says until when, and the claim nothing.
func (e *Egress) wait(ctx context.Context, j *job, d decision, why error) (queue.Verdict, error) {
	e.logger.Info("command waits", "command", j.command.ID, "verb", j.row.Name, "class", string(d.class), "wait", d.wait.String(), "error", why)
	j.claim.State, j.claim.NotBefore = queue.Waiting, time.Now()
	if d.pause == nothing {
		j.claim.NotBefore = j.claim.NotBefore.Add(d.wait)
	}
	until := j.claim.NotBefore
	if err := e.save(ctx, j); err != nil {
		return queue.Again(soon), err
	}
	return queue.Again(time.Until(until)), nil
}

// tell passes on what an attempt says of the API and the account.
func (e *Egress) tell(ctx context.Context, j *job, a attempt, d decision, sent time.Time, requests int, err error) {
	p := Pause{API: j.api, Class: d.class, ErrCode: a.errcode, Since: a.now, Until: a.now.Add(d.wait)}
	switch d.pause {
	case theAccount:
		p.API = ""
	case nothing:
		if requests > 0 && (a.reach == refused || a.reach == executed) { // what asked nobody has learned nothing
			e.pauses.passed(ctx, j.api, j.row.Auth == wxapi.AccountToken, sent)
		}
		if a.reach == executed {
			e.cleared(ctx, j.row, j.command.Data)
		}
		return
	case theAPI:
	}
	p.Reason = trouble(err)
	e.pauses.begin(ctx, p, sent)
}

// tellOfCall passes on what a call says of the account: where nothing but calls
// is used, nobody else finds out that it is in trouble, or out of it.
func (e *Egress) tellOfCall(ctx context.Context, row *wxapi.Row, data []byte, a attempt, d decision, sent time.Time, err error) {
	switch {
	case d.pause == theAccount:
		e.pauses.begin(ctx, Pause{Class: d.class, ErrCode: a.errcode, Reason: trouble(err), Since: a.now, Until: a.now.Add(d.wait)}, sent)
	case row.Auth == wxapi.AccountToken && row.Body != wxapi.Local && (a.reach == executed || a.reach == refused && a.class != wxapi.ClassToken):
		e.pauses.proven(ctx, sent)
	}
	if a.reach == executed {
		e.cleared(ctx, row, data)
	}
}

// cleared ends the pauses whose quota a call has just cleared.
func (e *Egress) cleared(ctx context.Context, row *wxapi.Row, data []byte) {
	switch row.Name {
	case "clear_quota", "clear_quota_by_secret":
		e.pauses.endQuota(ctx, "")
	case "clear_api_quota":
		e.pauses.endQuota(ctx, field(data, "cgi_path"))
	}
}

// trouble is what an operator reads: the same words as long as it is the same.
func trouble(err error) string {
	var refused *wxapi.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return fmt.Sprintf("WeChat answers %s with %d %q: %s", refused.Verb, refused.Code, refused.Msg, wxapi.Help(refused.Code))
}
