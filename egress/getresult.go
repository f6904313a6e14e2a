package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// get_result is a call of the bridge's own: what became of a command.
//
//	nats req wx.call.get_result '{"id":"order-42","wait_ms":5000}'

const (
	// resultWithin bounds wait_ms.
	resultWithin = time.Minute
	// resultsAtOnce bounds the requests that wait for a result in one process;
	// the next one is answered as things stand.
	resultsAtOnce = 512

	// classNotFound says that no command of the id has had its turn.
	classNotFound = "not_found"
)

// answerResult answers one request of wx.call.get_result.
func (e *Egress) answerResult(ctx context.Context, r micro.Request, mayWait bool) {
	began := time.Now()
	result := e.resultOf(ctx, r.Data(), mayWait)
	e.observe.Finished(Finished{Verb: events.CallGetResult, Call: true, Result: result, Took: time.Since(began)})
	e.respond(events.CallGetResult, r, result)
}

func (e *Egress) resultOf(ctx context.Context, data []byte, mayWait bool) events.Result {
	var want events.ResultQuery
	if err := json.Unmarshal(data, &want); err != nil {
		return rejected(&wxapi.RequestError{Verb: events.CallGetResult, Problem: `the data must be {"id":"…","wait_ms":…}: ` + err.Error()})
	}
	wait := time.Duration(want.WaitMS) * time.Millisecond
	switch {
	case want.ID == "":
		return rejected(&wxapi.RequestError{Verb: events.CallGetResult, Path: "id", Problem: "is missing: the id of a command"})
	case want.WaitMS < 0 || wait > resultWithin:
		return rejected(&wxapi.RequestError{Verb: events.CallGetResult, Path: "wait_ms", Problem: fmt.Sprintf("must be between 0 and %d", resultWithin.Milliseconds())})
	case !mayWait:
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait+5*time.Second)
	defer cancel()
	deadline := time.Now().Add(wait)
	var last queue.Claim
	for again := 10 * time.Millisecond; ; again = min(2*again, 500*time.Millisecond) {
		claim, err := e.claims.Load(ctx, want.ID)
		switch {
		case err != nil && ctx.Err() != nil:
			return pending(last) // the process stops
		case err != nil:
			return events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff), ErrMsg: "the claim cannot be read: " + err.Error()}
		case claim.State == queue.Done:
			return storedResult(claim)
		}
		if left := time.Until(deadline); left <= 0 || !sleep(ctx, min(again, left)) {
			return pending(claim)
		}
		last = claim
	}
}

// storedResult is the result that a claim keeps.
func storedResult(c queue.Claim) events.Result {
	result, _, err := events.ParseResult(events.Structured(), c.Result)
	if err != nil {
		return events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBug), ErrMsg: "the stored result cannot be read: " + err.Error()}
	}
	return result
}

// pending says how far a command has got that has no result yet.
func pending(c queue.Claim) events.Result {
	r := events.Result{Outcome: events.Pending, Attempts: c.Attempts, Class: string(c.State)}
	switch c.State {
	case queue.Sending:
		r.ErrMsg = "no result yet: the command is being sent"
	case queue.Waiting:
		if c.Sequence == 0 {
			r.ErrMsg = "no result: the call was not executed, and can be made again with its id"
			break
		}
		r.ErrMsg = "no result yet: the command waits for its next try"
		if c.NotBefore.After(time.Now()) {
			r.ErrMsg += ", not before " + c.NotBefore.UTC().Format(time.RFC3339)
		}
	default:
		r.Class = classNotFound
		r.ErrMsg = "no command of this id has had its turn in the last 7 days; it may still be in the queue"
	}
	return r
}
