package wxsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// TestEveryRowAnswers: a real client can call every verb there is, and its answer fits the row's type. Whoever adds
// a verb need do nothing here.
func TestEveryRowAnswers(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	client := w.client()
	for _, row := range wxapi.Verbs() {
		t.Run(row.Name, func(t *testing.T) {
			w.push(alice, `{"MsgType":"text","Content":"hi"}`) // opens the window that some verbs need
			w.push(alice, `{"MsgType":"image","MediaId":"M"}`)
			data := exampleRequest(t, row)
			result, err := client.CallJSON(t.Context(), row, data)
			if err != nil {
				// A stateful endpoint, or where call_api leads, may refuse an example's ids; what isn't allowed is an answer that proves nothing.
				if refused, ok := errors.AsType[*wxapi.Error](err); ok && (speaksFor(row) || row.Path == "") {
					t.Logf("refused with %d: %s", refused.Code, data)
					return
				}
				t.Fatalf("%v with %s", err, data)
			}
			if err := json.Unmarshal(result.Response, newOf(row.Response)); err != nil {
				t.Errorf("%s doesn't fit %v: %v", result.Response, row.Response, err)
			}
		})
	}
}

// TestDefaultAnswers: the made-up answer of every row decodes into its type and has its proof, whether or not
// something stateful stands before it.
func TestDefaultAnswers(t *testing.T) {
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Download || row.Body == wxapi.Local {
			continue
		}
		a := defaultAnswer(row)
		if err := json.Unmarshal(a.body, newOf(row.Response)); err != nil {
			t.Errorf("%s: %s doesn't fit: %v", row.Name, a.body, err)
		}
		var keys map[string]any
		if err := json.Unmarshal(a.body, &keys); err != nil {
			t.Fatal(err)
		}
		if code, given := keys["errcode"]; given && code != 0.0 || !given && len(row.Proof) == 0 {
			t.Errorf("%s: %s proves nothing", row.Name, a.body)
		}
		for _, key := range row.Proof {
			if keys[key] == nil && key != wxapi.AnyKey && key != wxapi.NoKey {
				t.Errorf("%s: %s lacks its proof %s", row.Name, a.body, key)
			}
		}
	}
}

// TestRowsHaveTheirOwnPaths: an endpoint is one verb, so that faults and calls can name it.
func TestRowsHaveTheirOwnPaths(t *testing.T) {
	seen := map[string]string{}
	for _, row := range wxapi.Verbs() {
		at := row.Method + " " + row.Path
		if row.Body == wxapi.Local || row.Path == "" {
			continue
		}
		if other := seen[at]; other != "" {
			t.Errorf("%s and %s are both at %s", other, row.Name, at)
		}
		seen[at] = row.Name
	}
}

// TestStatefulEndpointsAreRows: where a row has the path of a stateful endpoint, they have the same name and method.
func TestStatefulEndpointsAreRows(t *testing.T) {
	for _, e := range statefuls {
		for _, row := range wxapi.Verbs() {
			if row.Name == e.name && (row.Path != e.path || row.Method != e.method) {
				t.Errorf("%s is at %s %s, the row at %s %s", e.name, e.method, e.path, row.Method, row.Path)
			}
		}
	}
}

// TestWrongUse: each mistake earns WeChat's own errcode.
func TestWrongUse(t *testing.T) {
	w := newWorld(t, nil)
	token := "?access_token=" + w.token()
	send := "/cgi-bin/message/custom/send"
	stable := "/cgi-bin/stable_token"
	legacy := "/cgi-bin/token?grant_type=client_credential"
	for name, test := range map[string]struct {
		method, path, body string
		code               int
	}{
		"no token":               {"POST", send, "{}", 41001},
		"unknown token":          {"POST", send + "?access_token=nonsense", "{}", 40001},
		"GET for POST":           {"GET", send + token, "", 43002},
		"POST for GET":           {"POST", "/cgi-bin/groups/get" + token, "{}", 43001},
		"no body":                {"POST", send + token, "", 44002},
		"blank body":             {"POST", send + token, " \n", 44002},
		"half JSON":              {"POST", send + token, `{"touser":`, 47001},
		"no object":              {"POST", send + token, `["touser"]`, 47001},
		"null":                   {"POST", send + token, `null`, 47001},
		"wrong type":             {"POST", send + token, `{"touser":1}`, 47001},
		"unknown path":           {"GET", "/cgi-bin/nothing" + token, "", 40066},
		"stable_token by GET":    {"GET", stable, "", 43002},
		"stable_token, no body":  {"POST", stable, "", 44002},
		"stable_token, no JSON":  {"POST", stable, "grant_type=client_credential", 47001},
		"stable_token, type":     {"POST", stable, `{"grant_type":1}`, 47001},
		"stable_token, no grant": {"POST", stable, "{}", 40002},
		"token, no grant":        {"GET", "/cgi-bin/token", "", 40002},
		"token, no appid":        {"GET", legacy, "", 41002},
		"token, wrong appid":     {"GET", legacy + "&appid=wx1&secret=" + testSecret, "", 40013},
		"token, no secret":       {"GET", legacy + "&appid=" + testAppID, "", 41004},
		"token, wrong secret":    {"GET", legacy + "&appid=" + testAppID + "&secret=x", "", 40125},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := w.raw(test.method, test.path, test.body)
			if code != test.code {
				t.Errorf("errcode %d, want %d: %v", code, test.code, answer)
			}
			msg, _ := answer["errmsg"].(string)
			if !regexp.MustCompile(`^\S.* rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`).MatchString(msg) {
				t.Errorf("errmsg %q has no rid", msg)
			}
			class := wxapi.Classify(nil, code)
			if _, known := wxapi.Known(code); !known {
				t.Errorf("errcode %d (%s) is not in the client's table", code, class)
			}
		})
	}
}

// TestContentType: WeChat's JSON has an "encoding", not a charset.
func TestContentType(t *testing.T) {
	w := newWorld(t, nil)
	resp, err := http.Get(w.url + "/cgi-bin/groups/get")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); got != "application/json; encoding=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
}
