package egress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

// job is one command on its way.
type job struct {
	command events.Command
	message events.Message
	row     *wxapi.Row
	claim   queue.Claim
	began   time.Time
	// inherited: somebody stopped while the command was being sent.
	inherited bool
}

// work executes one command, or says when it must come again.
func (e *Egress) work(ctx context.Context, m jetstream.Msg) (verdict queue.Verdict) {
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
	if odd := fit(&j.command, bareID); malformed == nil {
		malformed = odd
	}
	if !e.enter(j.command.ID) {
		return queue.Again(twin)
	}
	defer e.leave(j.command.ID)
	if j.claim, err = e.claims.Load(ctx, j.command.ID); err != nil {
		e.logger.Warn("claim cannot be read", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	// A command that brings the program down would do so to every replica in turn.
	defer func() {
		if mistake := recover(); mistake != nil {
			verdict = e.mistaken(ctx, j, mistake)
		}
	}()
	if verdict, settled := e.settled(ctx, j); settled {
		return verdict
	}
	if err := e.refuse(j, malformed); err != nil {
		return e.finish(ctx, j, rejected(err))
	}
	if !j.began.Before(j.command.Expires) {
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
	j.claim.Doubt = j.claim.Doubt || j.claim.State == queue.Sending
	return e.finish(ctx, j, events.Result{
		Outcome: events.ResultFailed, Class: string(wxapi.ClassBug),
		ErrMsg: "the bridge failed on this command, which is the bridge's mistake: see its log",
	})
}

// settled deals with a command that is not new: finished, waiting, or left in
// mid-send by a process that died.
func (e *Egress) settled(ctx context.Context, j *job) (queue.Verdict, bool) {
	hash := dataHash(j.command.Data)
	unsent := e.knownUnsent(j.command.ID)
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
	if c.State == queue.Sending && (c.Owner != e.process || !unsent) {
		// Written or not: it counts as if it was.
		c.Attempts++
		c.Spent++
		c.Doubt = true
		j.inherited = true
	}
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
	if lane := field(j.command.Data, row.Lane); j.command.PartitionKey == "" && len(lane) <= maxAttribute {
		j.command.PartitionKey = lane
	}
	if row.CallOnly {
		return &callOnlyError{row.Name}
	}
	return e.check(row, j.command.Data)
}

// check applies the row's checks, with WX_STRICT also its warnings, and looks
// at a dataref before anybody waits for what it names.
func (e *Egress) check(row *wxapi.Row, data []byte) error {
	warnings, err := row.Check(data)
	if err != nil {
		return err
	}
	if e.cfg.Strict && len(warnings) > 0 {
		return &wxapi.RequestError{Verb: row.Name, Path: warnings[0], Problem: "the field is unknown, and WX_STRICT=1 rejects it"}
	}
	if ref := dataref(data); row.Body == wxapi.Upload && ref != "" {
		if _, err := e.media.object(ref); err != nil {
			return &wxapi.RequestError{Verb: row.Name, Path: "media.dataref", Problem: err.Error()}
		}
	}
	return nil
}

// dataref is where an upload's data say that the file is.
func dataref(data []byte) string {
	var upload struct {
		Media struct {
			DataRef string `json:"dataref"`
		} `json:"media"`
	}
	if json.Unmarshal(data, &upload) != nil {
		return ""
	}
	return upload.Media.DataRef
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
	if j.inherited && (!mayResend(a) || a.spent >= budget) {
		return e.finish(ctx, j, events.Result{
			Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff),
			ErrMsg: "a process stopped while it was sending this command",
		})
	}
	j.claim.State, j.claim.Owner, j.claim.NotBefore = queue.Sending, e.process, time.Time{}
	if j.claim.FirstSent.IsZero() {
		j.claim.FirstSent = j.began
	}
	if err := e.claims.Save(ctx, j.command.ID, &j.claim); err != nil {
		if !errors.Is(err, queue.ErrConflict) {
			e.sendingUnsure(j.command.ID)
		}
		e.logger.Warn("command is not sent, its claim cannot be written", "command", j.command.ID, "error", err)
		return queue.Again(soon)
	}
	e.observe.Taken(Taken{ID: j.command.ID, Verb: j.row.Name, Data: j.command.Data})
	answer, err := e.client.CallJSON(ctx, j.row, j.command.Data)
	j.claim.Attempts += answer.Requests
	a.err, a.now, a.firstSent = err, time.Now(), j.claim.FirstSent
	d := e.decide(a)
	j.claim.Backoff = d.backoff
	j.claim.Doubt = j.claim.Doubt || d.doubt
	if d.spends {
		j.claim.Spent++
	}
	switch {
	case d.pause:
		e.rest(a.now.Add(d.wait), trouble(err))
	case answered(err):
		e.recovered()
	}
	if d.outcome == "" {
		return e.wait(ctx, j, d, err)
	}
	return e.finish(ctx, j, result(d, answer, err))
}

// answered says whether WeChat has looked at the command itself.
func answered(err error) bool {
	var refused *wxapi.Error
	return err == nil || errors.As(err, &refused) && refused.Verb != tokenVerb
}

// trouble is what an operator reads: the same words as long as it is the same.
func trouble(err error) string {
	var refused *wxapi.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return fmt.Sprintf("WeChat answers %s with %d %q: %s", refused.Verb, refused.Code, refused.Msg, wxapi.Help(refused.Code))
}

// wait parks a command until its next attempt, and at its expiry at the latest.
func (e *Egress) wait(ctx context.Context, j *job, d decision, why error) queue.Verdict {
	e.logger.Info("command waits", "command", j.command.ID, "verb", j.row.Name, "class", string(d.class), "wait", d.wait.String(), "error", why)
	until := time.Now().Add(d.wait)
	if j.command.Expires.Before(until) {
		until = j.command.Expires
	}
	j.claim.State, j.claim.NotBefore = queue.Waiting, until
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
	// Valid, because a decoder does not look at what follows the value.
	if json.Valid(data) && decoder.Decode(&value) == nil {
		if canonical, err := json.Marshal(value); err == nil {
			data = canonical
		}
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
