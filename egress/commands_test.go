package egress

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// follower makes an OpenID that looks real, and one who may be written to.
func (w *world) follower(name string) string {
	w.t.Helper()
	id := openID(name)
	if _, err := w.sim.Push(w.within(), id, json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// openID is what TestMain looks for in the logs.
func openID(name string) string { return ("oVertraulich-" + name + strings.Repeat("x", 28))[:28] }

// text is a message that TestMain looks for in the logs.
func text(to, says string) string {
	return fmt.Sprintf(`{"touser":%q,"msgtype":"text","text":{"content":"vertraulich: %s"}}`, to, says)
}

func userInfo(of string) string { return fmt.Sprintf(`{"openid":%q}`, of) }

// bare publishes data without an envelope.
func (w *world) bare(verb, id, data string) uint64 {
	w.t.Helper()
	m := nats.NewMsg("wx.cmd." + verb)
	if id != "" {
		m.Header.Set("Nats-Msg-Id", id)
	}
	m.Data = []byte(data)
	return w.publish(m)
}

func (w *world) publish(m *nats.Msg) uint64 {
	w.t.Helper()
	ack, err := w.js.PublishMsg(w.within(), m)
	if err != nil {
		w.t.Fatal(err)
	}
	return ack.Sequence
}

// extensions are CloudEvents attributes.
type extensions map[string]string

// event publishes a command as a structured CloudEvent, without a Nats-Msg-Id,
// so that the stream takes repetitions.
func (w *world) event(verb, id, data string, ext extensions) uint64 {
	w.t.Helper()
	return w.publish(w.message(verb, id, data, ext, events.EncodeStructured))
}

type encoder = func(cloudevents.Event) (events.Header, []byte, error)

func (w *world) message(verb, id, data string, ext extensions, encode encoder) *nats.Msg {
	w.t.Helper()
	e, err := events.NewCommand(verb, id, "//test/shop", time.Now(), json.RawMessage(data))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range ext {
		e.SetExtension(name, value)
	}
	header, body, err := encode(e)
	if err != nil {
		w.t.Fatal(err)
	}
	return &nats.Msg{Subject: "wx.cmd." + verb, Header: nats.Header(header), Data: body}
}

// pixel is the smallest picture: a PNG of one point, in base64.
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC"

// sample is data that the pretend WeChat executes for a verb, made of the row's
// own request type; known fills in what must be there before.
func sample(t *testing.T, row *wxapi.Row, known map[string]any) string {
	t.Helper()
	made := fill(row.Request, known)
	if row.Name == "upload_media" {
		made["filename"] = "cat.png"
	}
	data, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fill makes the required fields of a request type; of a switch its first case.
func fill(t reflect.Type, known map[string]any) map[string]any {
	made, chosen := map[string]any{}, false
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		words := strings.Split(field.Tag.Get("wx"), ",")
		switch {
		case slices.Contains(words, "case") && !chosen:
			made["msgtype"], made[name], chosen = name, fill(field.Type.Elem(), known), true
		case slices.Contains(words, "required"):
			made[name] = value(field, words, known)
		}
	}
	return made
}

func value(field reflect.StructField, words []string, known map[string]any) any {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if v, ok := known[name]; ok {
		return v
	}
	if slices.Contains(words, "openid") {
		return known["openid"]
	}
	for _, word := range words {
		if choices, ok := strings.CutPrefix(word, "one="); ok {
			return strings.Split(choices, "|")[0]
		}
	}
	if field.Type == reflect.TypeFor[wxapi.Media]() {
		return map[string]any{"base64": pixel}
	}
	switch field.Type.Kind() {
	case reflect.Struct:
		return fill(field.Type, known)
	case reflect.Slice:
		if field.Type.Elem().Kind() == reflect.Struct {
			return []any{fill(field.Type.Elem(), known)}
		}
		return []any{"sample"}
	case reflect.String:
		return "sample"
	}
	return 1
}

// settle makes what the samples of stateful verbs need: a follower, a group, a
// picture that can be fetched.
func (w *world) settle() map[string]any {
	w.t.Helper()
	alice := w.follower("alice")
	w.bare("create_group", "setup-group", `{"group":{"name":"first"}}`)
	w.bare("upload_media", "setup-media", `{"type":"image","media":{"base64":"`+pixel+`"}}`)
	var group wxapi.CreateGroupResponse
	var media wxapi.UploadMediaResponse
	decodeInto(w.t, w.ends("setup-group", "done").Response, &group)
	decodeInto(w.t, w.ends("setup-media", "done").Response, &media)
	return map[string]any{
		"openid": alice, "touser": alice, "media_id": media.MediaID,
		"id": group.Group.ID, "to_groupid": group.Group.ID,
	}
}

func decodeInto(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}
