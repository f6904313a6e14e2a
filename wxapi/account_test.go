package wxapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// pages answers user/get as a test wants it, by next_openid.
func pages(answers map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Query().Get("next_openid")]) }
}

// A walk ends, whatever WeChat answers.
func TestAllUsers(t *testing.T) {
	const data = `"data":{"openid":["o1","o2"]}`
	for name, test := range map[string]struct {
		answers map[string]string
		want    string
		calls   int
	}{
		"two pages": {map[string]string{
			"":   `{"total":3,"count":2,` + data + `,"next_openid":"o2"}`,
			"o2": `{"total":3,"count":1,"data":{"openid":["o3"]},"next_openid":"o3"}`,
			"o3": `{"total":3,"count":0,"next_openid":""}`,
		}, "[o1 o2 o3]", 3},
		"nobody":        {map[string]string{"": `{"total":0,"count":0,"next_openid":""}`}, "[]", 1},
		"count 0":       {map[string]string{"": `{"total":2,"count":0,"next_openid":"o9"}`}, "[]", 1},
		"strings":       {map[string]string{"": `{"total":"2","count":"2",` + data + `,"next_openid":""}`}, "[o1 o2]", 1},
		"null":          {map[string]string{"": `{"total":2,"count":0,"data":null,"next_openid":""}`}, "[]", 1},
		"on the spot":   {map[string]string{"": `{"total":2,"count":2,` + data + `,"next_openid":"o2"}`, "o2": `{"total":2,"count":2,` + data + `,"next_openid":"o2"}`}, "[o1 o2 o1 o2]", 2},
		"in a circle":   {map[string]string{"": `{"total":2,"count":1,"data":{"openid":["o1"]},"next_openid":"a"}`, "a": `{"total":2,"count":1,"data":{"openid":["o2"]},"next_openid":"b"}`, "b": `{"total":2,"count":1,"data":{"openid":["o3"]},"next_openid":"a"}`}, "[o1 o2 o3]", 3},
		"fails midways": {map[string]string{"": `{"total":3,"count":2,` + data + `,"next_openid":"o2"}`, "o2": `{"errcode":48001,"errmsg":"api unauthorized"}`}, "[o1 o2 48001]", 2},
	} {
		p := newPlatform(t, pages(test.answers))
		got := []string{}
		for openID, err := range p.client(t).AllUsers(t.Context()) {
			if refused, ok := errors.AsType[*wxapi.Error](err); ok {
				openID = fmt.Sprint(refused.Code)
			}
			got = append(got, openID)
		}
		if calls, _ := p.seen(); fmt.Sprint(got) != test.want || len(calls) != test.calls {
			t.Errorf("%s: %v by %d calls", name, got, len(calls))
		}
	}
	p := newPlatform(t, pages(map[string]string{"": `{"total":3,"count":2,` + data + `,"next_openid":"o2"}`}))
	for _, err := range p.client(t).AllUsers(t.Context()) {
		if err == nil {
			break
		}
		t.Error(err)
	}
	if calls, _ := p.seen(); len(calls) != 1 {
		t.Errorf("%d calls for one OpenID", len(calls))
	}
}

// 46003 is how WeChat says that there is no menu; what it can't say is that
// the question failed.
func TestNoMenuIsAnAnswer(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":46003,"errmsg":"menu no exist rid: 61725984-6126f6f9-040f19c4"}`))
	got, err := p.client(t).GetMenu(t.Context(), nil)
	if err != nil || got.Menu != nil || got.ConditionalMenu != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.client(t).MatchMenu(t.Context(), &wxapi.MatchMenuRequest{UserID: "o"}); err == nil {
		t.Error("no menu for a user is a refusal")
	}
	p = newPlatform(t, says(200, `{"menu":{"button":[{"name":"n","sub_button":[{"type":"click","name":"n","key":"k","sub_button":[]}]}],"menuid":"208396938"}}`))
	if got, err = p.client(t).GetMenu(t.Context(), nil); err != nil || got.Menu.MenuID != 208396938 || got.Menu.Button[0].SubButton[0].Key != "k" {
		t.Errorf("%+v, %v", got, err)
	}
	// What was read can be sent again.
	if _, err = wxapi.CreateMenu.Check([]byte(`{"button":[{"name":"n","sub_button":[{"type":"click","name":"n","key":"k","sub_button":[]}]}]}`)); err != nil {
		t.Error(err)
	}
}

// A menu with a \u in it is refused with 40033.
func TestMenusAreRawUTF8(t *testing.T) {
	p := newPlatform(t, ok)
	_, err := p.client(t).CreateMenu(t.Context(), &wxapi.CreateMenuRequest{Button: []wxapi.Button{
		{Name: "<&>\u2028\x01", SubButton: []wxapi.SubButton{{Type: "view", Name: "搜索 😀", URL: "http://www.example.com/?a=1&b=2"}}},
	}})
	calls, _ := p.seen()
	want := `{"button":[{"name":"<&>\n","sub_button":[{"type":"view","name":"搜索 😀","url":"http://www.example.com/?a=1&b=2"}]}]}`
	if err != nil || string(calls[0].Body) != want {
		t.Errorf("%v, sent %s", err, calls[0].Body)
	}
}

// The old page shows {} for a deleted group; nothing else may prove it by less
// than a key.
func TestEmptyAnswers(t *testing.T) {
	p := newPlatform(t, says(200, `{}`))
	client := p.client(t)
	if _, err := client.DeleteGroup(t.Context(), &wxapi.DeleteGroupRequest{Group: wxapi.GroupID{ID: 108}}); err != nil {
		t.Error(err)
	}
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Local || slices.Contains(row.Proof, wxapi.NoKey) {
			continue
		}
		result, err := client.CallJSON(t.Context(), row, sample(t, row, "request.json"))
		if _, doubtful := errors.AsType[*wxapi.AnswerError](err); !doubtful {
			t.Errorf("%s takes {} for a success: %s, %v", row.Name, result.Response, err)
		}
	}
}

// A code, a refresh_token and a user's token are shown to nobody: not in an
// error, not to what is wrapped around the transport.
func TestCallersCredentialsStayHidden(t *testing.T) {
	const secret = "011abcDEF_secret_of_the_caller"
	for _, test := range []struct{ verb, data string }{
		{"get_oauth_access_token", `{"code":"` + secret + `"}`},
		{"refresh_oauth_access_token", `{"refresh_token":"` + secret + `"}`},
		{"get_snsapi_userinfo", `{"access_token":"` + secret + `","openid":"` + openID + `"}`},
		{"check_oauth_access_token", `{"access_token":"` + secret + `","openid":"` + openID + `"}`},
	} {
		arrived, shown := false, ""
		p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			arrived = strings.Contains(r.URL.RawQuery, secret)
			fmt.Fprintf(w, `{"errcode":40029,"errmsg":"invalid code %s or %s"}`, secret, openID)
		})
		client := p.client(t, func(c *wxapi.Config) {
			c.Wrap = func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					shown = r.URL.String()
					return next.RoundTrip(r)
				})
			}
		})
		row, _ := wxapi.Lookup(test.verb)
		result, err := client.CallJSON(t.Context(), row, []byte(test.data))
		if !row.CallOnly || !arrived || err == nil || strings.Contains(shown+err.Error()+string(result.Response), secret) {
			t.Errorf("%s: %s: %v: %s", test.verb, shown, err, result.Response)
		}
		if _, tokens := p.seen(); tokens != 0 {
			t.Errorf("%s: the account's token was fetched", test.verb)
		}
	}
}

// Whose is it when a credential is refused?
func TestClassesOfOAuth(t *testing.T) {
	for _, test := range []struct {
		verb string
		code int
		want wxapi.Class
	}{
		{"get_oauth_access_token", 40029, wxapi.ClassPermanent},
		{"get_oauth_access_token", 40163, wxapi.ClassPermanent},
		{"get_oauth_access_token", 42003, wxapi.ClassPermanent},
		{"get_oauth_access_token", 40125, wxapi.ClassConfig},
		{"get_oauth_access_token", 40001, wxapi.ClassConfig},
		{"refresh_oauth_access_token", 40030, wxapi.ClassPermanent},
		{"refresh_oauth_access_token", 42002, wxapi.ClassPermanent},
		{"get_snsapi_userinfo", 40001, wxapi.ClassPermanent},
		{"get_snsapi_userinfo", 42001, wxapi.ClassPermanent},
		{"get_snsapi_userinfo", 48001, wxapi.ClassBug},
		{"check_oauth_access_token", 40001, wxapi.ClassPermanent},
		{"get_jsapi_ticket", 40001, wxapi.ClassToken},
		{"get_menu", 46003, wxapi.ClassOK},
		{"create_menu", 46003, wxapi.ClassPermanent},
		{"create_menu", 40022, wxapi.ClassBug},
	} {
		row, _ := wxapi.Lookup(test.verb)
		if got := wxapi.Classify(row, test.code); got != test.want {
			t.Errorf("%s: %d is %s, want %s", test.verb, test.code, got, test.want)
		}
	}
}

// Vector J1 is from WeChat's own appendix, the second from WxJava's tests.
func TestSignJSAPI(t *testing.T) {
	for _, test := range []struct {
		ticket, nonce string
		timestamp     int64
		url, want     string
	}{
		{
			"sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
			"Wm3WZYTPz0wzccnW", 1414587457, "http://mp.weixin.qq.com?params=value#more", "0f9de62fce790f9a083d5c99e95740ceb90c27ed",
		},
		{
			"bxLdikRXVbTPdHSM05e5u4RbEYQn7pNQMPrfzl8lJNb1foLDa3HIwI3BRMkQmSO_5F64VFa75uURcq6Uz7QHgA",
			"82693e11-b9bc-448e-892f-f5289f46cd0f", 1419835025,
			"http://omstest.vmall.com:23568/thirdparty/wechat/vcode/gotoshare?quantity=1&batchName=MATE7", "c6f04b64d6351d197b71bd23fb7dd2d44c0db486",
		},
	} {
		if got := wxapi.SignJSAPI(test.ticket, test.nonce, test.timestamp, test.url); got != test.want {
			t.Errorf("%s: %s, want %s", test.url, got, test.want)
		}
	}
}
