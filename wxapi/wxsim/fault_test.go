package wxsim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestFaults: each kind fails in its way, as often as it was told, and is carried out or not.
func TestFaults(t *testing.T) {
	send := `{"touser":"` + alice + `","msgtype":"text","text":{"content":"hi"}}`
	for _, test := range []struct {
		fault Fault
		done  bool
		check func(t *testing.T, resp *http.Response, body string, err error)
	}{
		{Fault{ErrCode: 45009}, false, answers(200, `"errcode":45009`)},
		{Fault{ErrCode: 40164}, false, answers(200, "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ")},
		{Fault{ErrCode: -1, ErrMsg: "busy busy"}, false, answers(200, `"errmsg":"busy busy rid: `)},
		{Fault{Kind: FaultTimeout, DelayMS: 1}, true, breaks},
		{Fault{Kind: FaultReset}, true, breaks},
		{Fault{Kind: FaultResetBefore}, false, breaks},
		{Fault{Kind: FaultHTML}, false, answers(502, "<html>")},
		{Fault{Kind: FaultHTML, Status: 200}, false, answers(200, "<html>")},
		{Fault{Kind: FaultSlow, DelayMS: 7000}, true, answers(200, `"errcode":0`)},
		{Fault{Kind: FaultTruncated}, true, func(t *testing.T, _ *http.Response, body string, err error) {
			t.Helper()
			if err != nil || json.Valid([]byte(body)) || body == "" {
				t.Errorf("%q, %v", body, err)
			}
		}},
		{Fault{Kind: FaultStatus, Status: 503}, false, answers(503, "")},
		{Fault{Kind: FaultStatus, Executed: new(true)}, true, answers(502, "")},
		{Fault{Kind: FaultTimeout, DelayMS: 1, Executed: new(false)}, false, breaks},
	} {
		name := string(test.fault.Kind)
		t.Run(name, func(t *testing.T) {
			pauses := &waits{}
			w := newWorld(t, func(c *Config) { c.Wait = pauses.wait })
			w.listen(testAESKey, success)
			w.push(alice, `{"MsgType":"text","Content":"hi"}`)
			token := w.token()
			test.fault.Verb = "send_custom_message"
			if err := w.Fault(test.fault); err != nil {
				t.Fatal(err)
			}
			w.with(token) // another verb is left alone

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.fault.Kind == FaultTimeout {
				pauses.then(cancel) // the client loses patience
			}
			resp, body, err := post(ctx, w.url+"/cgi-bin/message/custom/send?access_token="+token, send)
			test.check(t, resp, body, err)
			if got := len(w.Inbox(alice)) == 1; got != test.done {
				t.Errorf("carried out: %v, want %v", got, test.done)
			}
			calls := w.Calls()
			if last := calls[len(calls)-1]; last.Fault != cmpKind(test.fault.Kind) {
				t.Errorf("the call log says fault %q", last.Fault)
			}
			if test.fault.Kind == FaultSlow && (len(pauses.all) != 1 || pauses.all[0] != 7*time.Second) {
				t.Errorf("waited %v", pauses.all)
			}
			if len(w.Faults()) != 0 {
				t.Errorf("faults are left: %+v", w.Faults())
			}
			if code := w.sendText(alice, "again"); code != 0 {
				t.Errorf("the next call is answered %d", code)
			}
		})
	}
}

func cmpKind(k FaultKind) FaultKind {
	if k == "" {
		return FaultErrCode
	}
	return k
}

func answers(status int, part string) func(*testing.T, *http.Response, string, error) {
	return func(t *testing.T, resp *http.Response, body string, err error) {
		t.Helper()
		if err != nil || resp.StatusCode != status || !strings.Contains(body, part) {
			t.Errorf("answer %v, %q, %v", resp, body, err)
		}
	}
}

func breaks(t *testing.T, resp *http.Response, body string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("answered %v %q", resp.Status, body)
	}
}

func post(ctx context.Context, url, body string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	// A connection of its own: after a reset, the transport may not send again by itself.
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

// TestFaultsOfAnyVerb: "*" strikes whatever comes, but for the tokens, which have a name of their own.
func TestFaultsOfAnyVerb(t *testing.T) {
	w := newWorld(t, nil)
	for _, f := range []Fault{{Times: 2, ErrCode: -1}, {Verb: "get_access_token", ErrCode: 40125}, {Verb: "/cgi-bin/nothing", Times: -1, ErrCode: 48001}} {
		if err := w.Fault(f); err != nil {
			t.Fatal(err)
		}
	}
	if code, _ := w.raw("POST", "/cgi-bin/stable_token", credentialsBody); code != 40125 {
		t.Errorf("token: %d", code)
	}
	token := w.token()
	var codes []int
	for range 3 {
		codes = append(codes, w.with(token))
	}
	if codes[0] != -1 || codes[1] != -1 || codes[2] != 0 {
		t.Errorf("errcodes %v", codes)
	}
	for range 3 {
		if code, _ := w.raw("GET", "/cgi-bin/nothing", ""); code != 48001 {
			t.Errorf("path: %d", code)
		}
	}
	w.ClearFaults()
	if code, _ := w.raw("GET", "/cgi-bin/nothing", ""); code != 40066 {
		t.Errorf("after clearing: %d", code)
	}
}

// TestCloseLetsGo: a call that a fault holds ends with the platform.
func TestCloseLetsGo(t *testing.T) {
	pauses := &waits{}
	w := newWorld(t, func(c *Config) { c.Wait = pauses.wait })
	pauses.then(func() { w.Close() })
	if err := w.Fault(Fault{Kind: FaultTimeout, DelayMS: 1}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := post(t.Context(), w.url+"/cgi-bin/groups/get", ""); err == nil {
		t.Error("the held call was answered")
	}
}
