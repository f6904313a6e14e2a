package egress

import (
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// Replies as large as NATS lets them be: what they become does not fit into a
// message. Each still has its end, and the worker is ready for the next.
func TestLateRepliesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice, outcomes := w.follower("alice"), w.read("WX_OUTCOME")
	p := w.start(late(lateCustom)).ready()
	room := 1<<20 - 200
	large, id := w.says(alice, false), w.says(alice, false)
	menu := `{"msgtype":"msgmenu","msgmenu":{"head_content":"","list":[{"id":"1","content":"a"}]}}`
	w.answers(large, strings.Replace(menu, `t":""`, `t":"`+strings.Repeat("x", room-len(menu))+`"`, 1))
	w.answers(id, strings.Repeat("x", room))
	w.answers("12345-nobody", strings.Repeat("\xff", room))
	w.answers("12345-nobody", `{"specversion":"1.0","id":"1","source":"s","type":"com.qq.weixin.mp.`+strings.Repeat("x", room-200)+`","data":"hi"}`)
	if o, _ := w.outcome(outcomes, large+".late.out"); o.Outcome != events.OutcomeLateDropped || o.Reason == "" {
		t.Errorf("%+v", o)
	}
	w.eventually("each is a dead letter", func() bool { return w.stored("WX_DLQ") == 4 })
	w.answers(id, "in order")
	w.outcome(outcomes, id+".late.out")
	w.eventually("ready", func() bool { return len(p.Reasons()) == 0 })
}
