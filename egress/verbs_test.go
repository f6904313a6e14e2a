package egress

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// basic are the verbs whose samples the pretend WeChat must execute. Others may
// need more than a sample made of their type: then their row's checks or WeChat
// say no, and what must hold is that there is one result which says so.
var basic = []string{
	"send_custom_message", "upload_media", "get_media", "get_user_info",
	"get_groups", "create_group", "update_group", "update_group_of_user",
}

// Every verb, in each of the three forms that a command may have, is executed
// at most once and has one result.
func TestEveryVerbAsCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	known := w.settle()
	forms := map[string]func(verb, id, data string) *nats.Msg{
		"bare": func(verb, id, data string) *nats.Msg {
			return &nats.Msg{Subject: "wx.cmd." + verb, Header: nats.Header{"Nats-Msg-Id": {id}}, Data: []byte(data)}
		},
		"structured": func(verb, id, data string) *nats.Msg {
			return w.message(verb, id, data, extensions{"traceparent": traceParent, "tracestate": "a=b"}, events.EncodeStructured)
		},
		"binary": func(verb, id, data string) *nats.Msg {
			return w.message(verb, id, data, extensions{"traceparent": traceParent, "tracestate": "a=b"}, events.EncodeBinary)
		},
	}
	for _, rows := range phases() {
		for _, row := range rows {
			for form, message := range forms {
				w.publish(message(row.Name, row.Name+"/"+form, sample(t, row, known)))
			}
		}
		for _, row := range rows {
			data := []byte(sample(t, row, known))
			_, unfit := row.Check(data)
			for form := range forms {
				id := row.Name + "/" + form
				r, event := w.result(id + ".res")
				checkResultEvent(t, event, row.Name, id)
				if lane := field(data, row.Lane); event.Event.Subject() != lane || extensionOf(event, "partitionkey") != lane {
					t.Errorf("%s: subject %q and partitionkey %q, not the OpenID", id, event.Event.Subject(), extensionOf(event, "partitionkey"))
				}
				if trace := extensionOf(event, "traceparent"); (form != "bare") != (trace == traceParent) {
					t.Errorf("%s: traceparent %q", id, trace)
				}
				checkEnd(t, row, id, r, unfit)
			}
			if n := w.calls(row.Name); n > 4 || n > 1 && (row.CallOnly || unfit != nil) { // one may be the setup's
				t.Errorf("%s: three commands were %d calls", row.Name, n)
			}
		}
	}
	w.emptied()
	if n, want := w.stored("WX_RESULT"), 3*len(wxapi.Verbs())+2; n != want {
		t.Errorf("%d results of %d commands", n, want)
	}
}

// checkEnd: what we refuse was never sent, what was sent was sent once.
func checkEnd(t *testing.T, row *wxapi.Row, id string, r events.Result, unfit error) {
	t.Helper()
	switch {
	case row.CallOnly:
		if r.Outcome != events.ResultRejected || r.Class != "call_only" || r.Attempts != 0 {
			t.Errorf("%s: %+v, not rejected as call_only", id, r)
		}
	case unfit != nil && (r.Outcome != events.ResultRejected || r.Attempts != 0):
		t.Errorf("%s: %+v, although the row says %v", id, r, unfit)
	case slices.Contains(basic, row.Name) && r.Outcome != events.ResultDone, r.Attempts > 1:
		t.Errorf("%s: %+v %s", id, r, r.Response)
	case r.Outcome == events.ResultDone && (r.ErrCode != 0 || r.Class != ""):
		t.Errorf("%s: %+v", id, r)
	case r.Outcome != events.ResultDone && r.Outcome != events.ResultRejected:
		t.Errorf("%s: %+v", id, r)
	}
	if len(r.Response) == 0 || r.Response[0] != '{' {
		t.Errorf("%s: the response is no object: %s", id, r.Response)
	}
}

// phases are all verbs, the basic ones first: others may delete what those need.
func phases() [2][]*wxapi.Row {
	var all [2][]*wxapi.Row
	for _, row := range wxapi.Verbs() {
		i := 1
		if slices.Contains(basic, row.Name) {
			i = 0
		}
		all[i] = append(all[i], row)
	}
	return all
}

// checkResultEvent compares a result's attributes with the contract's table.
func checkResultEvent(t *testing.T, p published, verb, command string) {
	t.Helper()
	e := p.Event
	for name, pair := range map[string][2]string{
		"subject of NATS": {p.Subject, "wx.result." + verb},
		"Nats-Msg-Id":     {p.Header.Get("Nats-Msg-Id"), testApp + "." + command + ".res"},
		"Content-Type":    {p.Header.Get("Content-Type"), "application/cloudevents+json"},
		"specversion":     {e.SpecVersion(), "1.0"},
		"id":              {e.ID(), command + ".res"},
		"type":            {e.Type(), "com.qq.weixin.mp.result." + verb},
		"source":          {e.Source(), "//mp.weixin.qq.com/" + testApp},
		"dataschema":      {e.DataSchema(), "urn:wxbridge:result." + verb + ":1"},
		"datacontenttype": {e.DataContentType(), "application/json"},
		"causationid":     {extensionOf(p, "causationid"), command},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s is %q, not %q", command, name, pair[0], pair[1])
		}
	}
	if e.Time().IsZero() {
		t.Errorf("%s: no time", command)
	}
}

func extensionOf(p published, name string) string {
	value, ok := p.Event.Extensions()[name]
	if !ok {
		return ""
	}
	return fmt.Sprint(value)
}

// A file travels from a command to WeChat and back into the object store, and
// from there to WeChat again, without losing a byte.
func TestMediaThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.bare("upload_media", "up", `{"type":"image","filename":"cat.png","media":{"base64":"`+pixel+`"}}`)
	var up wxapi.UploadMediaResponse
	decodeInto(t, w.ends("up", "done").Response, &up)

	w.bare("get_media", "down", `{"media_id":"`+up.MediaID+`"}`)
	var down wxapi.GetMediaResponse
	decodeInto(t, w.ends("down", "done").Response, &down)
	want, _ := base64.StdEncoding.DecodeString(pixel)
	sum := sha256.Sum256(want)
	switch {
	case string(w.object(down.Media.DataRef)) != string(want):
		t.Error("the file is not what was uploaded")
	case down.Media.SHA256 != hex.EncodeToString(sum[:]), down.Media.Size != int64(len(want)), down.Media.ContentType != "image/png":
		t.Errorf("described as %+v", down.Media)
	case len(down.Media.Base64) != 0:
		t.Error("the file stands in the result as well")
	}

	w.bare("upload_media", "again", `{"type":"image","media":{"dataref":"`+down.Media.DataRef+`","sha256":"`+down.Media.SHA256+`"}}`)
	w.ends("again", "done")
	w.bare("upload_media", "thumb", `{"type":"thumb","media":{"base64":"/9j/2Q=="}}`)
	var thumb wxapi.UploadMediaResponse
	decodeInto(t, w.ends("thumb", "done").Response, &thumb)
	if thumb.MediaID == "" {
		t.Error("a thumb has no media_id")
	}
}

// object reads a dataref.
func (w *world) object(ref string) []byte {
	w.t.Helper()
	name, ok := strings.CutPrefix(ref, "nats-object://WX_MEDIA/")
	if !ok {
		w.t.Fatalf("dataref %q", ref)
	}
	data, err := w.objects().GetBytes(w.within(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return data
}

func (w *world) objects() jetstream.ObjectStore {
	w.t.Helper()
	store, err := w.js.ObjectStore(w.within(), "WX_MEDIA")
	if err != nil {
		w.t.Fatal(err)
	}
	return store
}
