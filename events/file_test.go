package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

var cat = File{DataRef: "nats-object://WX_MEDIA/x", ContentType: "image/png", Size: 69, SHA256: "00ff", Filename: "M<1>.png"}

// A file is the last of an event's elements and changes none of the others.
func TestAddFile(t *testing.T) {
	t.Parallel()
	e, err := NewInbound("wx", "wx01", parsePushed(t, pushed), time.Time{}, Trace{})
	if err != nil {
		t.Fatal(err)
	}
	before := string(e.Data())
	if err := AddFile(&e, cat); err != nil {
		t.Fatal(err)
	}
	want := before[:len(before)-1] + `,"media":{"dataref":"nats-object://WX_MEDIA/x","content_type":"image/png","size":69,"sha256":"00ff","filename":"M<1>.png"}}`
	if got := string(e.Data()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	header, body := onTheWire(t, e, nil)
	in, err := ParseInbound("wx", Message{Subject: "wx.inbound.text", Header: header, Body: body})
	if file, ok := in.File(); err != nil || !ok || file != cat {
		t.Errorf("%+v, %t, %v", file, ok, err)
	}
	if err := AddFile(&e, cat); err == nil || string(e.Data()) != want {
		t.Errorf("twice: %v, %s", err, e.Data())
	}
}

// Data that are no elements, or have a media of WeChat's, stay what they are.
func TestAddFileRefuses(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "{}", "[]", `"x"`, `{"a":1`, `{"media":{"dataref":"x"}}`, `{"a":{"media":1}}`} {
		e := cloudevents.New()
		e.DataEncoded = []byte(data)
		if err := AddFile(&e, cat); err == nil || string(e.DataEncoded) != data {
			t.Errorf("%s: %v, %s", data, err, e.DataEncoded)
		}
	}
	e := cloudevents.New()
	e.DataEncoded = []byte(`{"Content":"\"media\":"}`) // what a follower says is no element
	if err := AddFile(&e, cat); err != nil || !json.Valid(e.DataEncoded) {
		t.Errorf("%v, %s", err, e.DataEncoded)
	}
}

func TestFetched(t *testing.T) {
	t.Parallel()
	e, err := NewFetch("f1", "wx01", "M", time.Now(), time.Now().Add(5*time.Second))
	header, body := onTheWire(t, e, err)
	c, err := ParseCommand("wx", Message{Subject: "wx.call.get_media", Header: header, Body: body, Time: time.Now()}, "bare")
	if err != nil || c.ID != "f1" || string(c.Data) != `{"media_id":"M"}` || time.Until(c.Expires) > 5*time.Second {
		t.Errorf("%+v, %v", c, err)
	}
	for answer, says := range map[string]string{
		``:     "unexpected end",
		`busy`: "invalid character",
		`{}`:   "get_media: ",
		`{"outcome":"rejected","errcode":40007,"errmsg":"invalid media_id","class":"permanent"}`: "errcode 40007: invalid media_id",
		`{"outcome":"done"}`:                                     "unexpected end",
		`{"outcome":"done","response":{}}`:                       "no dataref",
		`{"outcome":"done","response":{"media":{"size":"big"}}}`: "cannot unmarshal",
	} {
		if file, err := Fetched([]byte(answer)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %+v, %v", answer, file, err)
		}
	}
	if in := (InboundEvent{Data: json.RawMessage(`{"media":7}`)}); in.Data != nil {
		if file, ok := in.File(); ok {
			t.Errorf("%+v", file)
		}
	}
}
