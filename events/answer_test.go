package events

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// What NewReply makes, ParseReply takes for the same reply.
func TestNewReply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply any
		data  string
	}{
		"text":           {"a & b <c>\n{d}", `{"msgtype":"text","text":{"content":"a & b <c>\n{d}"}}`},
		"a Reply":        {Reply{MsgType: "image", Image: &Media{MediaID: "m"}, ID: "not sent"}, `{"msgtype":"image","image":{"media_id":"m"}}`},
		"Data":           {Reply{Data: json.RawMessage(`{"msgtype":"wxcard","wxcard":{"card_id":"c"}}`)}, `{"msgtype":"wxcard","wxcard":{"card_id":"c"}}`},
		"a pointer":      {&Reply{MsgType: MsgWait}, `{"msgtype":"wait"}`},
		"JSON":           {json.RawMessage(`{"msgtype":"mpnews","mpnews":{"media_id":"m"}}`), `{"msgtype":"mpnews","mpnews":{"media_id":"m"}}`},
		"a map":          {map[string]any{"msgtype": MsgRelease}, `{"msgtype":"release"}`},
		"custom message": {wxapi.SendCustomMessageRequest{MsgType: "wxcard", WXCard: &wxapi.WXCard{CardID: "c"}}, `{"touser":"","msgtype":"wxcard","wxcard":{"card_id":"c"}}`},
	} {
		e, err := NewReply(InboundEvent{ID: "e-1", OpenID: "oAbc"}, "/shop", stored, c.reply)
		header, body := onTheWire(t, e, err)
		if string(e.Data()) != c.data {
			t.Errorf("%s: data %s", name, e.Data())
		}
		r, err := ParseReply(header, body)
		if err != nil || r.ID != "e-1."+r.MsgType || r.Source != "/shop" || string(r.Data) != c.data {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		attrs := attributes(t, e)
		if attrs["type"] != "com.qq.weixin.mp.reply" || attrs["dataschema"] != "urn:wxbridge:reply:1" || attrs["correlationid"] != "e-1" || attrs["subject"] != "oAbc" {
			t.Errorf("%s: %v", name, attrs)
		}
	}
	for name, c := range map[string]struct {
		reply any
		about string
	}{
		"too long":     {strings.Repeat("x", MaxText+1), "at most 2048"},
		"no text":      {"", "text.content"},
		"no type":      {Reply{}, "msgtype is missing"},
		"unknown type": {Reply{MsgType: "txt"}, "unknown"},
		"no field":     {Reply{MsgType: "image", Image: &Media{}}, "image.media_id"},
		"a number":     {5, "neither a text nor an object"},
		"a list":       {[]string{"hi"}, "neither a text nor an object"},
		"nothing":      {nil, "neither a text nor an object"},
		"no JSON":      {json.RawMessage(`{`), "{"},
		"not in JSON":  {math.NaN(), "NaN"},
	} {
		if e, err := NewReply(InboundEvent{ID: "e-1", OpenID: "oAbc"}, "/shop", stored, c.reply); err == nil || !strings.Contains(err.Error(), c.about) || !strings.Contains(err.Error(), "e-1") {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}
