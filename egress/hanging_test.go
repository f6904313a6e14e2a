package egress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// Row 51: two APIs hang, and more of their commands wait than there are workers and
// than are read ahead. The others are executed as if they were not there.
func TestHangingAPIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.adjust = func(c *wxapi.Config) { c.Timeout = time.Hour }
	hanging := []string{"create_group", "create_tag"}
	for _, verb := range hanging {
		w.fault(wxsim.Fault{Verb: verb, Kind: wxsim.FaultSlow, DelayMS: 60_000, Times: -1})
		for i := range 3 * workers {
			w.bare(verb, fmt.Sprint(verb, i), `{"`+strings.TrimPrefix(verb, "create_")+`":{"name":"g"}}`)
		}
	}
	w.start(func(e *Egress) { e.grace = 0 })
	for i, verb := range hanging {
		w.arrived(verb, workers>>(i+1))
	}
	w.bare("get_groups", "read", `{}`)
	w.bare("send_custom_message", "message", text(w.follower("anna"), "hello"))
	w.ends("read", events.ResultDone)
	w.ends("message", events.ResultDone)
	for i, verb := range hanging {
		if n := w.calls(verb); n != workers>>(i+1) {
			t.Errorf("%d calls of %s, which hangs, at once", n, verb)
		}
	}
}
