package events_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// The message that an example's follower sent, as it stands in WX_INBOUND.
// With nats.go it is events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data}.
var inbound = events.Message{
	Subject: "wx.inbound.text",
	Header:  events.Header{"Content-Type": {"application/cloudevents+json"}},
	Body: []byte(`{"specversion":"1.0","id":"23456-1a2b3c","source":"//mp.weixin.qq.com/wx01",
		"type":"com.qq.weixin.mp.inbound.text","subject":"oAbc","time":"2026-11-24T08:00:00Z",
		"wxreplyto":"wx.reply.23456-1a2b3c","wxdeadline":"2026-11-24T08:00:04.500Z",
		"data":{"ToUserName":"gh_1","FromUserName":"oAbc","CreateTime":1795507200,"MsgType":"text","Content":"hi","MsgId":"23456"}}`),
}

// A clock that the examples' output can depend on.
var now = time.Date(2026, 11, 24, 8, 0, 1, 0, time.UTC)

// A service of one file: it reads what followers send and answers. Publish the
// answer with any NATS client, with nats.go by
//
//	nc.PublishMsg(&nats.Msg{Subject: in.ReplyTo, Header: nats.Header(header), Data: body})
func Example() {
	in, err := events.ParseInbound("wx", inbound)
	if err != nil {
		fmt.Println(err)
		return
	}
	data, err := in.Decode()
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := "thank you"
	switch data := data.(type) {
	case *callback.TextMessage:
		answer = "you said " + data.Content
	case *callback.LocationMessage:
		answer = "you are at " + data.Label
	case *callback.SubscribeEvent:
		answer = "welcome"
	}
	reply, err := events.NewReply(in, "/shop", now, answer)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, body, err := events.EncodeStructured(reply)
	fmt.Println(in.ReplyTo)
	fmt.Println(string(body), err)
	// Output:
	// wx.reply.23456-1a2b3c
	// {"specversion":"1.0","id":"23456-1a2b3c.text","source":"/shop","type":"com.qq.weixin.mp.reply","subject":"oAbc","datacontenttype":"application/json","dataschema":"urn:wxbridge:reply:1","time":"2026-11-24T08:00:01Z","correlationid":"23456-1a2b3c","partitionkey":"oAbc","data":{"msgtype":"text","text":{"content":"you said hi"}}} <nil>
}

func ExampleParseInbound() {
	in, err := events.ParseInbound("wx", inbound)
	if err != nil {
		fmt.Println(err)
		return
	}
	var text callback.TextMessage // one kind alone needs no type switch
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

// What could not be delivered is an error before it is published.
func ExampleNewReply() {
	in := events.InboundEvent{ID: "23456-1a2b3c", OpenID: "oAbc", ReplyTo: "wx.reply.23456-1a2b3c"}
	menu := wxapi.SendCustomMessageRequest{MsgType: "msgmenu", MsgMenu: &wxapi.MsgMenu{
		HeadContent: "Did that help?", List: []wxapi.MsgMenuItem{{ID: "101", Content: "yes"}, {ID: "102", Content: "no"}},
	}}
	for _, answer := range []any{
		"hello",
		events.Reply{MsgType: "news", News: &events.News{Articles: []events.Article{{Title: "Hours", URL: "https://example.com/hours"}}}},
		events.Reply{MsgType: events.MsgWait},
		menu,
		events.Reply{MsgType: "news", News: &events.News{Articles: []events.Article{{Title: "Hours", URL: "example.com/hours"}}}},
	} {
		reply, err := events.NewReply(in, "/shop", now, answer)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(string(reply.Data()))
	}
	// Output:
	// {"msgtype":"text","text":{"content":"hello"}}
	// {"msgtype":"news","news":{"articles":[{"title":"Hours","url":"https://example.com/hours"}]}}
	// {"msgtype":"wait"}
	// {"touser":"","msgtype":"msgmenu","msgmenu":{"head_content":"Did that help?","list":[{"id":"101","content":"yes"},{"id":"102","content":"no"}]}}
	// reply to 23456-1a2b3c: news.articles[0].url must begin with http:// or https://
}

func ExampleNewCommand() {
	command, err := events.NewCommand("send_custom_message", "order-42-shipped", "/shop", now, wxapi.SendCustomMessageRequest{
		ToUser: "oAbc", MsgType: "text", Text: &wxapi.Text{Content: "on its way"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	command.SetExtension("expirytime", "2026-11-24T20:00:00Z") // late at night it would only disturb
	_, body, err := events.EncodeStructured(command)
	fmt.Println(events.Prefix("wx").Subject(events.Cmd, "send_custom_message"))
	fmt.Println(string(body), err)
	// Output:
	// wx.cmd.send_custom_message
	// {"specversion":"1.0","id":"order-42-shipped","source":"/shop","type":"com.qq.weixin.mp.cmd.send_custom_message","datacontenttype":"application/json","dataschema":"urn:wxbridge:cmd.send_custom_message:1","time":"2026-11-24T08:00:01Z","expirytime":"2026-11-24T20:00:00Z","data":{"touser":"oAbc","msgtype":"text","text":{"content":"on its way"}}} <nil>
}

// The one result of a command, from wx.result.<verb>. The answer of a
// wx.call.<verb> is the same object without an event around it.
func ExampleParseResult() {
	header := events.Header{"Content-Type": {"application/cloudevents+json"}}
	body := []byte(`{"specversion":"1.0","id":"user-7.res","source":"//mp.weixin.qq.com/wx01","type":"com.qq.weixin.mp.result.get_user_info",
		"time":"2026-11-24T08:00:01Z","causationid":"user-7",
		"data":{"outcome":"done","errcode":0,"errmsg":"ok","attempts":1,"elapsed_ms":41,"response":{"subscribe":1,"openid":"oAbc","language":"zh_CN"}}}`)
	result, commandID, err := events.ParseResult(header, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	if result.Outcome != events.ResultDone {
		fmt.Println(commandID, result.Outcome, result.Class, result.ErrCode, result.ErrMsg)
		return
	}
	var user wxapi.UserInfo
	if err := json.Unmarshal(result.Response, &user); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(commandID, "found", user.OpenID, user.Language)
	// Output:
	// user-7 found oAbc zh_CN
}
