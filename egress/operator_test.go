package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// Row 42: our address is not in the whitelist. The account rests, readiness names the
// address and what to do, and once the operator has done it all goes on.
func TestAddressNotInWhitelist(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"get_access_token", "send_custom_message"} {
		w := newWorld(t)
		p := w.start().ready()
		w.fault(wxsim.Fault{Verb: verb, ErrCode: 40164, Times: -1})
		alice := w.follower("alice")
		for i := range 5 {
			w.bare("send_custom_message", fmt.Sprint(i), text(alice, "wait"))
		}
		w.eventually("the operator is told", func() bool {
			return strings.Contains(strings.Join(p.Reasons(), "\n"), "127.0.0.1")
		})
		reasons := strings.Join(p.Reasons(), "\n")
		for _, part := range []string{"40164", "whitelist", "console", verb} {
			if !strings.Contains(reasons, part) {
				t.Errorf("%q is missing in %q", part, reasons)
			}
		}
		if n := w.stored("WX_RESULT"); n != 0 {
			t.Errorf("%d commands have ended", n)
		}
		w.sim.ClearFaults()
		for i := range 5 {
			r := w.ends(fmt.Sprint(i), events.ResultDone)
			if verb == "get_access_token" && r.Attempts != 1 {
				t.Errorf("a refused token counts as an attempt: %+v", r)
			}
		}
		w.eventually("ready again", func() bool { return len(p.Reasons()) == 0 })
	}
}

// Any answer of WeChat's proves that the trouble is over, also a refusal.
func TestRefusalEndsTheTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 40164})
	w.fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 45015})
	w.bare("send_custom_message", "one", text(w.follower("alice"), "no"))
	w.ends("one", events.ResultRejected)
	if reasons := p.Reasons(); len(reasons) != 0 {
		t.Errorf("still in trouble: %q", reasons)
	}
}

// While the account rests nothing is sent and no claim is made; the pause stands
// where people read it, and deleting it there ends it. Row 42.
func TestRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(func(e *Egress) { e.decide = decide }).ready()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 40125})
	w.bare("get_groups", "first", `{}`)
	w.eventually("the account rests", func() bool { return p.pauses.trouble() != "" })
	pause := w.pause("pause.account")
	if left := time.Until(pause.Until); left > configPause || pause.ErrCode != 40125 || pause.Class != wxapi.ClassConfig || pause.API != "" {
		t.Errorf("%+v", pause)
	}
	alice := w.follower("alice")
	w.event("get_user_info", "second", userInfo(alice), nil)
	w.event("get_user_info", "brief", userInfo(alice), extensions{"expirytime": time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)})
	w.ends("brief", events.ResultExpired) // so the second was read too
	if claim, err := w.claims().Load(w.within(), "second"); err != nil || claim.State != "" {
		t.Errorf("%+v %v", claim, err)
	}
	if n := w.calls("get_groups") + w.calls("get_user_info"); n != 1 {
		t.Errorf("%d calls", n)
	}
	w.unpause("pause.account")
	w.ends("first", events.ResultDone)
	w.ends("second", events.ResultDone)
	if p.pauses.trouble() != "" {
		t.Error("the account rests still")
	}
}

// A pause that a person made of the account is no trouble that a call could end.
func TestAccountPausedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	by := fmt.Sprintf(`{"reason":"we move house","until":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	if _, err := w.state().PutString(w.within(), "pause.account", by); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is heard", func() bool { return p.pauses.trouble() == "we move house" })
	if r, _ := w.ask("get_groups", `{}`); r.Outcome != events.ResultDone {
		t.Errorf("%+v", r)
	}
	w.pause("pause.account")
	if p.pauses.trouble() == "" {
		t.Error("a call has ended it")
	}
	w.unpause("pause.account")
	w.eventually("it is over", func() bool { return p.pauses.trouble() == "" })
}

// pause reads a pause in the bucket, as people do.
func (w *world) pause(key string) (p Pause) {
	w.t.Helper()
	w.eventually("there is "+key, func() bool {
		entry, err := w.state().Get(w.within(), key)
		return err == nil && json.Unmarshal(entry.Value(), &p) == nil
	})
	return p
}

func (w *world) unpause(key string) {
	w.t.Helper()
	if err := w.state().Delete(w.within(), key); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) state() jetstream.KeyValue {
	w.t.Helper()
	kv, err := w.js.KeyValue(w.within(), "WX_STATE")
	if err != nil {
		w.t.Fatal(err)
	}
	return kv
}

// Row 42 does not apply to 48001: a missing right rejects that API's commands and stalls nothing.
func TestMissingRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 48001, Times: -1})
	for i := range 3 {
		w.bare("get_groups", fmt.Sprint("no", i), `{}`)
		w.bare("get_user_info", fmt.Sprint("yes", i), userInfo(w.follower("alice")))
	}
	for i := range 3 {
		if r := w.ends(fmt.Sprint("no", i), events.ResultRejected); r.Class != "right" || r.Attempts != 1 || !strings.Contains(r.ErrMsg, "get_groups (/cgi-bin/groups/get)") {
			t.Errorf("%+v", r)
		}
		w.ends(fmt.Sprint("yes", i), events.ResultDone)
	}
	if reasons := p.Reasons(); len(reasons) != 0 {
		t.Errorf("%q", reasons)
	}
}

// What asks nobody, as a URL that is put together here, does not prove that the
// account's trouble is over: the others wait until one of them has tried.
func TestLocalCommandEndsNoPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start().ready()
	p.pauses.begin(w.within(), Pause{Class: wxapi.ClassConfig, ErrCode: 40164, Reason: "40164", Since: time.Now(), Until: time.Now()}, time.Now())
	w.bare("get_qr_code_url", "local", `{"ticket":"t"}`)
	w.ends("local", events.ResultDone)
	if p.pauses.trouble() == "" {
		t.Error("a command that asked nobody has ended the pause")
	}
	w.bare("get_groups", "asks", `{}`)
	w.ends("asks", events.ResultDone)
	w.eventually("the pause is over", func() bool { return p.pauses.trouble() == "" })
}

// The token endpoint has its own trouble: no command is spent on it.
func TestTokenEndpointInTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault(wxsim.Fault{Verb: "get_access_token", ErrCode: -1, Times: budget + 2})
	w.fault(wxsim.Fault{Verb: "get_access_token", Kind: wxsim.FaultHTML, Times: 2})
	w.fault(wxsim.Fault{Verb: "get_access_token", Kind: wxsim.FaultReset, Times: 2})
	w.fault(wxsim.Fault{Verb: "get_access_token", ErrCode: 41002, ErrMsg: "appid missing"})
	w.start()
	w.bare("send_custom_message", "patient", text(w.follower("alice"), "patient"))
	if r := w.ends("patient", events.ResultDone); r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
	if n := w.calls("send_custom_message"); n != 1 {
		t.Errorf("%d calls", n)
	}
}
