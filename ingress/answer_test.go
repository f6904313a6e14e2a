package ingress

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var allModes = []callback.Mode{callback.ModePlain, callback.ModeCompatible, callback.ModeSafe}

// A follower writes, a service answers on the bus, the follower reads it: in the
// same HTTP response, however the service chose to say it.
func TestAnswerInTheSameResponse(t *testing.T) {
	t.Parallel()
	const said = private + ` <b>&]]> 你好 🙂`
	whole := `{"msgtype":"text","text":{"content":` + strconv.Quote(said) + `}}`
	structured, structuredBody, err := events.EncodeStructured(replyEvent(whole))
	noError(t, err)
	binary, binaryBody, err := events.EncodeBinary(replyEvent(whole))
	noError(t, err)
	for _, way := range []struct {
		name, source string
		answer       func(w *world, in inbound)
	}{
		{"JSON", "", func(w *world, in inbound) { w.reply(in.ReplyTo, nil, whole) }},
		{"structured", "//example.com/answers", func(w *world, in inbound) { w.reply(in.ReplyTo, structured, string(structuredBody)) }},
		{"structured without its header", "//example.com/answers", func(w *world, in inbound) { w.reply(in.ReplyTo, nil, string(structuredBody)) }},
		{"binary", "//example.com/answers", func(w *world, in inbound) { w.reply(in.ReplyTo, binary, string(binaryBody)) }},
		{"bare", "", func(w *world, in inbound) { w.reply(in.ReplyTo, nil, said) }},
		{"respond", "", func(w *world, in inbound) { noError(w.t, in.message.Respond([]byte(said))) }},
		{"respond with JSON", "", func(w *world, in inbound) { noError(w.t, in.message.Respond([]byte(whole))) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range allModes {
				t.Run(string(mode), func(t *testing.T) {
					w := newWorld(t, mode)
					r, heard := w.replica(), w.service()
					delivery := w.pushed(w.phone(r), alice, `{"MsgType":"text","Content":"`+private+` hi"}`)
					in := next(t, heard)
					way.answer(w, in)

					d := next(t, delivery)
					if got := textOf(w, d); got != said || len(d.Tries) != 1 {
						t.Fatalf("the follower reads %q after %d tries", got, len(d.Tries))
					}
					o := w.outcome(in.ID)
					log := w.stored(bus.StreamReply, in.ReplyTo)
					if len(log) != 1 || o.Sequence != log[0].Sequence {
						t.Errorf("outcome names sequence %d, the log is %v", o.Sequence, log)
					}
					if o.Outcome.Outcome != events.OutcomeReplied || o.Try != 1 || o.MS < 0 || o.MS > 4780 || o.Outcome.Source != way.source {
						t.Errorf("outcome %+v", o.Outcome)
					}
					if cause, _ := o.Extensions()["causationid"].(string); way.source != "" && cause != "answer-1" {
						t.Errorf("causationid %q", cause)
					}
					if o.Subject() != alice || o.Event.Source() != "//mp.weixin.qq.com/"+testAppID || o.Type() != "com.qq.weixin.mp.outcome.text" {
						t.Errorf("outcome event %s", o.Event)
					}
				})
			}
		})
	}
}

// What is stored is WeChat's document as an event with all that design §3 names.
func TestStoredEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	w.serve(func(in inbound) { _ = in.message.Respond([]byte(`{"msgtype":"release"}`)) })
	before := time.Now()
	doc := document(alice, private+" <&> 你好", time.Unix(1_714_112_445, 0))
	req := w.request(t.Context(), r.url, doc)
	const parent, state = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=1"
	req.Header.Set("Traceparent", parent)
	req.Header.Set("Tracestate", state)
	if got := w.says(do(req)); got != callback.Success {
		t.Fatalf("answered %q", got)
	}

	all := w.stored(bus.StreamInbound, "wx.inbound.text")
	if len(all) != 1 {
		t.Fatalf("%d events are stored", len(all))
	}
	e := eventOf(t, all[0])
	message, err := callback.Parse(doc)
	noError(t, err)
	for name, want := range map[string]string{
		"id": message.ID(), "source": "//mp.weixin.qq.com/" + testAppID, "type": "com.qq.weixin.mp.inbound.text",
		"subject": alice, "time": "2024-04-26T06:20:45Z", "dataschema": "urn:wxbridge:inbound.text:1",
		"partitionkey": alice, "wxreplyto": "wx.reply." + message.ID(), "datacontenttype": "application/json",
		"traceparent": parent, "tracestate": state, "specversion": "1.0",
	} {
		if got := field(t, all[0].Body, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	deadline, err := time.Parse("2006-01-02T15:04:05.000Z", field(t, all[0].Body, "wxdeadline"))
	if err != nil || deadline.Before(before.Add(long-time.Millisecond)) || deadline.After(time.Now().Add(long)) {
		t.Errorf("wxdeadline %s: %v", deadline, err)
	}
	if got := all[0].Header.Get("Content-Type"); got != "application/cloudevents+json" {
		t.Errorf("Content-Type %q", got)
	}
	if got := all[0].Header.Get("Nats-Msg-Id"); got != testAppID+"."+message.ID() {
		t.Errorf("Nats-Msg-Id %q", got)
	}
	want := `{"ToUserName":"` + toUser + `","FromUserName":"` + alice + `","CreateTime":1714112445,"MsgType":"text","Content":"` +
		private + ` <&> 你好","MsgId":"` + message.MsgID + `"}`
	if got := string(e.Data()); got != want {
		t.Errorf("data\n%s want\n%s", got, want)
	}
}

// Headers are not signed: what is no trace context stays outside, and nothing is lost for it.
func TestTraceContextOfAStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModePlain)
	r := w.replica(hold(0))
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, header := range [][2]string{{"\xff\xfe", "a=1"}, {"00-1-2-3", ""}, {strings.Repeat("a", 9000), ""}, {parent, strings.Repeat("b", 600)}, {parent, "a=\xff"}} {
		req := w.request(t.Context(), r.url, text(alice, private))
		req.Header["Traceparent"], req.Header["Tracestate"] = []string{header[0]}, []string{header[1]}
		w.says(do(req))
		id := next(t, r.stored).ID
		all := w.stored(bus.StreamInbound, "wx.inbound.text")
		got := all[len(all)-1].Body
		if field(t, got, "id") != id || field(t, got, "tracestate") != "" || field(t, got, "traceparent") != "" && header[0] != parent {
			t.Errorf("stored with %.60q: %s", header, got)
		}
	}
}

// judge looks at the bus in the instant in which the first byte is written.
type judge struct {
	http.ResponseWriter
	look func()
}

func (j judge) Write(b []byte) (int, error) { j.look(); return j.ResponseWriter.Write(b) }

// An outcome in the stream means: on the wire. So it is there before the bytes are.
func TestOutcomeIsStoredBeforeTheBytesAreWritten(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"", private + " hello", `{"msgtype":"release"}`} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r := w.replica(hold(short), func(s *setup) { s.FallbackText = private + " sorry" })
			w.serve(func(in inbound) {
				if said != "" {
					w.reply(in.ReplyTo, nil, said)
				}
			})
			writes := 0
			watched := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
				r.ServeHTTP(judge{rw, func() {
					writes++
					if n := len(w.stored(bus.StreamOutcome, "wx.outcome.text")); n != 1 {
						t.Errorf("%d outcomes are stored when the answer is written", n)
					}
				}}, req)
			}))
			defer watched.Close()
			w.says(do(w.request(t.Context(), watched.URL+"/wx", text(alice, private))))
			if writes != 1 {
				t.Errorf("written in %d pieces", writes)
			}
		})
	}
}
