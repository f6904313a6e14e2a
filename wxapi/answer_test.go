package wxapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

var answers = []struct {
	name   string
	status int
	body   string
	code   int    // of a refusal
	reason string // of a doubt
}{
	{name: "ok", status: 200, body: `{"errcode":0,"errmsg":"ok"}`},
	{name: "ok as a string", status: 200, body: `{"errcode":"0"}`},
	{name: "ok with a BOM", status: 200, body: "\uFEFF{\"errcode\":0}"},
	{name: "ok with a control character", status: 200, body: "{\"errcode\":0,\"errmsg\":\"o\x02k\"}"},
	{name: "ok with broken UTF-8", status: 200, body: "{\"errcode\":0,\"errmsg\":\"o\xffk\"}"},
	{name: "refused", status: 200, body: `{"errcode":45015,"errmsg":"response out of time limit"}`, code: 45015},
	{name: "refused in a string", status: 200, body: `{"errcode":"45015"}`, code: 45015},
	{name: "refused in scientific notation", status: 200, body: `{"errcode":4.5015e4}`, code: 45015},
	{name: "refused with HTTP 500", status: 500, body: `{"errcode":-1,"errmsg":"system error"}`, code: -1},
	{name: "unheard of", status: 200, body: `{"errcode":1234567}`, code: 1234567},
	{name: "ok with HTTP 500", status: 500, body: `{"errcode":0}`, reason: "HTTP status"},
	{name: "null", status: 200, body: `null`, reason: "no JSON object"},
	{name: "list", status: 200, body: `[]`, reason: "no JSON object"},
	{name: "empty object", status: 200, body: `{}`, reason: "neither"},
	{name: "only errmsg", status: 200, body: `{"errmsg":"ok"}`, reason: "neither"},
	{name: "other case", status: 200, body: `{"ERRCODE":0}`, reason: "neither"},
	{name: "nothing", status: 200, body: ``, reason: "empty"},
	{name: "page", status: 200, body: `<html><title>502 Bad Gateway</title></html>`, reason: "no JSON"},
	{name: "page with 502", status: 502, body: `<html>Bad Gateway</html>`, reason: "no JSON"},
	{name: "cut off", status: 200, body: `{"errcode":0,"errm`, reason: "not all of it"},
	{name: "two", status: 200, body: `{"errcode":0}{"errcode":1}`, reason: "no JSON"},
	{name: "twice", status: 200, body: `{"errcode":0,"errcode":40001}`, reason: "twice"},
	{name: "errcode null", status: 200, body: `{"errcode":null}`, reason: "can't be read"},
	{name: "errcode false", status: 200, body: `{"errcode":false}`, reason: "can't be read"},
	{name: "errcode words", status: 200, body: `{"errcode":"ok"}`, reason: "can't be read"},
	{name: "errcode half", status: 200, body: `{"errcode":0.5}`, reason: "can't be read"},
	{name: "errcode huge", status: 200, body: `{"errcode":1e99}`, reason: "can't be read"},
	{name: "errcode not a number", status: 200, body: `{"errcode":"NaN"}`, reason: "can't be read"},
	{name: "errcode object", status: 200, body: `{"errcode":{}}`, reason: "can't be read"},
}

func TestAnswers(t *testing.T) {
	for _, test := range answers {
		t.Run(test.name, func(t *testing.T) {
			p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain; charset=gbk") // means nothing
				says(test.status, test.body)(w, r)
			})
			result, err := send(t, p.client(t))
			if !json.Valid(result.Response) || result.Response[0] != '{' || result.Requests != 1 {
				t.Errorf("response %s, %d requests", result.Response, result.Requests)
			}
			switch refused, isRefusal := errors.AsType[*wxapi.Error](err); {
			case test.code != 0:
				if !isRefusal || refused.Code != test.code || refused.Verb != "send_custom_message" {
					t.Errorf("want refusal %d, got %v", test.code, err)
				}
			case test.reason != "":
				doubtful, isDoubtful := errors.AsType[*wxapi.AnswerError](err)
				if !isDoubtful || doubtful.Status != test.status || !strings.Contains(doubtful.Reason, test.reason) {
					t.Errorf("want a doubt about %q, got %v", test.reason, err)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
}

func TestProofKeys(t *testing.T) {
	row := wxapi.GetUserInfo.Row
	for body, proves := range map[string]bool{
		`{"subscribe":0,"openid":"o"}`: true, `{"subscribe":null}`: false, `{"openid":"o"}`: false,
	} {
		p := newPlatform(t, says(200, body))
		_, err := p.client(t).CallJSON(t.Context(), row, []byte(`{"openid":"`+openID+`"}`))
		if proves != (err == nil) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAnswerIsBounded(t *testing.T) {
	p := newPlatform(t, says(200, `<html>`+strings.Repeat("x ", 1000)))
	_, err := send(t, p.client(t, func(c *wxapi.Config) { c.MaxAnswer = 1000 }))
	doubtful, isDoubtful := errors.AsType[*wxapi.AnswerError](err)
	if !isDoubtful || !strings.Contains(doubtful.Reason, "1000 bytes") || len(doubtful.Excerpt) < 100 || len(doubtful.Excerpt) > 300 {
		t.Errorf("%v", err)
	}
}

// Errors are logged. What an answer says of people is in none, also if it is cut off.
func TestErrorsTellNothingOfPeople(t *testing.T) {
	for _, body := range []string{`{"openid":"o","nickname":"张三"`, ` [{"text":"张三"}]`, "\ufeff" + `{"nickname":"张三"}`} {
		p := newPlatform(t, says(200, body))
		_, err := p.client(t).CallJSON(t.Context(), wxapi.GetUserInfo.Row, []byte(`{"openid":"`+openID+`"}`))
		if err == nil || strings.Contains(err.Error(), "张三") || strings.Contains(err.Error(), "\\u") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRefusalKeepsWhatSupportAsksFor(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":45015,"errmsg":"response out of time limit rid: 61725984-6126f6f9-040f19c4"}`))
	result, err := send(t, p.client(t))
	want := wxapi.Error{
		Verb: "send_custom_message", Code: 45015, Msg: "response out of time limit",
		RID: "61725984-6126f6f9-040f19c4", Class: wxapi.ClassUser,
	}
	if refused, isRefusal := errors.AsType[*wxapi.Error](err); !isRefusal || *refused != want {
		t.Errorf("%+v", err)
	}
	if result.RID != want.RID || result.ErrMsg != want.Msg {
		t.Errorf("%+v", result)
	}
}

func TestKnownRepetitionIsSuccess(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":45065,"errmsg":"clientmsgid exist"}`))
	if result, err := send(t, p.client(t)); err != nil || !strings.Contains(string(result.Response), "45065") {
		t.Errorf("%s, %v", result.Response, err)
	}
}

// FuzzAnswer: a call succeeds only with an explicit proof. The proof is looked
// for by other means than the client's.
func FuzzAnswer(f *testing.F) {
	for _, a := range answers {
		f.Add(a.status, a.body)
	}
	f.Add(200, `{"subscribe":1}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status == 204 || status == 304 {
			return // no HTTP answer with a body
		}
		answer := roundTripper(func(*http.Request) (*http.Response, error) {
			w := newRecorder(status, body)
			return w.Result(), nil
		})
		store := &slowStore{token: freshToken()}
		client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret, Transport: answer, Tokens: store})
		if err != nil {
			t.Fatal(err)
		}
		result, err := client.CallJSON(t.Context(), wxapi.GetUserInfo.Row, []byte(`{"openid":"`+openID+`"}`))
		if !json.Valid(result.Response) {
			t.Fatalf("response %q", result.Response)
		}
		if err == nil && (status > 299 || !provesSuccess(result.Response)) {
			t.Errorf("success for %d %q", status, body)
		}
		if err != nil && strings.Contains(err.Error(), appSecret) {
			t.Errorf("the secret is in %v", err)
		}
	})
}

func provesSuccess(response []byte) bool {
	var answer map[string]json.RawMessage
	if json.Unmarshal(response, &answer) != nil {
		return false
	}
	if code, given := answer["errcode"]; given {
		f, err := strconv.ParseFloat(strings.TrimSpace(strings.Trim(string(code), `"`)), 64)
		return err == nil && (f == 0 || f == 45065)
	}
	v, given := answer["subscribe"]
	return given && string(v) != "null" && string(v) != `""`
}
