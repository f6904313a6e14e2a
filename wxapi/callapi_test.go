package wxapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

func TestCallAPI(t *testing.T) {
	var got string
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		got = dump(r)
		fmt.Fprint(w, `{"id":12345678901234567890}`)
	})
	p.token = "TOKEN"
	client := p.client(t)
	for _, test := range []struct{ data, want string }{
		{`{"method":"GET","path":"/cgi-bin/odd","query":{"b":"x&y=z","a":1,"c":true}}`, "GET /cgi-bin/odd?a=1&b=x%26y%3Dz&c=true&access_token=TOKEN\n\n\n"},
		{`{"method":"POST","path":"/cgi-bin/odd","body":{"n":12345678901234567890,"s":"<好>","appid":"a"}}`, "POST /cgi-bin/odd?access_token=TOKEN\nContent-Type: application/json\n\n" + `{"n":12345678901234567890,"s":"<好>","appid":"a"}` + "\n"},
		{`{"method":"POST","path":"/customservice/kfsession/create","query":null}`, "POST /customservice/kfsession/create?access_token=TOKEN\nContent-Type: application/json\n\n{}\n"},
	} {
		result, err := client.CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(test.data))
		if err != nil || got != test.want || string(result.Response) != `{"id":12345678901234567890}` || result.Requests != 1 {
			t.Errorf("%s: %v, %s\nsent %q\nwant %q", test.data, err, result.Response, got, test.want)
		}
	}
	typed, err := client.CallAPI(t.Context(), &wxapi.CallAPIRequest{Method: "POST", Path: "/cgi-bin/odd", Query: map[string]any{"a": 1}, Body: struct {
		S string `json:"s"`
	}{"x"}})
	if err != nil || string((*typed)["id"]) != "12345678901234567890" || !strings.Contains(got, "?a=1&") || !strings.Contains(got, `{"s":"x"}`) {
		t.Errorf("%v, %v, %s", typed, err, got)
	}
}

func TestCallAPIRefuses(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t)
	path := func(p string) string { return fmt.Sprintf(`{"method":"GET","path":%q}`, p) }
	for data, problem := range map[string]string{
		`{}`:                                                        "method: is missing",
		`{"method":"PUT","path":"/a"}`:                              "method: ",
		`{"method":"GET"}`:                                          "path: is missing",
		path("cgi-bin/odd"):                                         "path: must be a path",
		path("https://evil.example/a"):                              "path: must be a path",
		path("//evil.example/a"):                                    "path: must be a path",
		path("/cgi-bin/../sns/auth"):                                "path: must be a path",
		path("/cgi-bin//token"):                                     "path: must be a path",
		path("/cgi-bin/token/"):                                     "path: must be a path",
		path("/cgi-bin/%74oken"):                                    "path: must be a path",
		path("/cgi-bin/odd?a=1"):                                    "path: must be a path",
		path("/cgi-bin/odd#a"):                                      "path: must be a path",
		path("/cgi-bin\\token"):                                     "path: must be a path",
		path("/cgi-bin/odd\n"):                                      "path: must be a path",
		path("/cgi-bin/token"):                                      "path: is not allowed",
		path("/cgi-bin/TOKEN"):                                      "path: is not allowed",
		path("/cgi-bin/stable_token"):                               "path: is not allowed",
		path("/cgi-bin/ticket/getticket"):                           "path: is not allowed",
		path("/cgi-bin/clear_quota/v2"):                             "path: is not allowed",
		path("/sns/oauth2/access_token"):                            "path: is not allowed",
		`{"method":"GET","path":"/a","query":[]}`:                   "query: must be an object",
		`{"method":"GET","path":"/a","query":{"a":[1]}}`:            "query.a: must be a string",
		`{"method":"GET","path":"/a","query":{"Access_Token":"x"}}`: "query.Access_Token: comes from",
		`{"method":"POST","path":"/a","body":{"secret":"x"}}`:       "body.secret: comes from",
		`{"method":"POST","path":"/a","body":[1]}`:                  "body: must be an object",
		`{"method":"GET","path":"/a","body":{}}`:                    "body: is not for a GET",
		`{"method":"GET","path":"/a","access_token":"x"}`:           "access_token: comes from",
	} {
		_, err := client.CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(data))
		if _, isRequest := errors.AsType[*wxapi.RequestError](err); !isRequest || !strings.Contains(err.Error(), "call_api: "+problem) {
			t.Errorf("%s: %v", data, err)
		}
	}
	if calls, tokens := p.seen(); len(calls)+tokens != 0 {
		t.Error("somebody was called")
	}
}

// Only what the configuration names is let through, and what carries
// credentials only by its whole name.
func TestCallAPIAllow(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) {
		c.CallAPIAllow = []string{"/cgi-bin/comment/*", "/datacube/getusersummary", "/sns/*", "/cgi-bin/ticket/getticket"}
	})
	for path, allowed := range map[string]bool{
		"/cgi-bin/comment/list": true, "/datacube/getusersummary": true, "/cgi-bin/ticket/getticket": true,
		"/datacube/getusersummaryhour": false, "/cgi-bin/comment": false, "/sns/auth": false, "/cgi-bin/menu/get": false,
	} {
		_, err := client.CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(`{"method":"GET","path":"`+path+`"}`))
		if (err == nil) != allowed {
			t.Errorf("%s: %v", path, err)
		}
	}
	nothing := p.client(t, func(c *wxapi.Config) { c.CallAPIAllow = []string{} })
	if _, err := nothing.CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(`{"method":"GET","path":"/cgi-bin/menu/get"}`)); err == nil {
		t.Error("an empty list allows something")
	}
	_, err := wxapi.New(wxapi.Config{AppID: "a", AppSecret: "s", CallAPIAllow: []string{"cgi-bin/x", "/a*b", "*", "/ok/*"}})
	if err == nil || strings.Count(err.Error(), "CallAPIAllow") != 2 {
		t.Error(err)
	}
}

// An answer that says nothing is no success, and a lost one no reason to ask
// again.
func TestCallAPINeedsAnAnswer(t *testing.T) {
	for _, answer := range []string{`{}`, `null`, `[]`, `"ok"`, `<html>`, ``, `{"a":`} {
		p := newPlatform(t, says(200, answer))
		_, err := p.client(t).CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(`{"method":"GET","path":"/cgi-bin/odd"}`))
		if _, doubtful := errors.AsType[*wxapi.AnswerError](err); !doubtful {
			t.Errorf("%q: %v", answer, err)
		}
	}
	if wxapi.CallAPI.Retry != wxapi.Unsafe {
		t.Errorf("Retry is %s", wxapi.CallAPI.Retry)
	}
	p := newPlatform(t, says(200, `{"errcode":40066,"errmsg":"invalid url"}`))
	_, err := p.client(t).CallJSON(t.Context(), wxapi.CallAPI.Row, []byte(`{"method":"GET","path":"/cgi-bin/odd"}`))
	if refused, ok := errors.AsType[*wxapi.Error](err); !ok || refused.Verb != "call_api" || refused.Class != wxapi.ClassBug {
		t.Error(err)
	}
}
