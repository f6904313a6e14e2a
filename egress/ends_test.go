package egress

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// The dead letters are full. Commands that are refused stay in the queue, since
// nobody may lose them, and that is said: once in the log, and in the readiness.
// Others are done, and when there is room again nothing is left.
func TestFullDeadLettersAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := make(warnings, 100)
	p := w.start(func(e *Egress) { e.logger = slog.New(said) }).ready()
	w.roomFor("WX_DLQ", 1)
	refused := []string{"bad-1", "bad-2", "bad-3"}
	for _, id := range refused {
		w.bare("get_user_info", id, `{"openid":"?`+id+`"}`) // in a lane each
	}
	w.eventually("the process says what waits", func() bool {
		reasons := strings.Join(p.Reasons(), "")
		return strings.Contains(reasons, "results of 3 commands") && strings.Contains(reasons, "maximum bytes")
	})
	w.bare("get_groups", "good", `{}`)
	w.ends("good", events.ResultDone)
	w.roomFor("WX_DLQ", -1)
	for _, id := range refused {
		w.ends(id, events.ResultRejected)
	}
	w.eventually("ready again", func() bool { return len(p.Reasons()) == 0 })
	w.emptied()
	waits := 0
	for len(said) > 0 {
		if <-said == "results wait for the bus" {
			waits++
		}
	}
	if waits != 1 {
		t.Errorf("said %d times", waits)
	}
}

// A command whose result waits is taken from the queue by hand: it is not told of for ever.
func TestEndsThatNobodyTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s ends
		if !s.wait("gone", errors.New("full")) || s.reason() == "" {
			t.Error("the first is not told of")
		}
		<-time.After(endsTold)
		s.wait("tried", errors.New("full"))
		<-time.After(time.Second)
		if got := s.reason(); !strings.Contains(got, "results of 1 command") {
			t.Errorf("%q", got)
		}
		if !s.taken("tried") || s.reason() != "" {
			t.Errorf("%q is left", s.reason())
		}
	})
}
