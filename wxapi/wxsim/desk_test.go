package wxsim

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// customService calls an API of customer service and returns the errcode.
func (w *world) customService(path, body string) int {
	w.t.Helper()
	code, _ := w.api("POST", "/customservice/"+path, body)
	return code
}

// TestAgents: names, invitations and pictures.
func TestAgents(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	codes := []int{
		w.customService("kfaccount/add", `{"kf_account":"a@shop","nickname":"Ann"}`),
		w.customService("kfaccount/add", `{"kf_account":"a@shop","nickname":"Ann"}`),
		w.customService("kfaccount/add", `{"kf_account":"much_too_long@shop","nickname":"Ann"}`),
		w.customService("kfaccount/add", `{"kf_account":"b@shop","nickname":""}`),
		w.customService("kfaccount/add", `{"kf_account":"b@shop","nickname":"Bo"}`),
		w.customService("kfaccount/update", `{"kf_account":"b@shop","nickname":"Bob"}`),
		w.customService("kfaccount/update", `{"kf_account":"c@shop","nickname":"Bob"}`),
		w.customService("kfaccount/inviteworker", `{"kf_account":"a@shop","invite_wx":"ann"}`),
		w.customService("kfaccount/inviteworker", `{"kf_account":"a@shop","invite_wx":"bob"}`),
		w.customService("kfaccount/inviteworker", `{"kf_account":"b@shop","invite_wx":"ann"}`),
		w.customService("kfaccount/inviteworker", `{"kf_account":"c@shop","invite_wx":"ann"}`),
	}
	if want := "[0 65406 65404 65403 0 0 65401 0 65412 65407 65401]"; fmt.Sprint(codes) != want {
		t.Errorf("%v, want %s", codes, want)
	}
	if _, err := client.UploadKFHeadImg(ctx, &wxapi.UploadKFHeadImgRequest{KFAccount: "b@shop", Media: wxapi.Media{Base64: []byte(jpg)}}); err != nil {
		t.Error(err)
	}
	list, err := client.GetKFList(ctx, nil)
	if err != nil || len(list.KFList) != 2 || list.KFList[0].KFWX != "ann" || list.KFList[1].KFNick != "Bob" || list.KFList[1].KFHeadImgURL == "" {
		t.Errorf("%+v, %v", list, err)
	}
	if online, err := client.GetOnlineKFList(ctx, nil); err != nil || len(online.KFOnlineList) != 1 || online.KFOnlineList[0].KFAccount != "a@shop" {
		t.Errorf("%+v, %v", online, err)
	}
	if _, err := client.DeleteKFAccount(ctx, &wxapi.DeleteKFAccountRequest{KFAccount: "b@shop"}); err != nil {
		t.Error(err)
	}
	if list, err := client.GetKFList(ctx, nil); err != nil || len(list.KFList) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestSessions: who is handed over waits for an agent; the session begins and ends with an event, and what is said in
// it can be read.
func TestSessions(t *testing.T) {
	w := newWorld(t, nil)
	pushed := make(chan *callback.Message, 100)
	transfer := replyWith(callback.TransferCustomerService{})
	w.listen(testAESKey, func(n int, rw http.ResponseWriter, r *http.Request, e *callback.Envelope, m *callback.Message) {
		pushed <- m
		if m.Value("Content") == "human" {
			transfer(n, rw, r, e, m)
			return
		}
		_, _ = io.WriteString(rw, callback.Success)
	})
	client, ctx := w.client(), t.Context()
	w.push(alice, `{"MsgType":"text","Content":"human"}`)
	w.follow("o_bob")
	for _, name := range []string{"a", "b", "c"} {
		w.customService("kfaccount/add", `{"kf_account":"`+name+`@shop","nickname":"n"}`)
		if name != "c" {
			w.customService("kfaccount/inviteworker", `{"kf_account":"`+name+`@shop","invite_wx":"`+name+`"}`)
		}
	}
	if waiting, err := client.GetKFWaitCases(ctx, nil); err != nil || waiting.Count != 1 || waiting.WaitCaseList[0].OpenID != alice {
		t.Errorf("%+v, %v", waiting, err)
	}
	session := func(what, account, openID string) int {
		return w.customService("kfsession/"+what, `{"kf_account":"`+account+`@shop","openid":"`+openID+`"}`)
	}
	codes := []int{
		session("close", "a", alice), session("create", "c", alice), session("create", "x", alice), session("create", "a", "o_nobody"),
		session("create", "a", alice), session("create", "a", alice), session("create", "b", alice), session("close", "b", alice),
	}
	if want := "[65413 65415 65401 40003 0 0 65414 65414]"; fmt.Sprint(codes) != want {
		t.Errorf("%v, want %s", codes, want)
	}
	if begun := event(t, pushed, "kf_create_session"); begun.Value("KfAccount") != "a@shop" || begun.FromUserName != alice {
		t.Errorf("%s", begun.JSON())
	}
	if with, err := client.GetKFSession(ctx, &wxapi.GetKFSessionRequest{OpenID: alice}); err != nil || with.KFAccount != "a@shop" {
		t.Errorf("%+v, %v", with, err)
	}
	if with, err := client.GetKFSession(ctx, &wxapi.GetKFSessionRequest{OpenID: "o_bob"}); err != nil || with.KFAccount != "" {
		t.Errorf("%+v, %v", with, err)
	}
	if list, err := client.GetKFSessionList(ctx, &wxapi.GetKFSessionListRequest{KFAccount: "a@shop"}); err != nil || len(list.SessionList) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if waiting, err := client.GetKFWaitCases(ctx, nil); err != nil || waiting.Count != 0 {
		t.Errorf("%+v, %v", waiting, err)
	}
	w.push(alice, `{"MsgType":"text","Content":"help"}`)
	message := `{"touser":"o_alice","msgtype":"text","text":{"content":"sure"},"customservice":{"kf_account":"%s@shop"}}`
	if right, unknown := w.post("message/custom/send", fmt.Sprintf(message, "a")), w.post("message/custom/send", fmt.Sprintf(message, "x")); right != 0 || unknown != 61452 {
		t.Errorf("in an agent's name: %d, %d", right, unknown)
	}
	now := w.hand.now().Unix()
	page := &wxapi.GetKFMessagesRequest{StartTime: now - 60, EndTime: now, MsgID: "1", Number: 1}
	var said []string
	for range 3 {
		got, err := client.GetKFMessages(ctx, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.RecordList {
			said = append(said, fmt.Sprint(m.OperCode, m.Text, m.Worker))
		}
		page.MsgID = got.MsgID
	}
	if want := "[2003helpa@shop 2002surea@shop]"; fmt.Sprint(said) != want {
		t.Errorf("%v, want %s", said, want)
	}
	if code := w.customService("msgrecord/getmsglist", `{"starttime":1,"endtime":90000,"msgid":1,"number":1}`); code != 65416 {
		t.Errorf("more than a day: %d", code)
	}
	if code := session("close", "a", alice); code != 0 {
		t.Error(code)
	}
	if ended := event(t, pushed, "kf_close_session"); ended.Value("KfAccount") != "a@shop" {
		t.Errorf("%s", ended.JSON())
	}
}
