package ingress

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// What clients and frameworks respond on their own is no answer: it neither
// decides nor becomes a dead letter. The answer after it does.
func TestNoiseIsNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	for _, noise := range []*nats.Msg{
		{},
		{Data: []byte(" \r\n")},
		{Data: []byte("+ACK")},
		{Data: []byte("-NAK")},
		{Data: []byte(`-NAK {"delay":5}`)},
		{Data: []byte("+WPI")},
		{Data: []byte("+NXT")},
		{Data: []byte("+TERM")},
		{Header: nats.Header{"Nats-Service-Error": {"boom"}, "Nats-Service-Error-Code": {"500"}}, Data: []byte("oh no")},
		{Header: nats.Header{"Nats-Service-Error-Code": {"400"}}, Data: []byte(`{"msgtype":"text","text":{"content":"oh no"}}`)},
	} {
		noError(t, in.message.RespondMsg(noise))
	}
	noError(t, in.message.Respond([]byte(private+" hello")))
	if got := w.says(next(t, delivery)); got != private+" hello" {
		t.Errorf("answered %q", got)
	}
	r.stop()
	if log := w.stored(bus.StreamReply, in.ReplyTo); len(log) != 1 {
		t.Errorf("the log is %v", log)
	}
	if letters := w.deadLetters("*"); len(letters) != 0 {
		t.Errorf("dead letters %v", letters)
	}
}

// With WX_BARE_REPLY=0 a stranger's "ok" must not reach a follower; JSON and
// events are answers all the same, and so is bare text on wxreplyto.
func TestNoBareReply(t *testing.T) {
	t.Parallel()
	header, event, err := events.EncodeBinary(replyEvent(`{"msgtype":"text","text":{"content":"` + private + `"}}`))
	noError(t, err)
	for name, answer := range map[string]func(w *world, in inbound){
		"JSON": func(w *world, in inbound) {
			noError(w.t, in.message.Respond([]byte(` {"msgtype":"text","text":{"content":"`+private+`"}}`)))
		},
		"event": func(w *world, in inbound) {
			noError(w.t, in.message.RespondMsg(&nats.Msg{Header: nats.Header(header), Data: event}))
		},
		"wxreplyto": func(w *world, in inbound) { w.reply(in.ReplyTo, nil, private) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r, heard := w.replica(func(s *setup) { s.BareReply = false }), w.service()
			delivery := w.try(r, text(alice, private))
			in := next(t, heard)
			noError(t, in.message.Respond([]byte("ok")))
			noError(t, w.conn.Flush())
			answer(w, in)
			if got := w.says(next(t, delivery)); got != private {
				t.Errorf("answered %q", got)
			}
			r.stop()
			if log := w.stored(bus.StreamReply, in.ReplyTo); len(log) != 1 {
				t.Errorf("the log is %v", log)
			}
		})
	}
}

// Headers of an answer travel with it, but none that instructs the server, and none that gives it another id.
func TestHeadersOfAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	noError(t, in.message.RespondMsg(&nats.Msg{Data: []byte(private), Header: nats.Header{
		"Nats-Rollup": {"all"}, "Nats-Msg-Id": {"x"}, "Nats-Expected-Last-Sequence": {"999"}, "NATS-Reply-Counter": {"1"}, "X-Of-Theirs": {"kept"},
	}}))
	if got := w.says(next(t, delivery)); got != private {
		t.Errorf("answered %q", got)
	}
	log := w.stored(bus.StreamReply, in.ReplyTo)
	if len(log) != 1 || len(log[0].Header) != 1 || log[0].Header.Get("X-Of-Theirs") != "kept" {
		t.Errorf("the log is %v", log)
	}
}

// An answer after the hold belongs into the log too: it can still be sent late.
func TestAnswerAfterTheHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(hold(short)), w.service()
	if got := w.says(next(t, w.try(r, text(alice, private)))); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	in := next(t, heard)
	noError(t, in.message.Respond([]byte(private+" late")))
	log := w.arrive(bus.StreamReply, in.ReplyTo, 1)
	if string(log[0].Body) != private+" late" {
		t.Errorf("the log is %v", log)
	}
	if o := w.outcome(in.ID); o.Outcome.Outcome != events.OutcomeUnanswered {
		t.Errorf("outcome %+v", o.Outcome)
	}
}

// Several services answer the same message: the stream's order decides, and all of them stand in the log.
func TestSeveralResponders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	const n = 5
	for range n {
		w.serve(func(in inbound) { _ = in.message.Respond([]byte(private)) })
	}
	if got := w.says(next(t, w.try(r, text(alice, private)))); got != private {
		t.Errorf("answered %q", got)
	}
	id := w.inboundID()
	log := w.arrive(bus.StreamReply, "wx.reply."+id, n)
	if o := w.outcome(id); o.Sequence != log[0].Sequence {
		t.Errorf("outcome %+v, the log begins with %d", o.Outcome, log[0].Sequence)
	}
}
