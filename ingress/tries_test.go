package ingress

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// patient is a hold that runs out on some tries and is answered on another.
const patient = 3 * time.Second

// quiet is what the log says of a try that is left without an answer.
const quiet = "try is left without an answer"

// impatient hangs up as WeChat does after its five seconds: when the try was
// seen to be left alone, so that no test needs the five seconds.
type impatient struct {
	*http.Transport
	quiet <-chan string
}

func (i impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, hangUp := context.WithCancel(r.Context())
	go func() {
		defer hangUp()
		select {
		case <-i.quiet:
		case <-r.Context().Done():
		}
	}()
	return i.Transport.RoundTrip(r.WithContext(ctx))
}

func (w *world) impatientPhone(r *replica) *wxsim.Platform {
	return w.phone(r, func(c *wxsim.Config) { c.Transport = impatient{&http.Transport{}, w.log.hear(quiet)} })
}

// With WX_HOLD_TRIES=3 the first two tries stay silent until WeChat hangs up,
// and the third is answered, by whichever try it then is.
func TestHoldOverThreeTries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		hold            time.Duration
		answerAt, tries int // answerAt 0: never
		outcome, says   string
	}{
		{"nobody answers", short, 0, 3, events.OutcomeFallback, sorry},
		{"answered on the first", long, 1, 1, events.OutcomeReplied, private + " hello"},
		{"answered on the second", patient, 2, 2, events.OutcomeReplied, private + " hello"},
		{"answered on the third", patient, 3, 3, events.OutcomeReplied, private + " hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r := w.replica(func(s *setup) { s.Hold, s.HoldTries, s.FallbackText = c.hold, 3, sorry })
			heard := w.service()
			delivery := w.pushed(w.impatientPhone(r), alice, `{"MsgType":"text","Content":"`+private+`"}`)
			in := next(t, heard)
			if want := time.Now().Add(2*5*time.Second + c.hold); in.Deadline.After(want) || in.Deadline.Before(want.Add(-soon)) {
				t.Errorf("wxdeadline %s does not count all tries", in.Deadline)
			}
			for i := 1; i <= c.answerAt; i++ {
				next(t, r.stored)
				if i == c.answerAt {
					w.reply(in.ReplyTo, nil, private+" hello")
				}
			}
			d := next(t, delivery)
			if got := textOf(w, d); got != c.says || len(d.Tries) != c.tries || d.Fault {
				t.Fatalf("the follower reads %q after %d tries: %+v", got, len(d.Tries), d.Tries)
			}
			for i, try := range d.Tries[:c.tries-1] {
				if try.Status != 0 || try.Body != "" || try.MS < float64(c.hold.Milliseconds())-1 {
					t.Errorf("try %d was not left silent: %+v", i+1, try)
				}
			}
			o := w.outcome(in.ID)
			if o.Outcome.Outcome != c.outcome || o.Try != c.tries {
				t.Errorf("outcome %+v", o.Outcome)
			}
			if closed := w.closed(in.ID); c.answerAt == 0 && (len(closed) != 1 || closed[0].Try != 3) {
				t.Errorf("closed markers %+v", closed)
			}
			if marks := w.marks(in.ID); c.answerAt != 0 && len(marks) != c.tries-1 {
				t.Errorf("markers %+v", marks)
			}
		})
	}
}

// A wait makes use of all three tries, whatever WX_HOLD_TRIES says. Each try is
// told to plain subscribers anew; the third one's copy gets the answer.
// The message may be some seconds old by WeChat's clock.
func TestWaitUsesTheNextTries(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{0, 3 * time.Second} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r, heard := w.replica(hold(patient)), w.service()
			delivery := w.pushed(w.impatientPhone(r), alice,
				`{"MsgType":"text","Content":"`+private+`","CreateTime":`+unix(time.Now().Add(-age))+`}`)
			noError(t, next(t, heard).message.Respond([]byte(`{"msgtype":"wait"}`)))
			next(t, heard)
			third := next(t, heard)
			noError(t, third.message.Respond([]byte(private+" at last")))
			d := next(t, delivery)
			if got := textOf(w, d); got != private+" at last" || len(d.Tries) != 3 {
				t.Fatalf("the follower reads %q after %d tries: %+v", got, len(d.Tries), d.Tries)
			}
			if o := w.outcome(third.ID); o.Outcome.Outcome != events.OutcomeReplied || o.Try != 3 {
				t.Errorf("outcome %+v", o.Outcome)
			}
		})
	}
}

// A try that comes when WeChat's third must already have come is taken for the last.
func TestTryThatComesTooLateIsTheLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(func(s *setup) { s.Hold, s.HoldTries = short, 3 })
	doc := document(alice, private, time.Now().Add(-20*time.Second))
	message, err := callback.Parse(doc)
	noError(t, err)
	w.storeInbound(r, message)
	if got := w.says(next(t, w.try(r, doc))); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	if o := w.outcome(message.ID()); o.Outcome.Outcome != events.OutcomeUnanswered || o.Try != 2 {
		t.Errorf("outcome %+v", o.Outcome)
	}
}

// A message that is stored with WeChat's third try only, because nobody took the
// first two, is answered: silence would be the fault line. So is one whose third
// try is the second that the log counts.
func TestLastTryIsKnownByWeChatsClock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(func(s *setup) { s.Hold, s.HoldTries = short, 3 })
	doc := document(alice, private, time.Now().Add(-10*time.Second))
	if got := w.says(next(t, w.try(r, doc))); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	message, err := callback.Parse(doc)
	noError(t, err)
	if o := w.outcome(message.ID()); o.Outcome.Outcome != events.OutcomeUnanswered || o.Try != 1 {
		t.Errorf("outcome %+v", o.Outcome)
	}
	second := document(bob, private, time.Now().Add(-10*time.Second))
	message, err = callback.Parse(second)
	noError(t, err)
	w.storeInbound(r, message)
	if got := w.says(next(t, w.try(r, second))); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	if o := w.outcome(message.ID()); o.Outcome.Outcome != events.OutcomeUnanswered || o.Try != 2 {
		t.Errorf("outcome %+v", o.Outcome)
	}
}

// A silent try stays open past WeChat's five seconds, also past the server's own
// limit for reading a request; it is ended without an answer only after seven.
func TestSilentTryStaysOpenForSevenSeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(func(s *setup) { s.Hold, s.HoldTries = short, 3 })
	began := time.Now()
	a := next(t, w.try(r, text(alice, private)))
	if took := time.Since(began); a.err == nil || took < silentFor {
		t.Errorf("after %s: status %d, body %q, error %v", took, a.status, a.body, a.err)
	}
}
