package ingress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func articles(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"title":"t%d","description":"d","url":"https://example.com/%d","picurl":"https://example.com/p"}`, i, i)
	}
	return `{"msgtype":"news","news":{"articles":[` + strings.Join(list, ",") + `]}}`
}

const (
	aText  = `{"MsgType":"text","Content":"` + private + `"}`
	aClick = `{"MsgType":"event","Event":"CLICK","EventKey":"` + private + `"}`
)

// Every type with a passive form leaves in the response, in WeChat's XML, with
// nothing of the types beside it.
func TestPassiveForms(t *testing.T) {
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	phone := w.phone(r)
	for _, form := range []struct{ name, says, reply, want string }{
		{"text", aText, `{"msgtype":"text","text":{"content":"a\nb"}}`, `"Content":"a\nb"`},
		{"image", aText, `{"msgtype":"image","image":{"media_id":"M1"}}`, `"Image":{"MediaId":"M1"}`},
		{"voice", aText, `{"msgtype":"voice","voice":{"media_id":"M2"}}`, `"Voice":{"MediaId":"M2"}`},
		{"video", aText, `{"msgtype":"video","video":{"media_id":"M3","title":"T","description":"D"}}`, `"Video":{"MediaId":"M3","Title":"T","Description":"D"}`},
		{
			"music", aText, `{"msgtype":"music","music":{"title":"T","musicurl":"http://a/1","hqmusicurl":"http://a/2","thumb_media_id":"M4"}}`,
			`"Music":{"Title":"T","MusicUrl":"http://a/1","HQMusicUrl":"http://a/2","ThumbMediaId":"M4"}`,
		},
		{"news to a text: one article", aText, articles(8), `"ArticleCount":"1","Articles":{"item":{"Title":"t0"`},
		{"news to a tap: all", aClick, articles(8), `"ArticleCount":"8","Articles":{"item":[{"Title":"t0"`},
		{"transfer", aText, `{"msgtype":"transfer_customer_service"}`, `"MsgType":"transfer_customer_service"`},
		{"transfer to an agent", aText, `{"msgtype":"transfer_customer_service","customservice":{"kf_account":"k@gh"}}`, `"TransInfo":{"KfAccount":"k@gh"}`},
		{"objects of other types", aText, `{"msgtype":"image","text":{"content":"not this"},"image":{"media_id":"M5"},"video":{}}`, `"Image":{"MediaId":"M5"}`},
	} {
		t.Run(form.name, func(t *testing.T) {
			delivery := w.pushed(phone, alice, form.says)
			in := next(t, heard)
			w.reply(in.ReplyTo, nil, form.reply)
			d := next(t, delivery)
			if !strings.Contains(string(d.Reply), form.want) || len(d.Tries) != 1 {
				t.Errorf("the follower gets %s after %d tries, want %s", d.Reply, len(d.Tries), form.want)
			}
			if strings.Contains(string(d.Reply), "not this") || d.Reply == nil {
				t.Errorf("the follower gets %s", d.Reply)
			}
			if o := w.outcome(in.ID); o.Outcome.Outcome != events.OutcomeReplied {
				t.Errorf("outcome %+v", o.Outcome)
			}
		})
	}
}

// A type without a passive form lets the follower go, and is sent as a custom
// message by one command, also when WeChat asks again.
func TestReplyWithoutPassiveForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	doc := text(alice, private)
	first := w.try(r, doc)
	in := next(t, heard)
	w.reply(in.ReplyTo, nil, `{"msgtype":"msgmenu","touser":"o_somebody_else","msgmenu":{"list":[{"id":"101","content":"<yes>"}],"tail_content":"`+private+`"}}`)
	if got := w.says(next(t, first)); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	if got := w.says(next(t, w.try(r, doc))); got != callback.Success {
		t.Errorf("the second try is answered %q", got)
	}
	commands := w.stored(bus.StreamCmd, "wx.cmd.*")
	if len(commands) != 1 || commands[0].Subject != "wx.cmd.send_custom_message" {
		t.Fatalf("commands %v", commands)
	}
	e := eventOf(t, commands[0])
	var data struct {
		ToUser  string `json:"touser"`
		MsgType string `json:"msgtype"`
		Menu    struct {
			List []struct{ ID, Content string } `json:"list"`
		} `json:"msgmenu"`
	}
	noError(t, json.Unmarshal(e.Data(), &data))
	if e.ID() != in.ID+".late" || data.ToUser != alice || data.MsgType != "msgmenu" || len(data.Menu.List) != 1 || data.Menu.List[0].Content != "<yes>" {
		t.Errorf("command %s", e)
	}
	o := w.outcome(in.ID)
	if o.Outcome.Outcome != events.OutcomeReleased || o.Sequence != w.stored(bus.StreamReply, in.ReplyTo)[0].Sequence {
		t.Errorf("outcome %+v", o.Outcome)
	}
}

// A reply that WeChat would show the fault line for does not decide: it becomes a
// dead letter, and the hold has its outcome.
func TestReplyThatCannotBeDelivered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(hold(short)), w.service()
	for _, reply := range []string{
		`{"msgtype":"text","text":{"content":"\u0001\u0002"}}`,
		`{"msgtype":"image","image":{"media_id":" "}}`,
		`{"msgtype":"image","image":{"media_id":"M"},"Image":null}`,
		`{"msgtype":"music","music":{"thumb_media_id":"M","musicurl":"javascript:alert(1)"}}`,
		`{"msgtype":"news","news":{"articles":[{"description":"no title"}]}}`,
		`{"msgtype":"news","news":{"articles":[{"title":"t","url":"file:///etc/passwd"}]}}`,
	} {
		delivery := w.try(r, text(alice, private))
		in := next(t, heard)
		sequence := w.reply(in.ReplyTo, nil, reply)
		if got := w.says(next(t, delivery)); got != callback.Success {
			t.Errorf("%s: answered %q", reply, got)
		}
		if o := w.outcome(in.ID); o.Outcome.Outcome != events.OutcomeUnanswered {
			t.Errorf("%s: outcome %+v", reply, o.Outcome)
		}
		id := fmt.Sprintf("%s.reply.%d", testAppID, sequence)
		eventually(t, "a dead letter "+id, func() bool {
			for _, m := range w.stored(bus.StreamDLQ, "wx.dlq.text") {
				if m.Header.Get("Nats-Msg-Id") == id {
					return true
				}
			}
			return false
		})
	}
}
