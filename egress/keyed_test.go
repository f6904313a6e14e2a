package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// template adds a message template to the account, and returns the data of a
// message to somebody.
func (w *world) template(to, key string) string {
	w.t.Helper()
	r, _ := w.ask("add_template", `{"template_id_short":"TM00015"}`)
	var added struct {
		TemplateID string `json:"template_id"`
	}
	decodeInto(w.t, r.Response, &added)
	return fmt.Sprintf(`{"touser":%q,"template_id":%q%s,"data":{"first":{"value":"vertraulich: hello"}}}`, to, added.TemplateID, key)
}

// A keyed row's command is sent again when nobody can know what came of it, by
// its own process and by an heir: WeChat knows it by the key, the sender's or
// one that follows from the command's id, and delivers it once.
func TestKeyedIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	anna := w.follower("anna")
	before := len(w.sim.Inbox(anna))
	for id, key := range map[string]string{"own key": `,"client_msg_id":"mine"`, "no key": ""} {
		w.fault(wxsim.Fault{Verb: "send_template_message", Kind: wxsim.FaultReset, Times: 2})
		w.event("send_template_message", id, w.template(anna, key), nil)
		if r := w.ends(id, events.ResultDone); r.Attempts != 3 || len(r.Warnings) != 0 {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if n := len(w.sim.Inbox(anna)) - before; n != 2 {
		t.Errorf("%d of 2 messages have arrived", n)
	}
	keys := map[string]int{}
	for _, c := range w.sim.Calls() {
		var body struct {
			Key string `json:"client_msg_id"`
		}
		if c.Verb == "send_template_message" && json.Unmarshal(c.Body, &body) == nil {
			keys[body.Key]++
		}
	}
	if len(keys) != 2 || keys["mine"] != 3 || keys[""] != 0 {
		t.Errorf("keys %v", keys)
	}
	data := w.template(anna, "")
	p.stop()
	sequence := w.event("send_template_message", "heir", data, nil)
	w.left("send_template_message", "heir", data, sequence, nil)
	w.start()
	if r := w.ends("heir", events.ResultDone); r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
}

// A command that may have been executed has waited, for a pause or for a process,
// until WeChat knows its key no more: nobody can know, and it is not sent again.
func TestKeyedHasWaitedTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	data := w.template(w.follower("anna"), "")
	p.stop()
	for id, age := range map[string]time.Duration{"old": 10*time.Minute - keyMargin, "young": 9 * time.Minute} {
		sequence := w.event("send_template_message", id, data, nil)
		w.left("send_template_message", id, data, sequence, func(c *queue.Claim) {
			c.State, c.Doubt, c.Attempts, c.Spent, c.FirstSent = queue.Waiting, true, 1, 1, time.Now().Add(-age)
		})
	}
	w.start()
	if r := w.ends("old", events.ResultUnknown); r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	if r := w.ends("young", events.ResultDone); r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	if n := w.calls("send_template_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// A claim older than WeChat's memory, and a key that is none: not sent again.
func TestKeyedIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	anna := w.follower("anna")
	data, empty := w.template(anna, ""), w.template(anna, `,"client_msg_id":""`)
	p.stop()
	for id, data := range map[string]string{"old": data, "empty": empty} {
		sequence := w.event("send_template_message", id, data, nil)
		w.left("send_template_message", id, data, sequence, func(c *queue.Claim) {
			if id == "old" {
				c.FirstSent = time.Now().Add(-11 * time.Minute)
			}
		})
	}
	w.start()
	w.ends("old", events.ResultUnknown)
	w.ends("empty", events.ResultUnknown)
	if n := w.calls("send_template_message"); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// The key does not disturb the data, whatever they are.
func TestWithKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	row := lookup(t, "send_template_message")
	for data, want := range map[string]string{
		`{}`:                        `{"client_msg_id":"K"}`,
		"{\n}":                      "{\"client_msg_id\":\"K\"\n}",
		`{"a":1}`:                   `{"client_msg_id":"K","a":1}`,
		`{"client_msg_id":"x"}`:     `{"client_msg_id":"x"}`,
		`{"client_msg_id":null}`:    `{"client_msg_id":null}`,
		`{"a":{"client_msg_id":1}}`: `{"client_msg_id":"K","a":{"client_msg_id":1}}`,
	} {
		got, keyed := p.withKey(row, events.Command{ID: "id", Data: json.RawMessage(data)})
		if _, after, ok := strings.Cut(string(got), `{"client_msg_id":"`); ok && len(after) > 32 && !strings.Contains(after[:32], `"`) {
			got = []byte(`{"client_msg_id":"K` + after[32:])
		}
		if string(got) != want || keyed != !strings.Contains(data, "null") {
			t.Errorf("%s: %s, %t", data, got, keyed)
		}
	}
}
