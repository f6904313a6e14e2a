package egress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// Colleagues who need the token itself get it where the operator wants that, and
// another one when WeChat has refused it to them; on wx.cmd nobody does.
func TestTokenCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(func(e *Egress) { e.cfg.TokenCall = true }).ready()
	ask := func(data string) (token string, left int) {
		t.Helper()
		r, _ := w.ask(events.CallGetAccessToken, data)
		var got struct {
			Token string `json:"access_token"`
			Left  int    `json:"expires_in"`
		}
		decodeInto(t, r.Response, &got)
		if r.Outcome != events.ResultDone || got.Token == "" {
			t.Fatalf("%s", r.Outcome)
		}
		return got.Token, got.Left
	}
	first, left := ask(``)
	if left < 7000 || left > 7200 {
		t.Errorf("it lasts %d s", left)
	}
	works := func(token string) int {
		t.Helper()
		answer, err := http.Get(w.url + "/cgi-bin/groups/get?access_token=" + token)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var said struct {
			ErrCode int `json:"errcode"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
			t.Fatal(err)
		}
		return said.ErrCode
	}
	if code := works(first); code != 0 {
		t.Errorf("the token is refused with %d", code)
	}
	if again, _ := ask(`{}`); again != first {
		t.Error("another token each time")
	}
	w.sim.ExpireTokens()
	second, _ := ask(fmt.Sprintf(`{"refused":%q}`, first))
	if code := works(second); second == first || code != 0 {
		t.Errorf("the second token is refused with %d", code)
	}
	if third, _ := ask(fmt.Sprintf(`{"refused":%q}`, first)); third != second || w.calls(events.CallGetAccessToken) != 2 {
		t.Errorf("%d tokens were fetched", w.calls(events.CallGetAccessToken))
	}
	if r, _ := w.ask(events.CallGetAccessToken, `[]`); r.Outcome != events.ResultRejected {
		t.Errorf("%+v", r)
	}
	w.bare(events.CallGetAccessToken, "on a stream", `{}`)
	if r := w.ends("on a stream", events.ResultRejected); r.Class != classCallOnly {
		t.Errorf("%+v", r)
	}
	p.seen.mu.Lock()
	defer p.seen.mu.Unlock()
	for _, f := range p.seen.finished {
		if strings.Contains(string(f.Result.Response), "access_token") {
			t.Error("observers see the token")
		}
	}
}

// Without WX_TOKEN_CALL nobody answers.
func TestTokenCallIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	if _, err := w.conn.RequestWithContext(w.within(), "wx.call."+events.CallGetAccessToken, nil); err == nil || !strings.Contains(err.Error(), "no responders") {
		t.Errorf("%v", err)
	}
}
