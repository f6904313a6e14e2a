package ingress

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// An authentic document that can't be read would come three times and never be
// better: it is kept as it is, once, and answered success.
func TestUnreadableDocumentIsKept(t *testing.T) {
	t.Parallel()
	whole := string(document(alice, private, time.Unix(1_714_112_445, 0)))
	for _, c := range []struct{ name, document, reason string }{
		{"truncated", whole[:len(whole)/2], "malformed"},
		{"DOCTYPE", `<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(whole, private+"]]>", "]]>&x;", 1), "doctype"},
		{"no FromUserName", strings.Replace(whole, "FromUserName", "FromNobody", 2), "missing"},
		{"no XML", private, "format"},
		{"two documents", whole + whole, "trailing"},
		{"OpenID that is none", strings.Replace(whole, alice, "o_"+private+".*.>", 1), "value"},
		{"no UTF-8", "\xff\xfe" + whole[:40], ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, mode := range []callback.Mode{callback.ModePlain, callback.ModeSafe} {
				w := newWorld(t, mode)
				r := w.replica()
				for range 3 {
					if got := w.says(next(t, w.try(r, []byte(c.document)))); got != callback.Success {
						t.Errorf("answered %q", got)
					}
				}
				all := w.stored(bus.StreamDLQ, "wx.dlq.*")
				if len(all) != 1 || all[0].Subject != "wx.dlq.callback" {
					t.Fatalf("dead letters %v", all)
				}
				var letter events.DeadLetter
				noError(t, json.Unmarshal(eventOf(t, all[0]).Data(), &letter))
				if letter.Body+string(letter.BodyBase64) != c.document || letter.Class != "unparsable" || !strings.Contains(letter.Reason, c.reason) {
					t.Errorf("dead letter %+v", letter)
				}
				if n := len(w.stored(bus.StreamInbound, "wx.>")); n != 0 {
					t.Errorf("%d events are stored", n)
				}
			}
		})
	}
}

// If it can't be kept either, WeChat has to try again.
func TestUnreadableDocumentWithoutNATS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	w.nats.Stop()
	a := next(t, w.try(r, []byte("<xml>")))
	if a.err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d %q, %v", a.status, a.body, a.err)
	}
	w.nats.Start()
	r.ready()
	w.says(next(t, w.try(r, []byte("<xml>"))))
	if n := len(w.deadLetters("callback")); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// Control characters, cut characters and markup in the words lose no message.
func TestWordsThatBreakXML(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r := w.replica(hold(0))
	for said, want := range map[string]string{
		private + "\x02\x1d!":                          private + "!",
		private + "\xe4\xbd":                           private + "\uFFFD",
		private + "]]><a>b</a>":                        private + "]]><a>b</a>",
		private + " \U0001F469\u200D\U0001F4BB \u202E": private + " \U0001F469\u200D\U0001F4BB \u202E",
	} {
		w.says(next(t, w.try(r, text(alice, said))))
		var data struct{ Content string }
		noError(t, json.Unmarshal(next(t, r.stored).Data, &data))
		if data.Content != want {
			t.Errorf("%q is stored as %q", said, data.Content)
		}
	}
}
