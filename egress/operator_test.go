package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// Our address is not in the whitelist. The account rests, readiness names the
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

// While the account rests nothing is sent and no claim is made.
func TestRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start(func(e *Egress) { e.decide = decide }).ready()
	w.fault(wxsim.Fault{Verb: "get_groups", ErrCode: 40125})
	w.bare("get_groups", "first", `{}`)
	w.eventually("the account rests", func() bool { return p.resting(time.Now()) > 0 })
	if left := p.resting(time.Now()); left > configPause {
		t.Errorf("it rests for %s", left)
	}
	verdict := p.work(w.within(), message{seq: 99, data: `{}`, id: "second"})
	if claim, err := w.claims().Load(w.within(), "second"); verdict == queue.Finish() || err != nil || claim.State != "" {
		t.Errorf("%+v %+v %v", verdict, claim, err)
	}
	if n := w.calls("get_groups"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// message is one of get_groups as the queue hands it over.
type message struct {
	jetstream.Msg
	seq      uint64
	id, data string
}

func (m message) Subject() string      { return "wx.cmd.get_groups" }
func (m message) Data() []byte         { return []byte(m.data) }
func (m message) Headers() nats.Header { return nats.Header{"Nats-Msg-Id": {m.id}} }
func (m message) Metadata() (*jetstream.MsgMetadata, error) {
	return &jetstream.MsgMetadata{Stream: "WX_CMD", Sequence: jetstream.SequencePair{Stream: m.seq}, Timestamp: time.Now()}, nil
}

// A missing right rejects that API's commands and stalls nothing.
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
		if r := w.ends(fmt.Sprint("no", i), events.ResultRejected); r.Class != "right" || r.Attempts != 1 {
			t.Errorf("%+v", r)
		}
		w.ends(fmt.Sprint("yes", i), events.ResultDone)
	}
	if reasons := p.Reasons(); len(reasons) != 0 {
		t.Errorf("%q", reasons)
	}
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
