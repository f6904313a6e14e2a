package egress

import (
	"fmt"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// Row 51: one API hangs, and more of its commands wait than there are workers and
// than are read ahead. The others are executed as if they were not there.
func TestHangingAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fault(wxsim.Fault{Verb: "create_group", Kind: wxsim.FaultSlow, DelayMS: 60_000, Times: -1})
	w.adjust = func(c *wxapi.Config) { c.Timeout = time.Hour }
	for i := range 3 * workers {
		w.bare("create_group", fmt.Sprint("g", i), `{"group":{"name":"g"}}`)
	}
	w.start(func(e *Egress) { e.grace = 0 })
	w.arrived("create_group", workers/2)
	w.bare("get_groups", "read", `{}`)
	w.bare("send_custom_message", "message", text(w.follower("anna"), "hello"))
	w.ends("read", events.ResultDone)
	w.ends("message", events.ResultDone)
	if n := w.calls("create_group"); n != workers/2 {
		t.Errorf("%d calls of the API that hangs at once", n)
	}
}
