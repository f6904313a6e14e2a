package wxsim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// events listens, and gives what was pushed one by one.
func (w *world) events() chan *callback.Message {
	pushed := make(chan *callback.Message, 100)
	w.listen(testAESKey, func(_ int, rw http.ResponseWriter, _ *http.Request, _ *callback.Envelope, m *callback.Message) {
		pushed <- m
		_, _ = io.WriteString(rw, callback.Success)
	})
	return pushed
}

// event is the next of them that is called name.
func event(t *testing.T, pushed chan *callback.Message, name string) *callback.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		select {
		case m := <-pushed:
			if m.Event == name {
				return m
			}
		case <-ctx.Done():
			t.Fatalf("no event %s came", name)
		}
	}
}

// TestTemplates: a message is made of a template of the account's, sent once for each client_msg_id of ten minutes,
// and its event follows.
func TestTemplates(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Templates = []string{"GIVEN"} })
	pushed := w.events()
	w.follow(alice)
	client, ctx := w.client(), t.Context()
	made, err := client.AddTemplate(ctx, &wxapi.AddTemplateRequest{TemplateIDShort: "TM00015", KeywordNameList: []string{"商品"}})
	if err != nil || len(made.TemplateID) != 43 {
		t.Fatalf("%+v, %v", made, err)
	}
	if list, err := client.GetTemplates(ctx, nil); err != nil || len(list.Templates) != 2 || list.Templates[1].TemplateID != made.TemplateID {
		t.Errorf("%+v, %v", list, err)
	}
	message := &wxapi.SendTemplateMessageRequest{
		ToUser: alice, TemplateID: made.TemplateID, ClientMsgID: "one",
		Data: map[string]wxapi.TemplateValue{"first": {Value: "恭喜"}, "keyword1": {Value: "巧克力"}, "remark": {Value: "!"}},
	}
	first, err := client.SendTemplateMessage(ctx, message)
	if err != nil {
		t.Fatal(err)
	}
	done := event(t, pushed, "TEMPLATESENDJOBFINISH")
	if done.Value("MsgID") != fmt.Sprint(first.MsgID) || done.Value("Status") != "success" || done.FromUserName != alice {
		t.Errorf("%s", done.JSON())
	}
	if inbox := w.Inbox(alice); len(inbox) != 1 || inbox[0].Kind != SeenTemplate || inbox[0].Text != "恭喜\n商品:巧克力\n!" {
		t.Errorf("%+v", inbox)
	}
	w.Advance(10*time.Minute - time.Second)
	if again, err := client.SendTemplateMessage(ctx, message); err != nil || again.MsgID != first.MsgID || len(w.Inbox(alice)) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	w.Advance(time.Second)
	if again, err := client.SendTemplateMessage(ctx, message); err != nil || again.MsgID == first.MsgID || len(w.Inbox(alice)) != 2 {
		t.Errorf("after ten minutes: %+v, %v", again, err)
	}
	const path = "message/template/send"
	for body, want := range map[string]int{
		`{"touser":"o_nobody","template_id":"GIVEN","data":{}}`:                  40003,
		`{"touser":"o_alice","template_id":"OTHER","data":{}}`:                   40037,
		`{"touser":"o_alice","template_id":"GIVEN","data":{"n":{"value":1.50}}}`: 0,
		`{"touser":"o_alice","template_id":"GIVEN","data":[]}`:                   47001,
	} {
		if code := w.post(path, body); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	if inbox := w.Inbox(alice); inbox[2].Text != "1.50" {
		t.Errorf("%+v", inbox[2])
	}
	for range 23 {
		w.post("template/api_add_template", `{"template_id_short":"TM1"}`)
	}
	if code := w.post("template/api_add_template", `{"template_id_short":"TM1"}`); code != 45026 {
		t.Errorf("the 26th template: %d", code)
	}
	if _, err := client.DeleteTemplate(ctx, &wxapi.DeleteTemplateRequest{TemplateID: "GIVEN"}); err != nil {
		t.Error(err)
	}
	if code := w.post(path, `{"touser":"o_alice","template_id":"GIVEN","data":{}}`); code != 40037 {
		t.Errorf("a deleted template: %d", code)
	}
	w.push(alice, `{"MsgType":"event","Event":"unsubscribe"}`)
	if code := w.post(path, `{"touser":"o_alice","template_id":"`+made.TemplateID+`","data":{}}`); code != 43004 {
		t.Errorf("to one who left: %d", code)
	}
}

// TestIndustry: the trades can be chosen once a month.
func TestIndustry(t *testing.T) {
	w := newWorld(t, nil)
	set := func() int {
		return w.post("template/api_set_industry", `{"industry_id1":"1","industry_id2":"41"}`)
	}
	if first, second := set(), set(); first != 0 || second != 43100 {
		t.Errorf("%d, %d", first, second)
	}
	got, err := w.client().GetIndustry(t.Context(), nil)
	if err != nil || got.Primary.SecondClass != "互联网|电子商务" || got.Secondary.FirstClass != "41" {
		t.Errorf("%+v, %v", got, err)
	}
	w.Advance(31 * 24 * time.Hour)
	if code := set(); code != 0 {
		t.Errorf("next month: %d", code)
	}
}

// TestNotices: a notification goes to who has said yes, once for each time, and keeps to the rules of its values.
func TestNotices(t *testing.T) {
	w := newWorld(t, nil)
	pushed := w.events()
	w.follow(alice)
	client, ctx := w.client(), t.Context()
	made, err := client.AddSubscribeTemplate(ctx, &wxapi.AddSubscribeTemplateRequest{TID: "401", KIDList: []int64{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(value string) int {
		return w.post("message/subscribe/bizsend", fmt.Sprintf(
			`{"touser":%q,"template_id":%q,"data":{"thing1":{"value":%q},"thing2":{"value":"b"}}}`, alice, made.PriTmplID, value))
	}
	answers := func(what string) {
		w.push(alice, `{"MsgType":"event","Event":"subscribe_msg_popup_event","SubscribeMsgPopupEvent":{"List":`+
			`{"TemplateId":"`+made.PriTmplID+`","SubscribeStatusString":"`+what+`","PopupScene":"1"}}}`)
	}
	remove := func() int {
		code, _ := w.api("POST", "/wxaapi/newtmpl/deltemplate", `{"priTmplId":"`+made.PriTmplID+`"}`)
		return code
	}
	codes := []int{send("a")}
	answers("accept")
	codes = append(codes, send(""), send(strings.Repeat("好", 21)), send(strings.Repeat("好", 20)), send("a"))
	answers("accept")
	answers("reject")
	codes = append(codes, send("a"), remove(), send("a"))
	if want := "[43101 47003 47003 0 43101 43101 0 40037]"; fmt.Sprint(codes) != want {
		t.Errorf("%v, want %s", codes, want)
	}
	sent := event(t, pushed, "subscribe_msg_sent_event")
	if sent.Value("SubscribeMsgSentEvent", "List", "TemplateId") != made.PriTmplID {
		t.Errorf("%s", sent.JSON())
	}
	if inbox := w.Inbox(alice); len(inbox) != 1 || inbox[0].Kind != SeenNotice || !strings.Contains(inbox[0].Text, "内容2:b") {
		t.Errorf("%+v", inbox)
	}
}

// TestMass: everybody, a tag or a list gets a message once for each clientmsgid of a day, and its event follows.
func TestMass(t *testing.T) {
	w := newWorld(t, nil)
	pushed := w.events()
	w.follow(alice, "o_bob", "o_carol")
	client, ctx := w.client(), t.Context()
	toAll := &wxapi.SendMassMessageRequest{
		Filter: wxapi.MassFilter{IsToAll: true}, MsgType: "text", Text: &wxapi.Text{Content: "news"}, ClientMsgID: "today",
	}
	first, err := client.SendMassMessage(ctx, toAll)
	if err != nil {
		t.Fatal(err)
	}
	done := event(t, pushed, "MASSSENDJOBFINISH")
	if done.Value("MsgID") != fmt.Sprint(first.MsgID) || done.Value("SentCount") != "3" || done.Value("Status") != "send success" {
		t.Errorf("%s", done.JSON())
	}
	w.Advance(24*time.Hour - time.Second)
	if again, err := client.SendMassMessage(ctx, toAll); err != nil || *again != *first || len(w.Inbox("o_bob")) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	w.Advance(time.Second)
	if again, err := client.SendMassMessage(ctx, toAll); err != nil || again.MsgID == first.MsgID || len(w.Inbox("o_bob")) != 2 {
		t.Errorf("the day after: %+v, %v", again, err)
	}
	event(t, pushed, "MASSSENDJOBFINISH") // now: two jobs' events have no order
	if _, err := client.SendMassMessageToUsers(ctx, &wxapi.SendMassMessageToUsersRequest{
		ToUser: []string{alice, "o_bob", "o_nobody"}, MsgType: "text", Text: &wxapi.Text{Content: "you"},
	}); err != nil || len(w.Inbox("o_carol")) != 2 || len(w.Inbox("o_bob")) != 3 {
		t.Errorf("to two: %v", err)
	}
	if done := event(t, pushed, "MASSSENDJOBFINISH"); done.Value("SentCount") != "2" || done.Value("ErrorCount") != "1" {
		t.Errorf("%s", done.JSON())
	}
	tag, err := client.CreateTag(ctx, &wxapi.CreateTagRequest{Tag: wxapi.NewTag{Name: "t"}})
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(tag.Tag.ID)
	w.post("tags/members/batchtagging", `{"openid_list":["o_carol"],"tagid":`+id+`}`)
	const sendAll, send = "message/mass/sendall", "message/mass/send"
	for _, test := range []struct {
		path, body string
		want       int
	}{
		{sendAll, `{"filter":{"tag_id":` + id + `},"msgtype":"text","text":{"content":"tagged"}}`, 0},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"text","text":{}}`, 44004},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"text","text":{"content":"` + long(2049) + `"}}`, 45002},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"image","images":{"media_ids":["M"]}}`, 40007},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"mpnews","mpnews":{"media_id":"M"}}`, 40007},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"voice"}`, 40007},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"mpvideo"}`, 40007},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"wxcard"}`, 47003},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"wxcard","wxcard":{"card_id":"C"}}`, 0},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"hologram"}`, 40008},
		{sendAll, `{"filter":{"is_to_all":true},"msgtype":"text","text":{"content":"x"},"clientmsgid":"` + long(65) + `"}`, 45067},
		{send, `{"touser":["o_bob"],"msgtype":"text","text":{"content":"x"}}`, 40130},
		{send, `{"touser":["o_x","o_y"],"msgtype":"text","text":{"content":"x"}}`, 40031},
		{"message/mass/preview", `{"touser":"o_bob","msgtype":"text","text":{"content":"look"}}`, 0},
		{"message/mass/preview", `{"towxname":"bob","msgtype":"text","text":{"content":"look"}}`, 0},
		{"message/mass/preview", `{"touser":"o_x","msgtype":"text","text":{"content":"look"}}`, 40003},
		{"message/mass/get", `{"msg_id":"` + fmt.Sprint(first.MsgID) + `"}`, 0},
		{"message/mass/get", `{"msg_id":1}`, 40097},
		{"message/mass/delete", `{"msg_id":1}`, 40097},
		{"message/mass/delete", `{"msg_id":` + fmt.Sprint(first.MsgID) + `}`, 40008},
		{"message/mass/speed/set", `{"speed":5}`, 45083},
		{"message/mass/speed/set", `{}`, 45084},
		{"message/mass/speed/set", `{"speed":4}`, 0},
		{"media/uploadvideo", `{"media_id":"M"}`, 40007},
	} {
		if code := w.post(test.path, test.body); code != test.want {
			t.Errorf("%s %.90s: %d, want %d", test.path, test.body, code, test.want)
		}
	}
	if inbox := w.Inbox("o_carol"); inbox[2].Text != "tagged" || len(inbox) != 4 {
		t.Errorf("%+v", inbox)
	}
	if speed, err := client.GetMassSpeed(ctx, nil); err != nil || speed.Speed != 4 || speed.RealSpeed != 10 {
		t.Errorf("%+v, %v", speed, err)
	}
	_, video := w.upload("video", "media", "a.mp4", samples["video"])
	ready, err := client.UploadMassVideo(ctx, &wxapi.UploadMassVideoRequest{MediaID: fmt.Sprint(video["media_id"])})
	if err != nil {
		t.Fatal(err)
	}
	sent, err := client.SendMassMessage(ctx, &wxapi.SendMassMessageRequest{
		Filter: wxapi.MassFilter{IsToAll: true}, MsgType: "mpvideo", MPVideo: &wxapi.MPVideo{MediaID: ready.MediaID},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.DeleteMassMessage(ctx, &wxapi.DeleteMassMessageRequest{MsgID: sent.MsgID}); err != nil {
		t.Error(err)
	}
	if status, err := client.GetMassMessageStatus(ctx, &wxapi.GetMassMessageStatusRequest{MsgID: sent.MsgID}); err != nil || status.MsgStatus != "DELETE" {
		t.Errorf("%+v, %v", status, err)
	}
}

// TestCloseEndsAnnouncements: a job's result on its way holds nobody up.
func TestCloseEndsAnnouncements(t *testing.T) {
	w := newWorld(t, nil)
	held, free := make(chan struct{}), make(chan struct{})
	w.listen(testAESKey, func(_ int, rw http.ResponseWriter, _ *http.Request, _ *callback.Envelope, m *callback.Message) {
		if m.Event == "MASSSENDJOBFINISH" {
			close(held)
			<-free
		}
		_, _ = io.WriteString(rw, callback.Success)
	})
	t.Cleanup(func() { close(free) }) // before the callback is closed, which waits for it
	w.follow(alice)
	const body = `{"filter":{"is_to_all":true},"msgtype":"text","text":{"content":"x"}}`
	if code := w.post("message/mass/sendall", body); code != 0 {
		t.Fatal(code)
	}
	<-held
	w.Close()
	if code := w.post("message/mass/sendall", body); code != 0 {
		t.Errorf("after Close: %d", code)
	}
}
