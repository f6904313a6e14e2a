package wxapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// The examples of this file are the functions of the PHP SDK this project grew
// out of, as the README's table has them, each as a call against the simulator.

// account is a made-up account at a pretend WeChat, and a client for it. The
// followers have just written, so that they may be written to.
func account(followers ...string) (sim *wxsim.Platform, client *wxapi.Client, stop func()) {
	sim, err := wxsim.New(wxsim.Config{
		AppID: appID, AppSecret: appSecret, Token: "any", Callback: "http://callback.test/wx",
		Transport: roundTripper(func(*http.Request) (*http.Response, error) { return newRecorder(200, "success").Result(), nil }),
	})
	if err != nil {
		panic(err)
	}
	for _, openID := range followers {
		if _, err := sim.Push(context.Background(), openID, json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil {
			panic(err)
		}
	}
	api := httptest.NewServer(sim.Handler())
	client, err = wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret, APIURL: api.URL})
	if err != nil {
		panic(err)
	}
	return sim, client, func() { sim.Close(); api.Close() }
}

func ExampleClient_UploadMedia() {
	_, client, stop := account()
	defer stop()
	up, err := client.UploadMedia(context.Background(), &wxapi.UploadMediaRequest{
		Type: "image", Filename: "cat.png", Media: wxapi.Media{Base64: []byte(png)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(up.Type, up.MediaID != "")
	// Output: image true
}

func ExampleClient_UploadMediaFile() {
	_, client, stop := account()
	defer stop()
	dir, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cat.png")
	if err := os.WriteFile(path, []byte(png), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	up, err := client.UploadMediaFile(context.Background(), "image", path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(up.Type, up.MediaID != "")
	// Output: image true
}

func ExampleClient_UploadMediaFrom() {
	_, client, stop := account()
	defer stop()
	up, err := client.UploadMediaFrom(context.Background(), "voice", "hello.amr", strings.NewReader("#!AMR\n…"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(up.Type, up.MediaID != "")
	// Output: voice true
}

// Without a MediaStore the file comes in the answer.
func ExampleClient_GetMedia() {
	_, client, stop := account()
	defer stop()
	ctx := context.Background()
	up, err := client.UploadMediaFrom(ctx, "image", "cat.png", strings.NewReader(png))
	if err != nil {
		fmt.Println(err)
		return
	}
	down, err := client.GetMedia(ctx, &wxapi.GetMediaRequest{MediaID: up.MediaID})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(down.Media.ContentType, bytes.Equal(down.Media.Base64, []byte(png)))
	// Output: image/png true
}

func ExampleClient_DownloadMedia() {
	_, client, stop := account()
	defer stop()
	ctx := context.Background()
	up, err := client.UploadMediaFrom(ctx, "image", "cat.png", strings.NewReader(png))
	if err != nil {
		fmt.Println(err)
		return
	}
	home, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(home)
	dir := filepath.Join(home, "pictures") // made if it is not there
	path, err := client.DownloadMedia(ctx, up.MediaID, dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(path == filepath.Join(dir, up.MediaID+".png"))
	// Output: true
}

// One call for all types: MsgType says which.
func ExampleClient_SendCustomMessage() {
	sim, client, stop := account("o_alice")
	defer stop()
	_, err := client.SendCustomMessage(context.Background(), &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "text", Text: &wxapi.Text{Content: "你好 <b> & hello"},
	})
	fmt.Println(err, sim.Inbox("o_alice")[0].Text)
	// Output: <nil> 你好 <b> & hello
}

func ExampleClient_SendCustomMessage_image() {
	_, client, stop := account("o_alice")
	defer stop()
	ctx := context.Background()
	up, err := client.UploadMediaFrom(ctx, "image", "cat.png", strings.NewReader(png))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "image", Image: &wxapi.MediaID{MediaID: up.MediaID},
	})
	fmt.Println("sent:", err == nil)
	// Output: sent: true
}

func ExampleClient_SendCustomMessage_voice() {
	_, client, stop := account("o_alice")
	defer stop()
	ctx := context.Background()
	up, err := client.UploadMediaFrom(ctx, "voice", "hello.amr", strings.NewReader("#!AMR\n…"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "voice", Voice: &wxapi.MediaID{MediaID: up.MediaID},
	})
	fmt.Println("sent:", err == nil)
	// Output: sent: true
}

func ExampleClient_SendCustomMessage_video() {
	_, client, stop := account("o_alice")
	defer stop()
	ctx := context.Background()
	up, err := client.UploadMediaFrom(ctx, "video", "cat.mp4", strings.NewReader("\x00\x00\x00\x18ftypmp42…"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "video", Video: &wxapi.Video{MediaID: up.MediaID, Title: "A cat"},
	})
	fmt.Println("sent:", err == nil)
	// Output: sent: true
}

func ExampleClient_SendCustomMessage_music() {
	sim, client, stop := account("o_alice")
	defer stop()
	ctx := context.Background()
	cover, err := client.UploadMediaFrom(ctx, "thumb", "cover.jpg", strings.NewReader("\xff\xd8\xff…"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "music",
		Music: &wxapi.Music{Title: "Song", MusicURL: "https://shop.example.com/song.mp3", ThumbMediaID: cover.MediaID},
	})
	fmt.Println(err, sim.Inbox("o_alice")[0].Text)
	// Output: <nil> Song [music https://shop.example.com/song.mp3]
}

func ExampleClient_SendCustomMessage_news() {
	sim, client, stop := account("o_alice")
	defer stop()
	_, err := client.SendCustomMessage(context.Background(), &wxapi.SendCustomMessageRequest{
		ToUser: "o_alice", MsgType: "news",
		News: &wxapi.News{Articles: []wxapi.Article{{Title: "Sale", URL: "https://shop.example.com/sale"}}}, // exactly one
	})
	fmt.Println(err, sim.Inbox("o_alice")[0].Text)
	// Output: <nil> Sale [news https://shop.example.com/sale]
}

func ExampleClient_GetGroups() {
	_, client, stop := account("o_alice")
	defer stop()
	got, err := client.GetGroups(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Groups)
	// Output: [{0 未分组 1} {1 黑名单 0} {2 星标组 0}]
}

func ExampleClient_CreateGroup() {
	_, client, stop := account()
	defer stop()
	made, err := client.CreateGroup(context.Background(), &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "friends"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(made.Group.ID, made.Group.Name)
	// Output: 100 friends
}

func ExampleClient_UpdateGroup() {
	_, client, stop := account()
	defer stop()
	ctx := context.Background()
	made, err := client.CreateGroup(ctx, &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "friends"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.UpdateGroup(ctx, &wxapi.UpdateGroupRequest{Group: wxapi.NamedGroup{ID: made.Group.ID, Name: "good friends"}})
	fmt.Println("renamed:", err == nil)
	// Output: renamed: true
}

func ExampleClient_UpdateGroupOfUser() {
	_, client, stop := account("o_alice")
	defer stop()
	const starred = 2 // is always there
	_, err := client.UpdateGroupOfUser(context.Background(), &wxapi.UpdateGroupOfUserRequest{OpenID: "o_alice", ToGroupID: starred})
	fmt.Println("moved:", err == nil)
	// Output: moved: true
}

func ExampleClient_GetUserInfo() {
	_, client, stop := account("o_alice")
	defer stop()
	info, err := client.GetUserInfo(context.Background(), &wxapi.GetUserInfoRequest{OpenID: "o_alice", Lang: "en"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.OpenID, info.Subscribe == 1)
	// Output: o_alice true
}

func ExampleClient_GetUserList() {
	_, client, stop := account("o_alice", "o_bob")
	defer stop()
	page, err := client.GetUserList(context.Background(), &wxapi.GetUserListRequest{NextOpenID: "o_alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Total, page.Data.OpenID)
	// Output: 2 [o_bob]
}

func ExampleClient_AllUsers() {
	_, client, stop := account("o_alice", "o_bob")
	defer stop()
	for openID, err := range client.AllUsers(context.Background()) {
		fmt.Println(openID, err)
	}
	// Output:
	// o_alice <nil>
	// o_bob <nil>
}

func ExampleClient_GetOAuthAuthorizeURL() {
	_, client, stop := account()
	defer stop()
	to, err := client.GetOAuthAuthorizeURL(context.Background(), &wxapi.GetOAuthAuthorizeURLRequest{
		RedirectURI: "https://shop.example.com/back", Scope: "snsapi_base", State: "123",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to.URL)
	// Output: https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef&redirect_uri=https%3A%2F%2Fshop.example.com%2Fback&response_type=code&scope=snsapi_base&state=123#wechat_redirect
}

func ExampleClient_GetOAuthAccessToken() {
	sim, client, stop := account()
	defer stop()
	code, _ := sim.Authorize("o_alice", "snsapi_base") // with WeChat: the query value code of the redirect_uri
	token, err := client.GetOAuthAccessToken(context.Background(), &wxapi.GetOAuthAccessTokenRequest{Code: code})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.OpenID, token.Scope)
	// Output: o_alice snsapi_base
}

func ExampleClient_RefreshOAuthAccessToken() {
	sim, client, stop := account()
	defer stop()
	ctx := context.Background()
	code, _ := sim.Authorize("o_alice", "snsapi_base")
	token, err := client.GetOAuthAccessToken(ctx, &wxapi.GetOAuthAccessTokenRequest{Code: code})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err = client.RefreshOAuthAccessToken(ctx, &wxapi.RefreshOAuthAccessTokenRequest{RefreshToken: token.RefreshToken})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(token.OpenID, token.ExpiresIn)
	// Output: o_alice 7200
}

// The user's token is passed: a client serves many users at a time.
func ExampleClient_GetSnsapiUserinfo() {
	sim, client, stop := account()
	defer stop()
	ctx := context.Background()
	code, _ := sim.Authorize("o_alice", "snsapi_userinfo")
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
	// Output: o_alice 微信用户
}

func ExampleClient_CreateMenu() {
	_, client, stop := account()
	defer stop()
	_, err := client.CreateMenu(context.Background(), &wxapi.CreateMenuRequest{Button: []wxapi.Button{
		{Type: "click", Name: "今日歌曲", Key: "V1001_TODAY_MUSIC"},
		{Name: "菜单", SubButton: []wxapi.SubButton{{Type: "view", Name: "搜索", URL: "https://shop.example.com/?a=1&b=2"}}},
	}})
	fmt.Println("made:", err == nil)
	// Output: made: true
}

func ExampleClient_DeleteMenu() {
	_, client, stop := account()
	defer stop()
	_, err := client.DeleteMenu(context.Background(), nil)
	fmt.Println("deleted:", err == nil)
	// Output: deleted: true
}

// No menu is no error.
func ExampleClient_GetMenu() {
	_, client, stop := account()
	defer stop()
	got, err := client.GetMenu(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(got.Menu == nil)
	// Output: true
}

func ExampleClient_CreateQRCode() {
	_, client, stop := account()
	defer stop()
	code, err := client.CreateQRCode(context.Background(), &wxapi.CreateQRCodeRequest{
		ActionName: "QR_LIMIT_SCENE", ActionInfo: wxapi.ActionInfo{Scene: wxapi.Scene{SceneID: 100_000}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(code.Ticket != "", code.ExpireSeconds)
	// Output: true 0
}

func ExampleClient_CreateQRCode_temporary() {
	_, client, stop := account()
	defer stop()
	code, err := client.CreateQRCode(context.Background(), &wxapi.CreateQRCodeRequest{
		ActionName: "QR_STR_SCENE", ExpireSeconds: 2_592_000, // 30 days, the longest
		ActionInfo: wxapi.ActionInfo{Scene: wxapi.Scene{SceneStr: "order 4711"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(code.Ticket != "", code.ExpireSeconds)
	// Output: true 2592000
}

func ExampleClient_GetQRCodeURL() {
	client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret})
	if err != nil {
		fmt.Println(err)
		return
	}
	at, err := client.GetQRCodeURL(context.Background(), &wxapi.GetQRCodeURLRequest{Ticket: "gQH4+/Q=="})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(at.URL)
	// Output: https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH4%2B%2FQ%3D%3D
}
