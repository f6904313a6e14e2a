package events

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

var stored = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func commandMessage(header Header, body string) Message {
	return Message{Subject: "wx.cmd.get_menu", Header: header, Body: []byte(body), Time: stored, Sequence: 7}
}

func TestParseCommand(t *testing.T) {
	t.Parallel()
	event := func(more string) string {
		return `{"specversion":"1.0","id":"order-1","source":"/shop","type":"x","data":{"a":1}` + more + `}`
	}
	life := stored.Add(CommandLife)
	for name, c := range map[string]struct {
		header Header
		body   string
		want   Command
	}{
		"bare":             {nil, ` {"a":1} `, Command{ID: "CMD-1-7", Expires: life, OnUnknown: OnUnknownReport}},
		"bare with an id":  {Header{"Nats-Msg-Id": {"m"}}, `{"a":1}`, Command{ID: "m", Expires: life, OnUnknown: OnUnknownReport}},
		"longest id":       {Header{"Nats-Msg-Id": {strings.Repeat("i", 255)}}, `{"a":1}`, Command{ID: strings.Repeat("i", 255), Expires: life, OnUnknown: OnUnknownReport}},
		"event":            {nil, event(""), Command{ID: "order-1", Source: "/shop", Expires: life, OnUnknown: OnUnknownReport}},
		"the event's id":   {Header{"Nats-Msg-Id": {"m"}}, event(""), Command{ID: "order-1", Source: "/shop", Expires: life, OnUnknown: OnUnknownReport}},
		"header too long":  {Header{"Nats-Msg-Id": {strings.Repeat("i", 256)}}, event(""), Command{ID: "order-1", Source: "/shop", Expires: life, OnUnknown: OnUnknownReport}},
		"resend":           {nil, event(`,"wxonunknown":"resend"`), Command{ID: "order-1", Source: "/shop", Expires: life, OnUnknown: OnUnknownResend}},
		"report":           {nil, event(`,"wxonunknown":"report"`), Command{ID: "order-1", Source: "/shop", Expires: life, OnUnknown: OnUnknownReport}},
		"expiry":           {nil, event(`,"expirytime":"2026-11-24T16:00:01+08:00"`), Command{ID: "order-1", Source: "/shop", Expires: stored.Add(time.Second), OnUnknown: OnUnknownReport}},
		"expiry, furthest": {nil, event(`,"expirytime":"2026-11-30T08:00:00Z"`), Command{ID: "order-1", Source: "/shop", Expires: stored.Add(6 * 24 * time.Hour), OnUnknown: OnUnknownReport}},
		"expiry, past":     {nil, event(`,"expirytime":"2020-01-01T00:00:00Z"`), Command{ID: "order-1", Source: "/shop", Expires: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), OnUnknown: OnUnknownReport}},
		"partition key":    {nil, event(`,"partitionkey":"o1","traceparent":"00-1","tracestate":"a=b"`), Command{ID: "order-1", Source: "/shop", PartitionKey: "o1", Expires: life, OnUnknown: OnUnknownReport, Trace: Trace{"00-1", "a=b"}}},
		"a number as key":  {nil, event(`,"partitionkey":12345`), Command{ID: "order-1", Source: "/shop", PartitionKey: "12345", Expires: life, OnUnknown: OnUnknownReport}},
		"binary": {
			Header{"ce-specversion": {"1.0"}, "ce-id": {"order-1"}, "ce-source": {"/shop"}, "ce-type": {"com.qq.weixin.mp.cmd.get_menu"}, "ce-partitionkey": {"o1"}},
			`{"a":1}`,
			Command{ID: "order-1", Source: "/shop", PartitionKey: "o1", Expires: life, OnUnknown: OnUnknownReport},
		},
	} {
		got, err := ParseCommand("wx", commandMessage(c.header, c.body), "CMD-1-7")
		if err != nil || string(got.Data) != `{"a":1}` || got.Verb != "get_menu" || !got.Expires.Equal(c.want.Expires) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got.ID != c.want.ID || got.Source != c.want.Source || got.PartitionKey != c.want.PartitionKey ||
			got.OnUnknown != c.want.OnUnknown || got.Trace != c.want.Trace {
			t.Errorf("%s: %+v instead of %+v", name, got, c.want)
		}
	}
}

func TestParseCommandRefuses(t *testing.T) {
	t.Parallel()
	event := func(id, more string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"/shop","type":"x"` + more + `}`
	}
	long := strings.Repeat("i", 256)
	for name, c := range map[string]struct {
		header          Header
		body, about, id string
	}{
		"empty":                   {nil, "", "empty", "CMD-1-7"},
		"white space":             {nil, " \n", "empty", "CMD-1-7"},
		"null":                    {nil, "null", "not a JSON object", "CMD-1-7"},
		"a list":                  {Header{"Nats-Msg-Id": {"m"}}, "[]", "not a JSON object", "m"},
		"text":                    {nil, "hello", "not a JSON object", "CMD-1-7"},
		"broken":                  {nil, `{"a":`, "not a JSON object", "CMD-1-7"},
		"two objects":             {nil, `{}{}`, "not a JSON object", "CMD-1-7"},
		"invalid UTF-8":           {nil, "{\"a\":\"\xff\"}", "UTF-8", "CMD-1-7"},
		"id too long":             {Header{"Nats-Msg-Id": {long}}, "{}", "255", "CMD-1-7"},
		"event id too long":       {Header{"Nats-Msg-Id": {"m"}}, event(long, `,"data":{}`), "255", "CMD-1-7"},
		"event id and expiry bad": {nil, event(long, `,"data":{},"expirytime":"x"`), "255", "CMD-1-7"},
		"bad event, id too long":  {Header{"Nats-Msg-Id": {long}}, event("", ""), "id", "CMD-1-7"},
		"id of no text":           {Header{"Nats-Msg-Id": {"\xff"}}, "{}", "UTF-8", "CMD-1-7"},
		"bad event":               {Header{"Nats-Msg-Id": {"m"}}, event("", ""), "id", "m"},
		"event without data":      {nil, event("1", ""), "empty", "1"},
		"event with a list":       {nil, event("1", `,"data":[]`), "not a JSON object", "1"},
		"expiry is no time":       {nil, event("1", `,"data":{},"expirytime":"tomorrow"`), "expirytime", "1"},
		"expiry is a number":      {nil, event("1", `,"data":{},"expirytime":1764000000`), "expirytime", "1"},
		"expiry too far":          {nil, event("1", `,"data":{},"expirytime":"2026-11-30T08:00:01Z"`), "6 days", "1"},
		"on unknown":              {nil, event("1", `,"data":{},"wxonunknown":"retry"`), "report or resend", "1"},
		"on unknown, boolean":     {nil, event("1", `,"data":{},"wxonunknown":true`), "report or resend", "1"},
		"another verb's type": {
			nil, strings.Replace(event("1", `,"data":{}`), `"x"`, `"com.qq.weixin.mp.cmd.create_menu"`, 1),
			"does not belong", "1",
		},
	} {
		got, err := ParseCommand("wx", commandMessage(c.header, c.body), "CMD-1-7")
		var refused *CommandError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.about) {
			t.Errorf("%s: %v, not about %q", name, err, c.about)
		}
		if got.ID != c.id || got.Verb != "get_menu" {
			t.Errorf("%s: id %.30q of verb %q", name, got.ID, got.Verb)
		}
	}
}

func TestNewCommand(t *testing.T) {
	t.Parallel()
	e, err := NewCommand("get_menu", "order-1", "/shop", stored, json.RawMessage(` {"url":"a&b<c>"}`))
	if err != nil {
		t.Fatal(err)
	}
	header, body, err := EncodeStructured(e)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), `{"url":"a&b<c>"}`) {
		t.Errorf("data are not as they were given: %s", body)
	}
	c, err := ParseCommand("wx", commandMessage(header, string(body)), "x")
	if err != nil || c.ID != "order-1" || c.Source != "/shop" || string(c.Data) != `{"url":"a&b<c>"}` {
		t.Errorf("%+v, %v", c, err)
	}
	for _, data := range []string{"", "null", "[]", "{", "hello"} {
		if e, err := NewCommand("get_menu", "1", "/shop", stored, json.RawMessage(data)); err == nil {
			t.Errorf("%q becomes %s", data, e)
		}
	}
}

// A request type of package wxapi is written as WeChat wants it.
func TestNewCommandOfAType(t *testing.T) {
	t.Parallel()
	e, err := NewCommand("send_custom_message", "order-1", "/shop", stored, wxapi.SendCustomMessageRequest{
		ToUser: "oAbc", MsgType: "text", Text: &wxapi.Text{Content: "a & b <c>"},
	})
	if want := `{"touser":"oAbc","msgtype":"text","text":{"content":"a & b <c>"}}`; err != nil || string(e.Data()) != want {
		t.Errorf("%s, %v", e.Data(), err)
	}
	for _, data := range []any{nil, 5, "text", []int{1}, math.Inf(1)} {
		if e, err := NewCommand("get_menu", "order-1", "/shop", stored, data); err == nil || !strings.Contains(err.Error(), "order-1") {
			t.Errorf("%v becomes %s, %v", data, e, err)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add("", "", "", []byte(`{"touser":"o1"}`))
	f.Add("m", "", "", []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{},"expirytime":"2026-11-24T16:00:01+08:00"}`))
	f.Add("m", "1.0", "2026-11-30T08:00:01Z", []byte(`{}`))
	f.Add(strings.Repeat("i", 256), "1.0", "x", []byte(`[]`))
	f.Fuzz(func(t *testing.T, msgID, version, expiry string, body []byte) {
		header := Header{
			"Nats-Msg-Id": {msgID}, "ce-specversion": {version}, "ce-id": {msgID}, "ce-source": {"/s"}, "ce-type": {"t"},
			"ce-expirytime": {expiry},
		}
		c, err := ParseCommand("wx", commandMessage(header, string(body)), "CMD-1-7")
		if c.ID == "" || len(c.ID) > maxID || c.Verb != "get_menu" {
			t.Fatalf("%+v", c)
		}
		var refused *CommandError
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		if !json.Valid(c.Data) || c.Data[0] != '{' {
			t.Fatalf("data %q", c.Data)
		}
		if c.Expires.After(stored.Add(maxExpiry)) {
			t.Fatalf("expires %s", c.Expires)
		}
	})
}
