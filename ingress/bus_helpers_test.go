package ingress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// stored lists what a stream holds of a subject, in order.
func (w *world) stored(stream, subject string) []events.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	s, err := w.js.Stream(ctx, w.prefix.Resource(stream))
	noError(w.t, err)
	var all []events.Message
	for sequence := uint64(1); ; {
		m, err := s.GetMsg(ctx, sequence, jetstream.WithGetMsgSubject(subject))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return all
		}
		noError(w.t, err)
		all = append(all, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Sequence: m.Sequence, Time: m.Time})
		sequence = m.Sequence + 1
	}
}

// arrive waits until a stream holds n messages of a subject.
func (w *world) arrive(stream, subject string, n int) []events.Message {
	w.t.Helper()
	eventually(w.t, subject, func() bool { return len(w.stored(stream, subject)) >= n })
	return w.stored(stream, subject)
}

// reply puts a reply into a log, and returns its place there.
func (w *world) reply(subject string, header events.Header, body string) uint64 {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	ack, err := w.js.PublishMsg(ctx, &nats.Msg{Subject: subject, Header: nats.Header(header), Data: []byte(body)})
	if err != nil {
		w.t.Errorf("reply: %v", err)
		return 0
	}
	return ack.Sequence
}

// inbound is an event as a plain subscriber gets it.
type inbound struct {
	events.InboundEvent
	message *nats.Msg
}

// service subscribes to the inbound events, as any NATS client would.
func (w *world) service() <-chan inbound {
	w.t.Helper()
	heard := make(chan inbound, 1024)
	w.serve(func(in inbound) { heard <- in })
	return heard
}

func (w *world) serve(f func(inbound)) {
	w.t.Helper()
	sub, err := w.conn.Subscribe(w.prefix.Subject(events.Inbound, "*"), func(m *nats.Msg) {
		in, err := events.ParseInbound(w.prefix, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data})
		if err != nil {
			w.t.Errorf("inbound: %v", err)
			return
		}
		f(inbound{in, m})
	})
	noError(w.t, err)
	noError(w.t, w.conn.Flush())
	w.t.Cleanup(func() { _ = sub.Unsubscribe() })
}

// outcome is one event of WX_OUTCOME.
type outcome struct {
	events.Outcome
	cloudevents.Event
}

func (o outcome) String() string { return fmt.Sprintf("%+v", o.Outcome) }

// outcomes lists all of them by the inbound event's id.
func (w *world) outcomes() map[string][]outcome {
	w.t.Helper()
	all := map[string][]outcome{}
	for _, m := range w.stored(bus.StreamOutcome, w.prefix.Subject(events.Outcomes, "*")) {
		o, err := events.ParseOutcome(m.Header, m.Body)
		noError(w.t, err)
		e := eventOf(w.t, m)
		id, _ := e.Extensions()["correlationid"].(string)
		all[id] = append(all[id], outcome{o, e})
	}
	return all
}

// outcome is the one of an event; there must be one.
func (w *world) outcome(id string) outcome {
	w.t.Helper()
	all := w.outcomes()[id]
	if len(all) != 1 {
		w.t.Fatalf("event %s has %d outcomes: %v", id, len(all), all)
	}
	return all[0]
}

// deadLetters lists the dead letters of a name.
func (w *world) deadLetters(name string) []events.DeadLetter {
	w.t.Helper()
	var all []events.DeadLetter
	for _, m := range w.stored(bus.StreamDLQ, w.prefix.Subject(events.DLQ, name)) {
		var letter events.DeadLetter
		noError(w.t, json.Unmarshal(eventOf(w.t, m).Data(), &letter))
		all = append(all, letter)
	}
	return all
}

// marks lists the markers in the log of an event.
func (w *world) marks(id string) []events.Mark {
	w.t.Helper()
	var all []events.Mark
	for _, m := range w.stored(bus.StreamReply, w.prefix.Subject(events.Marks, id)) {
		mark, err := events.ParseMark(m.Header, m.Body)
		noError(w.t, err)
		all = append(all, mark)
	}
	return all
}

func (w *world) closed(id string) []events.Mark {
	w.t.Helper()
	return slices.DeleteFunc(w.marks(id), func(m events.Mark) bool { return m.Mark != events.MarkClosed })
}

func eventOf(t testing.TB, m events.Message) cloudevents.Event {
	t.Helper()
	e, isEvent, err := events.Decode(m.Header, m.Body)
	if err != nil || !isEvent {
		t.Fatalf("no event: %v, %s", err, m.Body)
	}
	return e
}

// field is a field of a JSON object as text.
func field(t testing.TB, object []byte, name string) string {
	t.Helper()
	var all map[string]any
	noError(t, json.Unmarshal(object, &all))
	s, _ := all[name].(string)
	return s
}

// replyEvent is a reply in a CloudEvent.
func replyEvent(data string) cloudevents.Event {
	e := cloudevents.New()
	e.SetType("com.example.answer")
	e.SetID("answer-1")
	e.SetSource("//example.com/answers")
	e.SetTime(time.Now())
	e.SetDataContentType(cloudevents.ApplicationJSON)
	e.DataEncoded = []byte(data)
	return e
}

func unix(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
