package events_test

import (
	"encoding/json"
	"fmt"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
)

// The message that an example's follower sent, as it stands in WX_INBOUND.
var inbound = events.Message{
	Subject: "wx.inbound.text",
	Header:  events.Header{"Content-Type": {"application/cloudevents+json"}},
	Body: []byte(`{"specversion":"1.0","id":"23456-1a2b3c","source":"//mp.weixin.qq.com/wx01",
		"type":"com.qq.weixin.mp.inbound.text","subject":"oAbc","time":"2026-11-24T08:00:00Z",
		"wxreplyto":"wx.reply.23456-1a2b3c","wxdeadline":"2026-11-24T08:00:04.500Z",
		"data":{"FromUserName":"oAbc","MsgType":"text","Content":"hi"}}`),
}

// Answering a follower: the reply goes to the subject that the event names.
// A bare body would do; the envelope names the service in the outcome.
func Example_answer() {
	in, err := events.ParseInbound("wx", inbound)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply := cloudevents.New()
	reply.SetID(in.ID + ".answer")
	reply.SetSource("/shop")
	reply.SetType("com.qq.weixin.mp.reply")
	err = reply.SetData(cloudevents.ApplicationJSON, events.Reply{
		MsgType: "text", Text: &events.Text{Content: "hello"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	header, body, err := events.EncodeStructured(reply)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(in.ReplyTo)
	fmt.Println(header.Get("Content-Type"))
	fmt.Println(string(body))
	// Output:
	// wx.reply.23456-1a2b3c
	// application/cloudevents+json
	// {"specversion":"1.0","id":"23456-1a2b3c.answer","source":"/shop","type":"com.qq.weixin.mp.reply","datacontenttype":"application/json","data":{"msgtype":"text","text":{"content":"hello"}}}
}

func ExampleParseInbound() {
	in, err := events.ParseInbound("wx", inbound)
	if err != nil {
		fmt.Println(err)
		return
	}
	var text struct{ Content string }
	if err := json.Unmarshal(in.Data, &text); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s says %q\n", in.OpenID, text.Content)
	fmt.Println("answer by", in.Deadline.Format(time.TimeOnly+".000"))
	// Output:
	// oAbc says "hi"
	// answer by 08:00:04.500
}

func ExampleNewCommand() {
	command, err := events.NewCommand("send_custom_message", "order-42-shipped", "/shop",
		time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC),
		json.RawMessage(`{"touser":"oAbc","msgtype":"text","text":{"content":"on its way"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	command.SetExtension("expirytime", "2026-11-24T20:00:00Z") // late at night it would only disturb
	_, body, err := events.EncodeStructured(command)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(events.Prefix("wx").Subject(events.Cmd, "send_custom_message"))
	fmt.Println(string(body))
	// Output:
	// wx.cmd.send_custom_message
	// {"specversion":"1.0","id":"order-42-shipped","source":"/shop","type":"com.qq.weixin.mp.cmd.send_custom_message","datacontenttype":"application/json","dataschema":"urn:wxbridge:cmd.send_custom_message:1","time":"2026-11-24T08:00:00Z","expirytime":"2026-11-24T20:00:00Z","data":{"touser":"oAbc","msgtype":"text","text":{"content":"on its way"}}}
}
