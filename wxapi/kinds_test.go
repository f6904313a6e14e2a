package wxapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// Rows that are not in the registry work too: a program can reach an API for
// which there is no verb yet.
func TestKindsOfCredential(t *testing.T) {
	const mine = "89_caller_token_caller_token_caller"
	for _, test := range []struct {
		row        wxapi.Row
		data, want string // want: query and body
	}{
		{
			wxapi.Row{Auth: wxapi.AppSecret, Method: "GET", Body: wxapi.Query, Fixed: map[string]string{"grant_type": "authorization_code"}},
			`{"code":"C"}`, "code=C&grant_type=authorization_code&appid=" + appID + "&secret=" + appSecret + " ",
		},
		{wxapi.Row{Auth: wxapi.AppID, Method: "GET", Body: wxapi.Query}, `{"refresh_token":"R"}`, "refresh_token=R&appid=" + appID + " "},
		{wxapi.Row{Auth: wxapi.CallerToken, Method: "GET", Body: wxapi.Query}, `{"access_token":"` + mine + `","openid":"o"}`, "openid=o&access_token=" + mine + " "},
		{
			wxapi.Row{Auth: wxapi.CallerToken, Method: "POST", Query: []string{"n", "b", "z"}},
			`{"access_token":"` + mine + `","n":12345678901234567890,"b":true,"z":null,"x":{"y":[1.50]}}`,
			"b=true&n=12345678901234567890&access_token=" + mine + ` {"x":{"y":[1.50]}}`,
		},
	} {
		var got string
		var p *platform
		p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			calls, _ := p.seen()
			got = r.URL.RawQuery + " " + string(calls[0].Body)
			fmt.Fprint(w, `{"errcode":0}`)
		})
		test.row.Name, test.row.Path = "an_odd_verb", "/sns/odd"
		if _, err := p.client(t).CallJSON(t.Context(), &test.row, []byte(test.data)); err != nil || got != test.want {
			t.Errorf("%s: %v\nsent %s\nwant %s", test.row.Auth, err, got, test.want)
		}
		if _, tokens := p.seen(); tokens != 0 {
			t.Errorf("%s: the account's token was fetched", test.row.Auth)
		}
	}
}

// The caller's token is the caller's to refresh.
func TestCallersTokenIsNotRefreshed(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":40001,"errmsg":"invalid credential"}`))
	row := &wxapi.Row{Name: "odd", Path: "/x", Method: "GET", Auth: wxapi.CallerToken, Body: wxapi.Query}
	result, err := p.client(t).CallJSON(t.Context(), row, []byte(`{"access_token":"89_caller_token"}`))
	refused, isRefusal := errors.AsType[*wxapi.Error](err)
	if _, tokens := p.seen(); !isRefusal || refused.Class != wxapi.ClassPermanent || result.Requests != 1 || tokens != 0 {
		t.Errorf("%v", err)
	}
}

func TestKindsRefuse(t *testing.T) {
	p := newPlatform(t, ok)
	for _, test := range []struct {
		row           wxapi.Row
		data, problem string
	}{
		{wxapi.Row{Auth: wxapi.CallerToken}, `{}`, "access_token: is missing"},
		{wxapi.Row{Body: wxapi.Query}, `{"a":[1]}`, "a: must be a string, number or boolean"},
		{wxapi.Row{Body: wxapi.Local}, `{}`, "must be one of Verbs"},
		{wxapi.Row{Body: wxapi.Upload}, `{}`, "must be one of Verbs"},
	} {
		_, err := p.client(t).CallJSON(t.Context(), &test.row, []byte(test.data))
		if _, isRequest := errors.AsType[*wxapi.RequestError](err); !isRequest || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%v", err)
		}
	}
	if calls, tokens := p.seen(); len(calls)+tokens != 0 {
		t.Error("somebody was called")
	}
}

func TestNumbersAndStringsAreTakenForEachOther(t *testing.T) {
	p := newPlatform(t, says(200, `{"groups":[{"id":"107","name":5,"count":3}]}`))
	got, err := p.client(t).GetGroups(t.Context(), nil)
	if err != nil || len(got.Groups) != 1 || got.Groups[0] != (wxapi.Group{ID: 107, Name: "5", Count: 3}) {
		t.Errorf("%+v, %v", got, err)
	}
}
