package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wxbridge/wxbridge/wxapi"
)

// pretendWeChat answers the same to everything. Programs of your own are better
// served by the simulator in wxapi/wxsim, as the other examples are.
func pretendWeChat(answer string) (apiURL string, stop func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cgi-bin/stable_token" {
			fmt.Fprint(w, `{"access_token":"82_example","expires_in":7200}`)
			return
		}
		fmt.Fprint(w, answer)
	}))
	return s.URL, s.Close
}

func Example() {
	url, stop := pretendWeChat(`{"errcode":0,"errmsg":"ok"}`)
	defer stop()
	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "secret", APIURL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(context.Background(), &wxapi.SendCustomMessageRequest{
		ToUser: "oFollower", MsgType: "text", Text: &wxapi.Text{Content: "您好 & welcome"},
	})
	fmt.Println("sent:", err == nil)
	// Output: sent: true
}

// A verb that is known only at run time takes WeChat's own JSON.
func ExampleClient_CallJSON() {
	url, stop := pretendWeChat(`{"groups":[{"id":0,"name":"未分组","count":72596}]}`)
	defer stop()
	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "secret", APIURL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	row, ok := wxapi.Lookup("get_groups")
	if !ok {
		fmt.Println("did you mean", wxapi.Nearest("get_groups"))
		return
	}
	result, err := client.CallJSON(context.Background(), row, []byte(`{}`))
	fmt.Println(string(result.Response), err)
	// Output: {"groups":[{"id":0,"name":"未分组","count":72596}]} <nil>
}

// An error says who refused, why, what to do, and what to tell WeChat's
// support.
func ExampleError() {
	url, stop := pretendWeChat(`{"errcode":45015,"errmsg":"response out of time limit or subscription is canceled rid: 61725984-6126f6f9-040f19c4"}`)
	defer stop()
	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "secret", APIURL: url})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(context.Background(), &wxapi.SendCustomMessageRequest{
		ToUser: "oFollower", MsgType: "text", Text: &wxapi.Text{Content: "too late"},
	})
	var refused *wxapi.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Class, refused.RID)
		fmt.Println(wxapi.Help(refused.Code))
	}
	// Output:
	// 45015 user 61725984-6126f6f9-040f19c4
	// the follower has not acted within 48 hours, or does not follow; wait for them to write, tap or scan
}

// Data is checked before anybody is called.
func ExampleRow_Check() {
	_, err := wxapi.SendCustomMessage.Check([]byte(`{"touser":"oFollower","msgtype":"txt"}`))
	fmt.Println(err)

	unknown, err := wxapi.SendCustomMessage.Check([]byte(`{"touser":"oFollower","msgtype":"text","text":{"content":"hi","colour":"red"}}`))
	fmt.Println(unknown, err)
	// Output:
	// wxapi: send_custom_message: msgtype: "txt" is not known; did you mean "text"?
	// [text.colour] <nil>
}

func ExampleNearest() {
	fmt.Println(wxapi.Nearest("send_custom_text_message"))
	fmt.Println(wxapi.Nearest("get_group"))
	// Output:
	// send_custom_message
	// get_groups
}
