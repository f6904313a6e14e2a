package egress

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi"
)

// redrive is a call of the bridge's own: it sends dead letters again, each as a
// new command that names the old one. One letter by its sequence in WX_DLQ, or
// all that match:
//
//	nats req wx.call.redrive '{"sequence":4711}'
//	nats req wx.call.redrive '{"class":"quota","since":"2026-11-23T00:00:00Z","dry_run":true}'
//
// An answer comes within some seconds. Where there is more to do it holds next:
// ask the same again with from = next and to = to, until it doesn't. A letter is
// sent again once, however often it is asked for, so to begin anew is harmless.
//
// The new command's id, <id>~<n>, is the bridge's to give. Somebody's own command
// of that id is seen once it has had its turn; while it waits in the queue it is
// not, and then the two have one result, or the second is an id_conflict.
const (
	// redriveWithin is after how long a request is answered with what was done so
	// far: the client's own time-out is mostly 5 s.
	redriveWithin = 3 * time.Second
	// redriveAtOnce is how many letters an answer tells of at most.
	redriveAtOnce = 200
	// redriveRate is how many letters are sent again in a second unless the request
	// says otherwise, maxRedriveRate at most.
	redriveRate, maxRedriveRate = 10, 1000
)

// tell adds what became of a letter.
func tell(done *events.Redriven, l events.RedrivenLetter) {
	l.Reason = cut(l.Reason, 2*maxWarning)
	done.Letters = append(done.Letters, l)
	done.Did[l.Did]++
}

// answerRedrive answers one request of wx.call.redrive.
func (e *Egress) answerRedrive(ctx context.Context, r micro.Request) {
	began := time.Now()
	result := e.redrive(ctx, r.Data(), redriveWithin)
	result.ElapsedMS = time.Since(began).Milliseconds()
	e.observe.Finished(Finished{Verb: events.CallRedrive, Call: true, Result: result, Took: time.Since(began)})
	e.respond(events.CallRedrive, r, result)
}

// parseRedrive reads a request. A field that is not known is a mistake: it may
// have been meant to spare some letters.
func parseRedrive(data []byte) (want events.RedriveRequest, err error) {
	refuse := func(path, problem string) error {
		return &wxapi.RequestError{Verb: events.CallRedrive, Path: path, Problem: problem}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&want); err != nil {
		return want, refuse("", err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return want, refuse("", "there is something behind the object")
	}
	if want.Rate == 0 {
		want.Rate = redriveRate
	}
	filtered := want.Name != "" || want.Class != "" || !want.Since.IsZero() || !want.Until.IsZero()
	switch {
	case want.Sequence == 0 && !filtered && !want.All:
		return want, refuse("", `say which letters: "sequence", or "name", "class", "since", "until", or "all":true`)
	case want.Sequence != 0 && (filtered || want.All):
		return want, refuse("sequence", "is one letter, and the other fields select many")
	case strings.ContainsAny(want.Name, ".*> \t\r\n"):
		return want, refuse("name", "must be a verb or a kind")
	case want.Rate < 1 || want.Rate > maxRedriveRate:
		return want, refuse("rate", fmt.Sprintf("must be between 1 and %d a second", maxRedriveRate))
	case want.Limit < 0:
		return want, refuse("limit", "must not be negative")
	}
	return want, nil
}

// redrive sends letters again for at most within, and says what it did.
func (e *Egress) redrive(ctx context.Context, data []byte, within time.Duration) events.Result {
	want, err := parseRedrive(data)
	if err != nil {
		return rejected(err)
	}
	done := events.Redriven{Did: map[string]int{}, Letters: []events.RedrivenLetter{}, To: want.To}
	marks, err := bus.OpenRedriveMarks(ctx, e.bus.JetStream(), e.bus.Prefix)
	switch {
	case err != nil:
	case want.Sequence != 0:
		err = e.redriveOne(ctx, want, marks, &done)
	default:
		err = e.redriveMany(ctx, want, marks, time.Now().Add(within), &done)
	}
	if done.Did[events.LetterRedriven] > 0 {
		e.logger.Info("dead letters were sent again", "letters", done.Did[events.LetterRedriven],
			"first", done.Letters[0].Sequence, "last", done.Letters[len(done.Letters)-1].Sequence)
	}
	r := events.Result{Outcome: events.ResultDone}
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		r = rejected(&wxapi.RequestError{Verb: events.CallRedrive, Path: "sequence", Problem: "there is no dead letter of this number"})
		r.Class = classNotFound
	case err != nil:
		r = events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff), ErrMsg: "redrive stopped, ask again: " + err.Error()}
	case want.Sequence != 0 && done.Did[events.LetterRefused] > 0:
		r = rejected(&wxapi.RequestError{Verb: events.CallRedrive, Problem: done.Letters[0].Reason})
	}
	if r.Response, err = json.Marshal(done); err != nil {
		return events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBug), ErrMsg: err.Error()}
	}
	return r
}

func (e *Egress) redriveOne(ctx context.Context, want events.RedriveRequest, marks *bus.RedriveMarks, done *events.Redriven) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	m, err := e.bus.Stored(ctx, bus.StreamDLQ, want.Sequence)
	if err != nil {
		return err
	}
	l, err := e.redriveLetter(ctx, want, marks, m)
	if err == nil {
		tell(done, l)
	}
	return err
}

// redriveMany goes through the letters in the stream's order, so that the
// commands of one follower come in the order in which they failed.
func (e *Egress) redriveMany(ctx context.Context, want events.RedriveRequest, marks *bus.RedriveMarks, until time.Time, done *events.Redriven) error {
	ctx, cancel := context.WithDeadline(ctx, until.Add(callWithin)) // what is begun may end
	defer cancel()
	if done.To == 0 {
		stream, err := e.bus.JetStream().Stream(ctx, e.bus.Prefix.Resource(bus.StreamDLQ))
		if err != nil {
			return err
		}
		done.To = stream.CachedInfo().State.LastSeq
	}
	filter := e.bus.Prefix.Subject(events.DLQ, "*")
	if want.Name != "" {
		filter = e.bus.Prefix.Subject(events.DLQ, want.Name)
	}
	pace := time.NewTicker(time.Second / time.Duration(want.Rate))
	defer pace.Stop()
	for done.Next = max(want.From, 1); done.Next <= done.To; {
		m, err := e.bus.StoredFrom(ctx, bus.StreamDLQ, done.Next, filter)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return err
		}
		if m.Sequence > done.To {
			break
		}
		if selects(want, e.bus.Prefix, m) {
			l, err := e.redriveLetter(ctx, want, marks, m)
			if err != nil {
				done.Next = m.Sequence
				return err
			}
			tell(done, l)
			if want.Limit > 0 && done.Did[events.LetterRedriven]+done.Did[events.LetterWouldBe] >= want.Limit {
				break
			}
			if l.Did == events.LetterRedriven {
				select { // also before the answer: the next request begins at once
				case <-pace.C:
				case <-ctx.Done():
				}
			}
		}
		done.Next = m.Sequence + 1
		if done.Next <= done.To && (time.Now().After(until) || len(done.Letters) >= e.bus.Room(redriveAtOnce)) {
			return nil
		}
	}
	done.Next = 0
	return nil
}

// selects says whether a letter is one of those that are wanted. What is no
// letter is, so that it is told of.
func selects(w events.RedriveRequest, p events.Prefix, m events.Message) bool {
	if !w.Since.IsZero() && m.Time.Before(w.Since) || !w.Until.IsZero() && m.Time.After(w.Until) {
		return false
	}
	l, err := events.ParseLetter(p, m)
	return w.Class == "" && err != nil || err == nil && (w.Class == "" || l.Class == w.Class)
}
