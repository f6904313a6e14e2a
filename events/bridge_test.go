package events

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// onTheWire is an event as a reader gets it.
func onTheWire(t testing.TB, e cloudevents.Event, err error) (Header, []byte) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	header, body, err := EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	return header, body
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	want := Outcome{Outcome: OutcomeReplied, Try: 2, MS: 812, Source: "/shop", Sequence: 4711, Event: "e-1"}
	e, err := NewOutcome("wx01", "text", "e-1", "oAbc", "r-1", stored, want)
	header, body := onTheWire(t, e, err)
	got, err := ParseOutcome(header, body)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	attrs := attributes(t, e)
	for name, value := range map[string]string{
		"id": "e-1.out", "type": "com.qq.weixin.mp.outcome.text", "subject": "oAbc", "partitionkey": "oAbc",
		"correlationid": "e-1", "causationid": "r-1",
	} {
		if attrs[name] != value {
			t.Errorf("%s is %q", name, attrs[name])
		}
	}
	e, err = NewOutcome("wx01", "text", "e-1", "", "", stored, Outcome{Outcome: OutcomeUnanswered, Try: 1})
	onTheWire(t, e, err)
	if ext := e.Extensions(); len(ext) != 1 || ext["correlationid"] != "e-1" {
		t.Errorf("%v", ext)
	}
	for _, body := range []string{"{}", `{"specversion":"1.0"}`, `{"specversion":"1.0","id":"1","source":"s","type":"t","data":[]}`} {
		if o, err := ParseOutcome(nil, []byte(body)); err == nil {
			t.Errorf("%s gives %+v", body, o)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	want := Mark{Mark: MarkClosed, Outcome: OutcomeFallback, Text: "later", Event: "e-1", OpenID: "oAbc", Kind: "text", Try: 3, ID: "m-1"}
	e, err := NewMark("m-1", Source("wx01"), stored, want)
	header, body := onTheWire(t, e, err)
	got, err := ParseMark(header, body)
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if e.Type() != "com.qq.weixin.mp.mark" || e.Extensions()["correlationid"] != "e-1" {
		t.Errorf("%s", e)
	}
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	headers := Header{
		"Nats-Msg-Id": {"1"}, "nats-ttl": {"1s"}, "NATS-ROLLUP": {"all"}, "Nats-Expected-Stream": {"X"},
		"ce-id": {"1"}, "X-Nats-Y": {"z"}, "Natsy": {"z"},
	}
	for name, original := range map[string]string{"UTF-8": "关注 <&>\x00", "bytes": "\xff\x00", "empty": ""} {
		e, err := NewDeadLetter("text", "dlq-1", Source("wx01"), "r-1", stored, DeadLetter{
			Reason: "broken <b>", Class: ClassReplyInvalid, Attempts: 1, Subject: "wx.reply.e-1", Headers: headers,
		}, []byte(original))
		header, body := onTheWire(t, e, err)
		read, _, err := Decode(header, body)
		if err != nil {
			t.Fatal(err)
		}
		var letter DeadLetter
		if err := json.Unmarshal(read.Data(), &letter); err != nil {
			t.Fatal(err)
		}
		if letter.Body+string(letter.BodyBase64) != original || (letter.BodyBase64 != nil) != (name == "bytes") {
			t.Errorf("%s: %+v", name, letter)
		}
		if letter.Reason != "broken <b>" || letter.Subject != "wx.reply.e-1" || read.Extensions()["causationid"] != "r-1" ||
			read.Type() != "com.qq.weixin.mp.dlq.text" {
			t.Errorf("%s: %s", name, read)
		}
		if kept := slices.Sorted(maps.Keys(letter.Headers)); !slices.Equal(kept, []string{"Natsy", "X-Nats-Y", "ce-id"}) {
			t.Errorf("%s: kept %q", name, kept)
		}
	}
	if len(headers) != 7 {
		t.Error("the sender's headers were changed")
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	want := Result{
		Outcome: ResultRejected, ErrCode: 45015, ErrMsg: "response out of time limit", RID: "r", Class: "user", Attempts: 1,
		ElapsedMS: 41, Response: json.RawMessage(`{"errcode":45015}`), Warnings: []string{"field x is unknown"},
	}
	c := Command{ID: "order-1", Verb: "send_custom_message", PartitionKey: "oAbc", Trace: Trace{"00-1", "a=b"}}
	e, err := NewResult("wx01", c, ResultID(c.ID), time.Now(), want)
	header, body := onTheWire(t, e, err)
	got, id, err := ParseResult(header, body)
	if err != nil || id != "order-1" || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v of %q, %v", got, id, err)
	}
	attrs := attributes(t, e)
	for name, value := range map[string]string{
		"id": "order-1.res", "type": "com.qq.weixin.mp.result.send_custom_message", "subject": "oAbc",
		"traceparent": "00-1", "tracestate": "a=b", "causationid": "order-1",
	} {
		if attrs[name] != value {
			t.Errorf("%s is %q", name, attrs[name])
		}
	}
	// WeChat cuts texts in the middle of a character; the result is published all the same.
	cut := Result{Outcome: ResultDone, Response: json.RawMessage("{\"nickname\":\"a\xe4\xb8\"}")}
	e, err = NewResult("wx01", Command{ID: "1", Verb: "get_user_info"}, "1.res", time.Now(), cut)
	header, body = onTheWire(t, e, err)
	if got, _, err := ParseResult(header, body); err != nil || string(got.Response) != "{\"nickname\":\"a\uFFFD\"}" || e.Subject() != "" {
		t.Errorf("%s: %v", body, err)
	}
	for _, body := range []string{"{}", `{"specversion":"1.0"}`, `{"specversion":"1.0","id":"1","source":"s","type":"t","data":[]}`} {
		if r, _, err := ParseResult(nil, []byte(body)); err == nil {
			t.Errorf("%s gives %+v", body, r)
		}
	}
}
