package events_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

func ExampleNewReply() {
	in, err := events.ParseInbound("wx", inbound)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := events.NewReply(in, "/shop", time.Date(2026, 11, 24, 8, 0, 1, 0, time.UTC), events.TextReply("hello"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, body, err := events.EncodeStructured(reply)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(in.ReplyTo)
	fmt.Println(string(body))
	// Output:
	// wx.reply.23456-1a2b3c
	// {"specversion":"1.0","id":"23456-1a2b3c.text","source":"/shop","type":"com.qq.weixin.mp.reply","subject":"oAbc","datacontenttype":"application/json","dataschema":"urn:wxbridge:reply:1","time":"2026-11-24T08:00:01Z","correlationid":"23456-1a2b3c","partitionkey":"oAbc","data":{"msgtype":"text","text":{"content":"hello"}}}
}

// What NewReply makes is what ParseReply reads, and what the bridge would refuse
// is refused where it is made.
func TestNewReply(t *testing.T) {
	t.Parallel()
	in := events.InboundEvent{ID: "e1", ReplyTo: "wx.reply.e1"}
	menu := json.RawMessage(`{"msgtype":"msgmenu","msgmenu":{"head_content":"?","list":[{"id":"1","content":"yes"}]}}`)
	for name, c := range map[string]struct {
		reply     events.Reply
		id, fault string
	}{
		"text":      {events.TextReply("在 <&> 的"), "e1.text", ""},
		"wait":      {events.WaitReply(), "e1.wait", ""},
		"release":   {events.ReleaseReply(), "e1.release", ""},
		"raw":       {events.Reply{Data: menu}, "e1.msgmenu", ""},
		"image":     {events.Reply{MsgType: "image", Image: &events.Media{MediaID: "m"}}, "e1.image", ""},
		"empty":     {events.TextReply(""), "", "text.content is missing or empty"},
		"long":      {events.TextReply(strings.Repeat("x", events.MaxText+1)), "", "at most 2048"},
		"no type":   {events.Reply{}, "", "msgtype is missing"},
		"no fields": {events.Reply{MsgType: "image"}, "", "image must be an object"},
		"raw text":  {events.Reply{Data: json.RawMessage(`"hi"`)}, "e1.text", ""},
	} {
		e, err := events.NewReply(in, "/shop", time.Now(), c.reply)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), "e1") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := events.ParseReply(header, body)
		if err != nil || got.ID != c.id || got.Source != "/shop" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if c.reply.Text != nil && got.Text.Content != c.reply.Text.Content {
			t.Errorf("%s: %q", name, got.Text.Content)
		}
	}
}
