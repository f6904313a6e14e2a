package ingress

import (
	"encoding/json"
	"testing"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// What WeChat takes no reply to, and what the operator doesn't want held, is
// answered as soon as it is stored: without a deadline, markers or an outcome.
func TestKindsThatAreNotHeld(t *testing.T) {
	t.Parallel()
	const (
		unsubscribe = `{"MsgType":"event","Event":"unsubscribe"}`
		job         = `{"MsgType":"event","Event":"TEMPLATESENDJOBFINISH","MsgID":1751125854433042433,"Status":"success"}`
		tomorrow    = `{"MsgType":"event","Event":"Invented.Tomorrow"}`
		newMessage  = `{"MsgType":"hologram","Hologram":"` + private + `"}`
	)
	kinds := func(names ...string) func(*setup) { return func(s *setup) { s.HoldKinds = names } }
	for _, c := range []struct {
		name   string
		change func(*setup)
		says   string
		kind   string
		held   bool
	}{
		{"unsubscribe", kinds(), unsubscribe, "event_unsubscribe", false},
		{"job result", kinds(), job, "event_templatesendjobfinish", false},
		{"event without a row", kinds(), tomorrow, "event_invented_tomorrow", false},
		{"message without a row", kinds(), newMessage, "hologram", true},
		{"tap", kinds(), aClick, "event_click", true},
		{"WX_HOLD=0", hold(0), aText, "text", false},
		{"WX_HOLD_KINDS without it", kinds("image", "event_scan"), aText, "text", false},
		{"WX_HOLD_KINDS with it", kinds("text", "event_unsubscribe"), unsubscribe, "event_unsubscribe", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			r := w.replica(c.change)
			w.serve(func(in inbound) {
				if c.held {
					w.reply(in.ReplyTo, nil, `{"msgtype":"release"}`)
				}
			})
			phone := w.phone(r)
			d := next(t, w.pushed(phone, alice, c.says))
			if len(d.Tries) != 1 || d.Tries[0].Status != 200 || d.Tries[0].Body != callback.Success {
				t.Fatalf("%+v", d)
			}
			all := w.stored(bus.StreamInbound, "wx.inbound.*")
			if len(all) != 1 || all[0].Subject != "wx.inbound."+c.kind {
				t.Fatalf("stored: %v", all)
			}
			var e struct {
				Deadline string `json:"wxdeadline"`
				ReplyTo  string `json:"wxreplyto"`
				Type     string `json:"type"`
			}
			noError(t, json.Unmarshal(all[0].Body, &e))
			if (e.Deadline != "") != c.held || e.ReplyTo == "" || e.Type != "com.qq.weixin.mp.inbound."+c.kind {
				t.Errorf("event %+v", e)
			}
			if n := len(w.outcomes()); (n == 1) != c.held {
				t.Errorf("%d outcomes", n)
			}
			if s := next(t, r.stored); s.Held != c.held || s.Kind != c.kind || s.OpenID != alice {
				t.Errorf("observed %+v", s)
			}
		})
	}
}

// A retry of what is not held is answered at once too, and stored once.
func TestRetryOfWhatIsNotHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModePlain)
	r := w.replica(hold(0))
	doc := text(alice, private)
	for range 3 {
		if got := w.says(next(t, w.try(r, doc))); got != callback.Success {
			t.Errorf("answered %q", got)
		}
	}
	w.inboundID()
	for i := range 3 {
		if s := next(t, r.stored); s.Duplicate != (i > 0) {
			t.Errorf("try %d: %+v", i+1, s)
		}
	}
}
