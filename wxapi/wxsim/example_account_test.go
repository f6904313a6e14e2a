package wxsim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// pretend starts a simulator with followers, and a client of its API.
func pretend(followers ...string) (sim *wxsim.Platform, client *wxapi.Client, stop func()) {
	sim, err := wxsim.New(wxsim.Config{AppID: "wx0123456789abcdef", AppSecret: "any", Token: "any", PageSize: 2})
	if err != nil {
		panic(err)
	}
	api := httptest.NewServer(sim.Handler())
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, callback.Success)
	}))
	sim.SetCallback(account.URL)
	for _, openID := range followers {
		if _, err := sim.Push(context.Background(), openID, json.RawMessage(`{"MsgType":"event","Event":"subscribe"}`)); err != nil {
			panic(err)
		}
	}
	client, err = wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "any", APIURL: api.URL, MPURL: api.URL})
	if err != nil {
		panic(err)
	}
	return sim, client, func() {
		sim.Close()
		api.Close()
		account.Close()
	}
}

// All followers, whatever number there are to a page, and what is known of one.
func Example_users() {
	_, client, stop := pretend("o_alice", "o_bob", "o_carol")
	defer stop()
	ctx := context.Background()
	for openID, err := range client.AllUsers(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(openID)
	}
	page, err := client.GetUserList(ctx, &wxapi.GetUserListRequest{NextOpenID: "o_bob"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Total, page.Data.OpenID)
	info, err := client.GetUserInfo(ctx, &wxapi.GetUserInfoRequest{OpenID: "o_alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Subscribe, info.SubscribeScene)
	// Output:
	// o_alice
	// o_bob
	// o_carol
	// 3 [o_carol]
	// 1 ADD_SCENE_SEARCH
}

// Groups, as the original SDK has them; tags are their successors.
func Example_groups() {
	_, client, stop := pretend("o_alice")
	defer stop()
	ctx := context.Background()
	made, err := client.CreateGroup(ctx, &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "friends"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.UpdateGroup(ctx, &wxapi.UpdateGroupRequest{Group: wxapi.NamedGroup{ID: made.Group.ID, Name: "good friends"}})
	fmt.Println("renamed:", err == nil)
	_, err = client.UpdateGroupOfUser(ctx, &wxapi.UpdateGroupOfUserRequest{OpenID: "o_alice", ToGroupID: made.Group.ID})
	fmt.Println("moved:", err == nil)
	list, err := client.GetGroups(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	last := list.Groups[len(list.Groups)-1]
	fmt.Println(last.Name, last.Count)
	// Output:
	// renamed: true
	// moved: true
	// good friends 1
}

// A menu is made as a whole, and read back.
func Example_menu() {
	_, client, stop := pretend()
	defer stop()
	ctx := context.Background()
	_, err := client.CreateMenu(ctx, &wxapi.CreateMenuRequest{Button: []wxapi.Button{
		{Type: "click", Name: "今日歌曲", Key: "V1001_TODAY_MUSIC"},
		{Name: "菜单", SubButton: []wxapi.SubButton{{Type: "view", Name: "搜索", URL: "https://www.example.com/?a=1&b=2"}}},
	}})
	fmt.Println("made:", err == nil)
	got, err := client.GetMenu(ctx, nil)
	if err != nil || got.Menu == nil {
		fmt.Println("there is no menu", err)
		return
	}
	fmt.Println(got.Menu.Button[1].SubButton[0].URL)
	_, err = client.DeleteMenu(ctx, nil)
	fmt.Println("deleted:", err == nil)
	// Output:
	// made: true
	// https://www.example.com/?a=1&b=2
	// deleted: true
}

// A QR code for a shop's door, and who comes in by it.
func Example_qrCode() {
	sim, client, stop := pretend()
	defer stop()
	ctx := context.Background()
	code, err := client.CreateQRCode(ctx, &wxapi.CreateQRCodeRequest{
		ActionName: "QR_LIMIT_STR_SCENE", ActionInfo: wxapi.ActionInfo{Scene: wxapi.Scene{SceneStr: "door"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	picture, err := client.GetQRCodeURL(ctx, &wxapi.GetQRCodeURLRequest{Ticket: code.Ticket})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := http.Get(picture.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Header.Get("Content-Type"))

	if _, err := sim.Scan(ctx, "o_alice", code.Ticket); err != nil {
		fmt.Println(err)
		return
	}
	info, err := client.GetUserInfo(ctx, &wxapi.GetUserInfoRequest{OpenID: "o_alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.SubscribeScene, info.QRSceneStr)
	// Output:
	// image/png
	// ADD_SCENE_QR_CODE door
}

// Who is it that looks at our page?
func Example_oauth() {
	sim, client, stop := pretend()
	defer stop()
	ctx := context.Background()
	to, err := client.GetOAuthAuthorizeURL(ctx, &wxapi.GetOAuthAuthorizeURLRequest{
		RedirectURI: "https://shop.example.com/back", Scope: "snsapi_userinfo", State: "123",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to.URL)

	// The user agrees, and the browser comes back with a code.
	code, err := sim.Authorize("o_alice", "snsapi_userinfo")
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := client.GetOAuthAccessToken(ctx, &wxapi.GetOAuthAccessTokenRequest{Code: code})
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := client.GetSnsapiUserinfo(ctx, &wxapi.GetSnsapiUserinfoRequest{AccessToken: token.AccessToken, OpenID: token.OpenID})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(user.OpenID, user.Nickname)
	_, err = client.RefreshOAuthAccessToken(ctx, &wxapi.RefreshOAuthAccessTokenRequest{RefreshToken: token.RefreshToken})
	fmt.Println("refreshed:", err == nil)
	// Output:
	// https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef&redirect_uri=https%3A%2F%2Fshop.example.com%2Fback&response_type=code&scope=snsapi_userinfo&state=123#wechat_redirect
	// o_alice 微信用户
	// refreshed: true
}
