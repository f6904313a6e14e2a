package wxsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// errcode is the errcode of a refusal, 0 for none.
func errcode(t *testing.T, err error) int {
	t.Helper()
	var refused *wxapi.Error
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return 0
	}
	return refused.Code
}

// authorize is what a browser brings back.
func (w *world) authorize(openID, scope string) string {
	w.t.Helper()
	status, body := w.do("POST", "/_sim/followers/"+openID+"/authorize", `{"scope":"`+scope+`","state":"s1"}`)
	var got struct{ Code, State string }
	if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil || got.Code == "" || got.State != "s1" {
		w.t.Fatalf("authorize answered %d %s", status, body)
	}
	return got.Code
}

func TestOAuth(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	exchange := func(code string) (*wxapi.OAuthToken, int) {
		got, err := client.GetOAuthAccessToken(ctx, &wxapi.GetOAuthAccessTokenRequest{Code: code})
		return got, errcode(t, err)
	}
	refresh := func(token string) (*wxapi.OAuthToken, int) {
		got, err := client.RefreshOAuthAccessToken(ctx, &wxapi.RefreshOAuthAccessTokenRequest{RefreshToken: token})
		return got, errcode(t, err)
	}
	check := func(token, openID string) int {
		_, err := client.CheckOAuthAccessToken(ctx, &wxapi.CheckOAuthAccessTokenRequest{AccessToken: token, OpenID: openID})
		return errcode(t, err)
	}
	profile := func(token, openID string) (*wxapi.SnsapiUserinfo, int) {
		got, err := client.GetSnsapiUserinfo(ctx, &wxapi.GetSnsapiUserinfoRequest{AccessToken: token, OpenID: openID})
		return got, errcode(t, err)
	}

	code := w.authorize(alice, "snsapi_userinfo")
	token, failed := exchange(code)
	if failed != 0 || token.OpenID != alice || token.ExpiresIn != 7200 || token.Scope != "snsapi_userinfo" {
		t.Fatalf("%+v, %d", token, failed)
	}
	if _, again := exchange(code); again != 40163 {
		t.Errorf("a code twice: %d", again)
	}
	if _, made := exchange("made_up"); made != 40029 {
		t.Errorf("a made-up code: %d", made)
	}
	if user, failed := profile(token.AccessToken, alice); failed != 0 || user.Nickname != "微信用户" || user.OpenID != alice {
		t.Errorf("%+v, %d", user, failed)
	}
	base, failed := exchange(w.authorize("o_bob", "snsapi_base"))
	if _, denied := profile(base.AccessToken, "o_bob"); failed != 0 || denied != 48001 {
		t.Errorf("profile with snsapi_base: %d", denied)
	}
	_, nobody := profile("nonsense", alice)
	if got := fmt.Sprint(nobody, check(token.AccessToken, alice), check(token.AccessToken, "o_bob"), check(w.token(), alice)); got != "40001 0 40003 40001" {
		t.Errorf("errcodes %s", got)
	}

	w.hand.forward(time.Hour)
	if same, failed := refresh(token.RefreshToken); failed != 0 || same.AccessToken != token.AccessToken || same.ExpiresIn != 7200 {
		t.Errorf("refreshed in time: %d, %d s", failed, same.ExpiresIn)
	}
	w.hand.forward(2 * time.Hour)
	if expired := check(token.AccessToken, alice); expired != 42001 {
		t.Errorf("an old token: %d", expired)
	}
	fresh, failed := refresh(token.RefreshToken)
	if failed != 0 || fresh.AccessToken == token.AccessToken || check(fresh.AccessToken, alice) != 0 {
		t.Errorf("refreshed late: %+v, %d", fresh, failed)
	}
	_, unknown := refresh("nonsense")
	w.hand.forward(30 * 24 * time.Hour)
	if _, over := refresh(token.RefreshToken); unknown != 40030 || over != 42002 {
		t.Errorf("refresh_token: unknown %d, over %d", unknown, over)
	}

	late := w.authorize(alice, "snsapi_base")
	w.hand.forward(5 * time.Minute)
	_, over := exchange(late)
	w.hand.forward(6 * time.Minute)
	if _, forgotten := exchange(late); over != 42003 || forgotten != 40029 {
		t.Errorf("a late code: %d, then %d", over, forgotten)
	}
}

// TestOAuthMistakes: what a client of ours would not send.
func TestOAuthMistakes(t *testing.T) {
	w := newWorld(t, nil)
	app, secret := "appid="+testAppID, "&secret="+testSecret
	for path, want := range map[string]int{
		"oauth2/access_token?" + app + secret + "&code=x":                         40002,
		"oauth2/access_token?" + app + secret + "&grant_type=authorization_code":  41008,
		"oauth2/access_token?" + app + "&secret=x&code=x":                         40125,
		"oauth2/refresh_token?" + app + "&refresh_token=x":                        40002,
		"oauth2/refresh_token?" + app + "&grant_type=refresh_token":               41003,
		"oauth2/refresh_token?appid=wx1&grant_type=refresh_token&refresh_token=x": 40013,
		"userinfo?openid=o_alice":                                                 41001,
		"userinfo?access_token=x":                                                 41009,
		"auth?access_token=x&openid=":                                             41009,
	} {
		if got, answer := w.raw("GET", "/sns/"+path, ""); got != want {
			t.Errorf("%s: %v, want %d", path, answer, want)
		}
	}
	for path, body := range map[string]string{"o_alice": `{"scope":"snsapi_login"}`, "a.b": `{"scope":"snsapi_base"}`, "o_bob": `{}`, "o_carol": `{"scopes":"x"}`} {
		if status, text := w.do("POST", "/_sim/followers/"+path+"/authorize", body); status != 400 {
			t.Errorf("%s %s: %d %s", path, body, status, text)
		}
	}
	code := w.authorize(alice, "snsapi_base")
	resp, err := http.Get(w.url + "/sns/oauth2/access_token?grant_type=authorization_code&" + app + secret + "&code=" + code)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("Content-Type %q", got)
	}
	if seen := fmt.Sprint(w.Calls()); strings.Contains(seen, code) || strings.Contains(seen, testSecret) {
		t.Errorf("the calls show a credential: %s", seen)
	}
}

// TestTickets: one for all until it is over, whatever becomes of the token.
func TestTickets(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	first, err := client.GetJSAPITicket(ctx, nil)
	if err != nil || first.ExpiresIn != 7200 {
		t.Fatalf("%+v, %v", first, err)
	}
	w.ExpireTokens()
	w.hand.forward(time.Hour)
	second, err := client.GetJSAPITicket(ctx, &wxapi.GetJSAPITicketRequest{Type: "jsapi"})
	if err != nil || second.Ticket != first.Ticket || second.ExpiresIn != 3600 {
		t.Errorf("%+v, %v", second, err)
	}
	if card, err := client.GetJSAPITicket(ctx, &wxapi.GetJSAPITicketRequest{Type: "wx_card"}); err != nil || card.Ticket == first.Ticket {
		t.Errorf("%+v, %v", card, err)
	}
	w.hand.forward(time.Hour)
	if third, err := client.GetJSAPITicket(ctx, nil); err != nil || third.Ticket == first.Ticket {
		t.Errorf("%+v, %v", third, err)
	}
	if code, _ := w.api("GET", "/cgi-bin/ticket/getticket?type=x", ""); code != 40097 {
		t.Errorf("unknown type: %d", code)
	}
}

// TestCallAPI: the client's own way to what is no verb, here to one that is.
func TestCallAPI(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	made, err := client.CallAPI(ctx, &wxapi.CallAPIRequest{Method: "POST", Path: "/cgi-bin/tags/create", Body: map[string]any{"tag": map[string]string{"name": "a&b"}}})
	if err != nil || !strings.Contains(string((*made)["tag"]), `"a&b"`) {
		t.Errorf("%v, %v", made, err)
	}
	_, err = client.CallAPI(ctx, &wxapi.CallAPIRequest{Method: "GET", Path: "/cgi-bin/nothing"})
	if got := errcode(t, err); got != 40066 {
		t.Errorf("an unknown path: %d", got)
	}
}
