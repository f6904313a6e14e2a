package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// wanted asks for the result of a command.
func (w *world) wanted(id string, wait time.Duration) (r events.Result, code string) {
	w.t.Helper()
	r, m := w.ask("get_result", fmt.Sprintf(`{"id":%q,"wait_ms":%d}`, id, wait.Milliseconds()))
	return r, m.Header.Get(micro.ErrorCodeHeader)
}

// A caller publishes and then asks for its own result: the same object that the
// result event has, whenever it asks and whoever answers.
func TestGetResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start().ready()
	w.start().ready() // a stand-by, which answers too
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultSlow, DelayMS: 1})
	w.bare("send_custom_message", "slow", text(alice, "slow"))
	w.arrived("send_custom_message", 1)
	if r, code := w.wanted("slow", 0); r.Outcome != events.Pending || code != string(queue.Sending) {
		t.Errorf("while it is sent: %+v, %s", r, code)
	}
	if r, code := w.wanted("nobody's", 50*time.Millisecond); r.Outcome != events.Pending || code != classNotFound {
		t.Errorf("of nobody: %+v, %s", r, code)
	}
	waited := make(chan events.Result)
	go func() {
		r, _ := w.wanted("slow", time.Minute)
		waited <- r
	}()
	close(w.gate)
	r := <-waited
	stored := w.ends("slow", events.ResultDone)
	for range 5 { // from either process
		again, code := w.wanted("slow", 0)
		for _, r := range []events.Result{r, again} {
			if a, b := asJSON(t, r), asJSON(t, stored); a != b || code != "" {
				t.Errorf("%s instead of %s, code %q", a, b, code)
			}
		}
	}
	w.bare("get_user_info", "bad", `{}`)
	if r, code := w.wanted("bad", time.Minute); r.Outcome != events.ResultRejected || code != "bug" {
		t.Errorf("%+v, %s", r, code)
	}
	first.stop()
	if r, _ := w.wanted("slow", 0); r.Outcome != events.ResultDone {
		t.Errorf("of the other process: %+v", r)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What cannot be meant is refused.
func TestGetResultRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	for _, data := range []string{``, `null`, `{}`, `[]`, `{"id":1}`, `{"id":"x","wait_ms":-1}`, `{"id":"x","wait_ms":60001}`} {
		if r, m := w.ask("get_result", data); r.Outcome != events.ResultRejected || r.Class != "bug" || m.Header.Get(micro.ErrorHeader) == "" || !strings.Contains(r.ErrMsg, events.CallGetResult) {
			t.Errorf("%s: %s", data, m.Data)
		}
	}
	// A process that stops lets go of who only waits.
	ctx, cancel := context.WithTimeout(w.within(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	r := p.resultOf(ctx, []byte(`{"id":"never","wait_ms":60000}`), true)
	if r.Outcome != events.Pending || r.Class != classNotFound || time.Since(began) > 30*time.Second {
		t.Errorf("%+v", r)
	}
}
