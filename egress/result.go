package egress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	classCallOnly   = "call_only"
	classIDConflict = "id_conflict"
	classExpired    = "expired"
)

// callOnlyError refuses a verb that carries credentials on a stream.
type callOnlyError struct{ verb string }

func (e *callOnlyError) Error() string {
	return fmt.Sprintf("%s carries credentials, which must not rest in a stream: send it as a request on wx.call.%s", e.verb, e.verb)
}

// callOnly says whether a command carries credentials, by its subject: for whatever
// else it is refused too, they must not rest in a stream.
func (e *Egress) callOnly(j *job) bool {
	_, verb, _ := e.bus.Prefix.Split(j.message.Subject)
	row, known := wxapi.Lookup(verb)
	return verb == events.CallGetAccessToken || known && row.CallOnly
}

func unknownVerb(verb string) error {
	problem := "the verb is unknown"
	if near := wxapi.Nearest(verb); near != "" {
		problem += ", did you mean " + near + "?"
	}
	return &wxapi.RequestError{Verb: verb, Problem: problem}
}

// rejected is the result of a command that our checks refuse.
func rejected(err error) events.Result {
	r := events.Result{Outcome: events.ResultRejected, ErrMsg: err.Error(), Class: string(wxapi.ClassBug)}
	if callOnly := (*callOnlyError)(nil); errors.As(err, &callOnly) {
		r.Class = classCallOnly
	}
	return r
}

// idConflict is the result of what has the id of something else.
func idConflict(id string) events.Result {
	return events.Result{
		Outcome: events.ResultRejected, Class: classIDConflict,
		ErrMsg: fmt.Sprintf("id %q was used in the last 7 days for another command: ids are the idempotency key, use a new one", id),
	}
}

// result is the terminal result that a decision and its attempt make.
func result(d decision, answer wxapi.Result, err error) events.Result {
	r := events.Result{
		Outcome: d.outcome, Class: string(d.class), ErrMsg: answer.ErrMsg, RID: answer.RID,
		Response: answer.Response, Warnings: answer.Warnings,
	}
	var refused *wxapi.Error
	switch {
	case errors.As(err, &refused):
		r.ErrCode, r.ErrMsg, r.RID = refused.Code, refused.Msg, refused.RID
		if refused.Class == wxapi.ClassRight {
			r.ErrMsg = missingRight(refused)
		}
	case err != nil:
		r.ErrMsg = err.Error()
	}
	return r
}

// missingRight says which right an operator must see to.
func missingRight(refused *wxapi.Error) string {
	path := ""
	if row, known := wxapi.Lookup(refused.Verb); known {
		path = row.Path
	}
	return fmt.Sprintf("%s: %s (%s) is not the account's right: %s", refused.Msg, refused.Verb, path, wxapi.Help(refused.Code))
}

// expired is the result of a command whose time ran out.
func expired(c events.Command) events.Result {
	return events.Result{
		Outcome: events.ResultExpired, Class: classExpired,
		ErrMsg: "its time ran out at " + c.Expires.UTC().Format(time.RFC3339) + " before it could be sent",
	}
}

// finish is the last step of a command: claim, dead letter, result, ack, in this
// order, so that after a stop in between the claim still knows the result. The
// error is queue.ErrConflict if the claim is not as j has it.
func (e *Egress) finish(ctx context.Context, j *job, r events.Result) (queue.Verdict, error) {
	r.Attempts = j.claim.Attempts
	r.ElapsedMS = max(0, time.Since(j.message.Time).Milliseconds())
	if r.Outcome != events.ResultDone && j.claim.Doubt && (j.row == nil || j.row.Retry != wxapi.Read) {
		// Whatever came after: a request that may have been executed was written.
		r.Outcome = events.ResultUnknown
		r.ErrMsg += ": nobody can know whether WeChat executed it"
	}
	id := events.ResultID(j.command.ID)
	e.fitResult(ctx, j.command.ID, &r)
	var err error
	if j.claim.Result, j.claim.Letter, err = e.ending(ctx, j, id, r); err != nil {
		e.logger.Error("result cannot be written as an event", "command", j.command.ID, "error", err)
		return queue.Again(soon), nil
	}
	j.claim.State = queue.Done
	if err := e.save(ctx, j); err != nil {
		return queue.Again(soon), err
	}
	e.observe.Finished(Finished{ID: j.command.ID, Verb: j.command.Verb, Result: r, Took: time.Since(j.began)})
	if r.Outcome != events.ResultDone {
		e.logger.Warn("command ended without success", "command", j.command.ID, "verb", j.command.Verb,
			"outcome", r.Outcome, "class", r.Class, "errcode", r.ErrCode, "rid", r.RID, "reason", r.ErrMsg)
	}
	return e.publish(ctx, j, id), nil
}

// ending makes the events of a command's end; there is a letter unless it is done.
func (e *Egress) ending(ctx context.Context, j *job, resultID string, r events.Result) (result, letter json.RawMessage, err error) {
	now := time.Now()
	if result, err = events.EncodeResult(e.appID, j.command, resultID, now, r); err != nil || r.Outcome == events.ResultDone {
		return result, nil, err
	}
	original := j.message
	if e.callOnly(j) {
		original.Header, original.Body = nil, nil // it holds credentials
	}
	event, err := events.NewCommandLetter(e.appID, j.command, resultID, now, r, original)
	if err != nil {
		return result, nil, err
	}
	if event, err = e.fitLetter(ctx, event); err != nil {
		return result, nil, err
	}
	_, letter, err = events.EncodeStructured(event)
	return result, letter, err
}

// publish publishes the end of a command as its claim holds it. A repetition is
// the same event under the same Nats-Msg-Id.
func (e *Egress) publish(ctx context.Context, j *job, id string) queue.Verdict {
	err := e.publishStored(ctx, events.DLQ, j.command.Verb, events.LetterID(id), j.claim.Letter)
	if err == nil {
		err = e.publishStored(ctx, events.Results, j.command.Verb, id, j.claim.Result)
	}
	if err != nil {
		if j.turn.Held() && e.ends.wait(id, err) {
			e.logger.Warn("results wait for the bus", "command", j.command.ID, "error", err)
		}
		return queue.Again(soon)
	}
	if e.ends.taken(id) {
		e.logger.Info("results no longer wait for the bus")
	}
	return queue.Finish()
}

func (e *Egress) publishStored(ctx context.Context, branch events.Branch, verb, id string, event json.RawMessage) error {
	if len(event) == 0 {
		return nil
	}
	_, err := e.bus.PublishWithin(ctx, 5*time.Second, e.bus.Prefix.Subject(branch, verb), event, e.appID+"."+id)
	return err
}

// conflict ends a command whose id was used for another one before: a result of
// its own, and the first command's claim untouched.
func (e *Egress) conflict(ctx context.Context, j *job) queue.Verdict {
	r := idConflict(j.command.ID)
	r.ElapsedMS = max(0, time.Since(j.message.Time).Milliseconds())
	own := events.ResultID(j.command.ID + "-" + strconv.FormatUint(j.message.Sequence, 10))
	var err error
	e.fitResult(ctx, own, &r)
	if j.claim.Result, j.claim.Letter, err = e.ending(ctx, j, own, r); err != nil {
		e.logger.Error("result cannot be written as an event", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	e.observe.Finished(Finished{ID: j.command.ID, Verb: j.command.Verb, Result: r, Took: time.Since(j.began)})
	return e.publish(ctx, j, own)
}

// save writes the claim after a request, trying as long as the process may: what
// was sent must not be forgotten. The error is queue.ErrConflict if somebody else
// has changed it, or the end of ctx.
func (e *Egress) save(ctx context.Context, j *job) error {
	for first := true; ; first = false {
		err := e.claims.Save(ctx, j.command.ID, &j.claim)
		if err == nil || errors.Is(err, queue.ErrConflict) {
			return err
		}
		if first {
			e.logger.Warn("claim is not written yet", "command", j.command.ID, "state", string(j.claim.State), "error", err)
		}
		if !sleep(ctx, soon/5) {
			return err
		}
	}
}
