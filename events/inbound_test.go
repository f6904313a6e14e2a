package events

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const pushed = `<xml><ToUserName>gh_1</ToUserName><FromUserName>oAbc</FromUserName><CreateTime>1795500000</CreateTime>` +
	`<MsgType>text</MsgType><Content>a &amp; b &lt;c&gt;</Content><MsgId>23456789012345678</MsgId></xml>`

func parsePushed(t testing.TB, document string) *callback.Message {
	t.Helper()
	m, err := callback.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestNewInbound(t *testing.T) {
	t.Parallel()
	m := parsePushed(t, pushed)
	deadline := time.Date(2026, 11, 24, 8, 0, 4, 500_900_000, time.FixedZone("CST", 8*3600))
	e, err := NewInbound("wx.shop", "wx01", m, deadline, Trace{"00-aa-bb-01", "k=v"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	id := m.ID()
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
	want := map[string]string{
		"specversion": "1.0", "id": id, "source": "//mp.weixin.qq.com/wx01", "type": "com.qq.weixin.mp.inbound.text",
		"subject": "oAbc", "time": "2026-11-24T04:00:00Z", "datacontenttype": "application/json",
		"dataschema": "urn:wxbridge:inbound.text:1", "partitionkey": "oAbc", "wxreplyto": "wx.shop.reply." + id,
		"wxdeadline": "2026-11-24T00:00:04.500Z", "traceparent": "00-aa-bb-01", "tracestate": "k=v",
	}
	want["time"] = m.CreateTime.Format(time.RFC3339)
	got := attributes(t, e)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s %q instead of %q", name, got[name], value)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("more attributes: %v", got)
	}

	header, body, err := EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewInbound("wx.shop", "wx01", parsePushed(t, pushed), deadline, Trace{"00-aa-bb-01", "k=v"})
	if err != nil {
		t.Fatal(err)
	}
	if _, same, err := EncodeStructured(again); err != nil || string(same) != string(body) {
		t.Errorf("another replica writes %s", same)
	}
	in, err := ParseInbound("wx.shop", Message{Subject: "wx.shop.inbound.text", Header: header, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	if in.ID != id || in.Kind != "text" || in.OpenID != "oAbc" || !in.Time.Equal(m.CreateTime) ||
		in.ReplyTo != "wx.shop.reply."+id || !in.Deadline.Equal(deadline.Truncate(time.Millisecond)) {
		t.Errorf("%+v", in)
	}
	var data struct{ FromUserName, Content, MsgId string }
	if err := json.Unmarshal(in.Data, &data); err != nil || data.Content != "a & b <c>" || data.MsgId != "23456789012345678" {
		t.Errorf("%+v, %v", data, err)
	}
}

func TestNewInboundNotHeld(t *testing.T) {
	t.Parallel()
	e, err := NewInbound("wx", "wx01", parsePushed(t, pushed), time.Time{}, Trace{State: "k=v"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"wxdeadline", "traceparent", "tracestate"} {
		if value, ok := e.Extensions()[name]; ok {
			t.Errorf("%s is %v", name, value)
		}
	}
	header, body, err := EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	in, err := ParseInbound("wx", Message{Subject: "wx.inbound.text", Header: header, Body: body})
	if err != nil || !in.Deadline.IsZero() {
		t.Errorf("%+v, %v", in, err)
	}
}

// The data of an event in the struct of its kind.
func TestInboundDecode(t *testing.T) {
	t.Parallel()
	m := parsePushed(t, pushed)
	e, err := NewInbound("wx.shop", "wx01", m, time.Time{}, Trace{})
	header, body := onTheWire(t, e, err)
	in, err := ParseInbound("", Message{Subject: "wx.shop.inbound.text", Header: header, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	data, err := in.Decode()
	if text, ok := data.(*callback.TextMessage); err != nil || !ok || text.Content != "a & b <c>" || text.FromUserName != in.OpenID {
		t.Errorf("%+v, %v", data, err)
	}
	in.Kind = "event_invented"
	data, err = in.Decode()
	if unknown, ok := data.(*callback.Unknown); err != nil || !ok || string(unknown.Elements["Content"]) != `"a & b <c>"` {
		t.Errorf("%+v, %v", data, err)
	}
	in.Data = json.RawMessage(`[]`)
	if data, err := in.Decode(); err == nil || data != nil || !strings.Contains(err.Error(), in.ID) {
		t.Errorf("%+v, %v", data, err)
	}
}

func TestParseInboundRefuses(t *testing.T) {
	t.Parallel()
	const event = `{"specversion":"1.0","id":"1","source":"/s","type":"com.qq.weixin.mp.inbound.text","wxdeadline":"2026-11-24T00:00:04.500Z","data":{}}`
	for name, m := range map[string]Message{
		"another prefix":        {Subject: "wx2.inbound.text", Body: []byte(event)},
		"another branch":        {Subject: "wx.cmd.text", Body: []byte(event)},
		"another kind":          {Subject: "wx.inbound.image", Body: []byte(event)},
		"bare":                  {Subject: "wx.inbound.text", Body: []byte("{}")},
		"no event":              {Subject: "wx.inbound.text", Body: []byte(`{"specversion":"1.0"}`)},
		"a deadline of no time": {Subject: "wx.inbound.text", Body: []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","wxdeadline":"soon"}`)},
	} {
		if in, err := ParseInbound("wx", m); err == nil {
			t.Errorf("%s: %+v", name, in)
		}
	}
}
