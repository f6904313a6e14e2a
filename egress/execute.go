package egress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// job is one command on its way.
type job struct {
	command events.Command
	message events.Message
	row     *wxapi.Row
	claim   queue.Claim
	began   time.Time
}

// work executes one command, or says when it must come again.
func (e *Egress) work(ctx context.Context, m jetstream.Msg) queue.Verdict {
	meta, err := m.Metadata()
	if err != nil {
		e.logger.Error("message of the queue without metadata", "error", err)
		return queue.Again(soon)
	}
	j := &job{began: time.Now(), message: events.Message{
		Subject: m.Subject(), Header: events.Header(m.Headers()), Body: m.Data(),
		Sequence: meta.Sequence.Stream, Time: meta.Timestamp,
	}}
	bareID := fmt.Sprintf("%s-%d-%d", meta.Stream, e.created.Unix(), j.message.Sequence)
	var malformed error
	j.command, malformed = events.ParseCommand(e.bus.Prefix, j.message, bareID)
	if !e.enter(j.command.ID) {
		return queue.Again(soon)
	}
	defer e.leave(j.command.ID)
	if j.claim, err = e.claims.Load(ctx, j.command.ID); err != nil {
		e.logger.Warn("claim cannot be read", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	if verdict, settled := e.settled(ctx, j); settled {
		return verdict
	}
	if err := e.refuse(j, malformed); err != nil {
		return e.finish(ctx, j, rejected(err))
	}
	if !j.began.Before(j.command.Expires) {
		return e.finish(ctx, j, events.Result{Outcome: events.ResultExpired, ErrMsg: "its time ran out at " + j.command.Expires.UTC().Format(time.RFC3339) + " before it could be sent"})
	}
	return e.send(ctx, j)
}

// settled deals with a command that is not new: finished, waiting, or left in
// mid-send by a process that died.
func (e *Egress) settled(ctx context.Context, j *job) (queue.Verdict, bool) {
	hash := dataHash(j.command.Data)
	c := &j.claim
	switch {
	case c.State == "":
		*c = queue.Claim{Sequence: j.message.Sequence, Verb: j.command.Verb, Hash: hash}
		return queue.Verdict{}, false
	case c.Verb != j.command.Verb || c.Hash != hash:
		return e.conflict(ctx, j), true
	case c.State == queue.Done:
		return e.publish(ctx, j), true
	case c.Sequence != j.message.Sequence && e.inStream(ctx, c.Sequence):
		return queue.Again(soon), true // its twin is at work and will leave a result
	case c.State == queue.Waiting && j.began.Before(c.NotBefore):
		return queue.Again(c.NotBefore.Sub(j.began)), true
	}
	c.Sequence = j.message.Sequence
	return queue.Verdict{}, false
}

// inStream says whether a command still waits in the stream.
func (e *Egress) inStream(ctx context.Context, sequence uint64) bool {
	_, err := e.bus.Stored(ctx, bus.StreamCmd, sequence)
	return !errors.Is(err, jetstream.ErrMsgNotFound)
}

// refuse says why a command cannot be executed at all.
func (e *Egress) refuse(j *job, malformed error) error {
	if len(j.message.Body) > e.cfg.MaxCommand {
		return fmt.Errorf("the command is %d bytes, at most %d are possible (WX_MAX_COMMAND): put files into the object store and pass a dataref", len(j.message.Body), e.cfg.MaxCommand)
	}
	if malformed != nil {
		return malformed
	}
	row, known := wxapi.Lookup(j.command.Verb)
	if !known {
		return unknownVerb(j.command.Verb)
	}
	j.row = row
	if j.command.PartitionKey == "" {
		j.command.PartitionKey = field(j.command.Data, row.Lane)
	}
	if row.CallOnly {
		return &callOnlyError{row.Name}
	}
	return e.check(row, j.command.Data)
}

// check applies the row's checks, and with WX_STRICT also its warnings.
func (e *Egress) check(row *wxapi.Row, data []byte) error {
	warnings, err := row.Check(data)
	if err == nil && e.cfg.Strict && len(warnings) > 0 {
		err = &wxapi.RequestError{Verb: row.Name, Path: warnings[0], Problem: "the field is unknown, and WX_STRICT=1 rejects it"}
	}
	return err
}

// send makes one attempt. The claim says sending before a byte is written, so
// that an heir knows that the command may have been executed.
func (e *Egress) send(ctx context.Context, j *job) queue.Verdict {
	if wait := e.resting(j.began); wait > 0 {
		return queue.Again(wait)
	}
	a := attempt{
		retry: j.row.Retry, keyLife: j.row.KeyLife, onUnknown: j.command.OnUnknown,
		spent: j.claim.Spent, backoff: j.claim.Backoff, firstSent: j.claim.FirstSent, now: j.began,
	}
	// A claim of this very process that it does not work on is one whose writing
	// was not acked: nothing was sent after it.
	inherited := j.claim.State == queue.Sending && j.claim.Owner != e.process
	if inherited {
		j.claim.Attempts++ // written or not: it counts as if it was
	}
	if inherited && !mayResend(a) {
		return e.finish(ctx, j, events.Result{
			Outcome: events.ResultUnknown, Class: string(wxapi.ClassBackoff),
			ErrMsg: "a process stopped while it was sending this command: nobody can know whether WeChat executed it",
		})
	}
	j.claim.State, j.claim.Owner, j.claim.NotBefore = queue.Sending, e.process, time.Time{}
	if j.claim.FirstSent.IsZero() {
		j.claim.FirstSent = j.began
	}
	if err := e.claims.Save(ctx, j.command.ID, &j.claim); err != nil {
		e.logger.Warn("command is not sent, its claim cannot be written", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	e.observe.Taken(Taken{ID: j.command.ID, Verb: j.row.Name, Data: j.command.Data})
	answer, err := e.client.CallJSON(ctx, j.row, j.command.Data)
	j.claim.Attempts += answer.Requests
	a.err, a.now, a.firstSent = err, time.Now(), j.claim.FirstSent
	d := decide(a)
	if d.spends {
		j.claim.Spent++
	}
	if d.pause {
		e.rest(a.now.Add(d.wait), err.Error())
	}
	if d.outcome == "" {
		return e.wait(ctx, j, d, err)
	}
	if err == nil {
		e.recovered()
	}
	return e.finish(ctx, j, result(d, answer, err))
}

// wait parks a command until its next attempt, and at its expiry at the latest.
func (e *Egress) wait(ctx context.Context, j *job, d decision, why error) queue.Verdict {
	e.logger.Info("command waits", "command", j.command.ID, "verb", j.row.Name, "class", string(d.class), "wait", d.wait.String(), "error", why)
	until := time.Now().Add(d.wait)
	if j.command.Expires.Before(until) {
		until = j.command.Expires
	}
	j.claim.State, j.claim.NotBefore = queue.Waiting, until
	j.claim.Backoff++
	if err := e.save(ctx, j); err != nil {
		return queue.Again(soon)
	}
	return queue.Again(time.Until(until))
}

// field reads a text field of the data.
func field(data []byte, name string) string {
	if name == "" {
		return ""
	}
	var fields map[string]json.RawMessage
	var value string
	if json.Unmarshal(data, &fields) != nil || json.Unmarshal(fields[name], &value) != nil {
		return ""
	}
	return value
}

// dataHash is equal for data that are equal as JSON values.
func dataHash(data []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) == nil {
		if canonical, err := json.Marshal(value); err == nil {
			data = canonical
		}
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
