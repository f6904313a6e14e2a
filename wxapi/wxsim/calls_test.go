package wxsim

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestCallsHideCredentials: the log of calls shows what was asked, and no secret.
func TestCallsHideCredentials(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token()
	w.raw("GET", "/cgi-bin/token?grant_type=client_credential&appid="+testAppID+"&secret="+testSecret, "")
	w.raw("POST", "/cgi-bin/message/custom/send?access_token="+token, `{"touser":"`+alice+`","msgtype":"text","text":{"content":"a<b\u4f60"}}`)
	w.raw("POST", "/cgi-bin/nothing?access_token="+token, `no JSON`)
	_, all := w.do("GET", "/_sim/calls", "")
	if strings.Contains(all, token) || strings.Contains(all, testSecret) {
		t.Errorf("a secret is in %s", all)
	}
	calls := w.Calls()
	if len(calls) != 4 || calls[2].Verb != "send_custom_message" || calls[2].ErrCode != 40003 || calls[3].Verb != "" {
		t.Fatalf("calls = %+v", calls)
	}
	if got := string(calls[2].Body); !strings.Contains(got, `a<b\u4f60`) {
		t.Errorf("body = %s: the escapes that a client sent must be seen", got)
	}
	if got := string(calls[3].Body); got != `"no JSON"` {
		t.Errorf("body = %s", got)
	}
	w.ClearCalls()
	w.fetch(false)
	if calls := w.Calls(); len(calls) != 1 || calls[0].N != 5 {
		t.Errorf("calls after clearing = %+v", calls)
	}
}

// TestCallLogIsBounded: a simulator may run for weeks.
func TestCallLogIsBounded(t *testing.T) {
	var l callLog
	body := make(json.RawMessage, callBodyKept)
	for range 3 * callBytes / callBodyKept {
		l.add(Call{Body: body})
	}
	for range 2 * callsKept {
		l.add(Call{})
	}
	sum := 0
	for _, c := range l.calls {
		sum += len(c.Body)
	}
	if len(l.calls) > callsKept || sum > callBytes || l.bytes != sum {
		t.Errorf("%d calls with %d bytes are kept, counted %d", len(l.calls), sum, l.bytes)
	}
	if last := l.calls[len(l.calls)-1]; last.N != l.n {
		t.Errorf("the last call has number %d of %d", last.N, l.n)
	}
}
