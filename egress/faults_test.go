package egress

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// Row 37: WeChat is busy, twice; the third request goes through, after real waits.
func TestBusyTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.decide = decide })
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: -1, Times: 2})
	began := time.Now()
	w.bare("send_custom_message", "busy", text(alice, "busy"))
	r := w.ends("busy", events.ResultDone)
	if r.Attempts != 3 || w.calls("send_custom_message") != 3 {
		t.Errorf("%+v, %d calls", r, w.calls("send_custom_message"))
	}
	if waited := time.Since(began); waited < 1500*time.Millisecond { // 0.5 and 1 s, the shortest there are
		t.Errorf("it waited %s only", waited)
	}
}

// WeChat stays busy: six requests, then it is over. An errcode that nobody has
// documented gets three.
func TestBusyForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: -1, Times: -1})
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: undocument, ErrMsg: "news from WeChat", Times: -1})
	w.bare("send_custom_message", "busy", text(alice, "busy"))
	w.bare("get_groups", "strange", `{}`)
	if r := w.ends("busy", events.ResultFailed); r.Attempts != budget || r.ErrCode != -1 || r.Class != "backoff" || r.RID == "" {
		t.Errorf("%+v", r)
	}
	if r := w.ends("strange", events.ResultRejected); r.Attempts != unknownBudget || r.ErrCode != undocument || r.Class != "permanent" {
		t.Errorf("%+v", r)
	}
	w.emptied()
	if a, b := w.calls("send_custom_message"), w.calls("get_groups"); a != budget || b != unknownBudget {
		t.Errorf("%d and %d calls", a, b)
	}
	if letter, _ := w.letter("busy.res"); letter.Attempts != budget {
		t.Errorf("%+v", letter)
	}
}

// Rows 30 to 33: the request was written and the answer proves nothing: a message may have
// arrived and is not sent again.
func TestUnknownOutcomes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.adjust = func(c *wxapi.Config) { c.Timeout = 3 * time.Second }
	w.start()
	for _, kind := range []wxsim.FaultKind{wxsim.FaultTimeout, wxsim.FaultReset, wxsim.FaultHTML, wxsim.FaultTruncated, wxsim.FaultStatus} {
		to := w.follower(string(kind))
		w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: kind})
		w.bare("send_custom_message", string(kind), text(to, "perhaps"))
		r := w.ends(string(kind), events.ResultUnknown)
		if r.Attempts != 1 || r.ErrCode != 0 || r.Class != "backoff" || string(r.Response) != "{}" {
			t.Errorf("%s: %+v", kind, r)
		}
		w.letter(string(kind) + ".res")
	}
	w.emptied()
	if n := w.calls("send_custom_message"); n != 5 {
		t.Errorf("%d calls", n)
	}
}

// The sender has asked for it: sent again, even if it then arrives twice.
func TestResendOnUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	seen := len(w.sim.Inbox(alice))
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultReset})
	w.event("send_custom_message", "twice", text(alice, "twice"), extensions{"wxonunknown": "resend"})
	if r := w.ends("twice", events.ResultDone); r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
	if n := len(w.sim.Inbox(alice)) - seen; n != 2 {
		t.Errorf("it arrived %d times", n)
	}
	// Never an answer: six times, and then nobody knows. Nor does anybody if
	// WeChat at last says no: the first may have arrived.
	w.fault(wxsim.Fault{Verb: "send_custom_message", Kind: wxsim.FaultReset, Times: budget + 1})
	w.event("send_custom_message", "never", text(alice, "never"), extensions{"wxonunknown": "resend"})
	if r := w.ends("never", events.ResultUnknown); r.Attempts != budget {
		t.Errorf("%+v", r)
	}
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 45047})
	w.event("send_custom_message", "then no", text(alice, "then no"), extensions{"wxonunknown": "resend"})
	if r := w.ends("then no", events.ResultUnknown); r.ErrCode != 45047 || r.Class != "user" || r.Attempts != 2 {
		t.Errorf("%+v", r)
	}
}

// A read does no harm when it is repeated.
func TestReadsAreRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	for _, kind := range []wxsim.FaultKind{wxsim.FaultReset, wxsim.FaultHTML, wxsim.FaultTruncated} {
		before := w.calls("get_user_info")
		w.fault(wxsim.Fault{Verb: "get_user_info", Kind: kind, Times: 2})
		w.bare("get_user_info", string(kind), userInfo(alice))
		if r := w.ends(string(kind), events.ResultDone); r.Attempts != 3 || w.calls("get_user_info") != before+3 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	w.fault(wxsim.Fault{Verb: "get_user_info", Kind: wxsim.FaultHTML, Times: -1})
	w.bare("get_user_info", "in vain", userInfo(alice))
	if r := w.ends("in vain", events.ResultFailed); r.Attempts != budget {
		t.Errorf("%+v", r)
	}
}

// Rows 33 and 44: nobody listens where WeChat should be: that spends nothing, however often.
func TestWeChatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.follower("alice")
	var refused atomic.Int32
	back := make(chan struct{})
	w.adjust = func(c *wxapi.Config) {
		c.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			select {
			case <-back:
				return (&net.Dialer{}).DialContext(ctx, network, address)
			default:
				refused.Add(1)
				return nil, fmt.Errorf("dial %s: connection refused", address)
			}
		}}
	}
	w.start()
	w.bare("send_custom_message", "waits", text(alice, "waits"))
	w.eventually("many attempts", func() bool { return refused.Load() > 2*budget })
	claim, err := w.claims().Load(w.within(), "waits")
	if err != nil || claim.Spent != 0 || claim.Attempts != 0 || claim.Doubt {
		t.Errorf("%+v, %v", claim, err)
	}
	close(back)
	if r := w.ends("waits", events.ResultDone); r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// Row 43: final answers are final at once, with the class that says what to do.
func TestFinalRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	alice := w.follower("alice")
	for code, class := range map[int]string{45015: "user", 45047: "user", 43004: "user", 48001: "right", 40007: "permanent", 40003: "permanent", 47001: "bug"} {
		id := fmt.Sprint(code)
		w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: code})
		w.bare("send_custom_message", id, text(alice, id))
		r := w.ends(id, events.ResultRejected)
		if r.ErrCode != code || r.Class != class || r.Attempts != 1 || r.RID == "" || strings.Contains(r.ErrMsg, "rid") || !strings.Contains(string(r.Response), "errcode") {
			t.Errorf("%+v", r)
		}
		if letter, _ := w.letter(id + ".res"); letter.Class != class || letter.Attempts != 1 {
			t.Errorf("%+v", letter)
		}
	}
	if n := w.calls("send_custom_message"); n != 7 {
		t.Errorf("%d calls", n)
	}
	w.bare("send_custom_message", "stranger", text(openID("stranger"), "who?")) // the simulator's own refusal
	if r := w.ends("stranger", events.ResultRejected); r.ErrCode != 40003 {
		t.Errorf("%+v", r)
	}
}

// Row 36: a quota's command waits for the next minute and spends nothing on it.
func TestMinuteQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 45011, Times: 2 * budget})
	w.bare("get_groups", "minute", `{}`)
	if r := w.ends("minute", events.ResultDone); r.Attempts != 2*budget+1 {
		t.Errorf("%+v", r)
	}
}

// A command that waits does not outlive its time.
func TestExpiryEndsTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(func(e *Egress) { e.decide = decide }) // a day's quota: it would wait for hours
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 45009, Times: -1})
	w.event("get_groups", "brief", `{}`, extensions{"expirytime": time.Now().Add(2 * time.Second).UTC().Format(time.RFC3339Nano)})
	if r := w.ends("brief", events.ResultExpired); r.Attempts > 1 {
		t.Errorf("%+v", r)
	}
}
