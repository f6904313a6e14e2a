package wxsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// A follower writes, the account says `success` at once and answers by a custom message.
func Example() {
	ctx := context.Background()
	sim, err := wxsim.New(wxsim.Config{AppID: "wx0123456789abcdef", AppSecret: "any", Token: "any"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	api := httptest.NewServer(sim.Handler())
	defer api.Close()

	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, callback.Success)
	}))
	defer account.Close()
	sim.SetCallback(account.URL)

	delivery, err := sim.Push(ctx, "o_alice", json.RawMessage(`{"MsgType":"text","Content":"hi"}`))
	fmt.Println(len(delivery.Tries), "try, fault:", delivery.Fault, err)

	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "any", APIURL: api.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "text", Text: &wxapi.Text{Content: "hello"},
	})
	fmt.Println("sent:", err)
	for _, seen := range sim.Inbox("o_alice") {
		fmt.Println(seen.Kind, seen.Text)
	}
	// Output:
	// 1 try, fault: false <nil>
	// sent: <nil>
	// custom hello
}

// The next call fails as WeChat would.
func ExamplePlatform_Fault() {
	sim, err := wxsim.New(wxsim.Config{AppID: "wx0123456789abcdef", AppSecret: "any", Token: "any"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	api := httptest.NewServer(sim.Handler())
	defer api.Close()
	if err := sim.Fault(wxsim.Fault{Verb: "get_groups", ErrCode: 45009}); err != nil {
		fmt.Println(err)
		return
	}
	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "any", APIURL: api.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		groups, err := client.GetGroups(context.Background(), nil)
		if refused, ok := errors.AsType[*wxapi.Error](err); ok {
			fmt.Println(refused.Code, refused.Class)
			continue
		}
		fmt.Println(len(groups.Groups), "groups")
	}
	// Output:
	// 45009 quota
	// 3 groups
}
