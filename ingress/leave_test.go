package ingress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// WeChat hangs up while it is held: the room is given back, and nothing was
// answered that nobody read. Then everything ends: the server, Run, every goroutine.
//
// Not parallel, for it looks at all goroutines.
func TestPeersThatHangUpLeaveNothingBehind(t *testing.T) {
	w := newWorld(t, callback.ModeSafe)
	r := w.replica()
	const n = 20
	for _, doc := range [][]byte{text(alice, private), text(bob, private)} {
		ctx, hangUp := context.WithCancel(t.Context())
		var held []<-chan answer
		for range n {
			held = append(held, w.tryUntil(ctx, r, doc))
			next(t, r.stored)
		}
		if got := r.waiting(); got != 1 {
			t.Errorf("%d rooms for one event", got)
		}
		hangUp()
		for _, try := range held {
			if a := next(t, try); a.err == nil {
				t.Errorf("answered %d %q", a.status, a.body)
			}
		}
		eventually(t, "the room is given back", func() bool { return r.waiting() == 0 })
	}
	r.stop()
	if all := w.outcomes(); len(all) != 0 {
		t.Errorf("outcomes of what nobody waited for: %v", all)
	}
	client.CloseIdleConnections()
	eventually(t, "all goroutines end", func() bool {
		return len(goroutinesIn("ingress.(*Ingress)", "ingress.(*tasks)", "bus.(*Feed)", "net/http.(*conn)")) == 0
	})
}

// goroutinesIn returns the stacks that hold one of the names.
func goroutinesIn(names ...string) (found []string) {
	stacks := make([]byte, 1<<20)
	for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		for _, name := range names {
			if strings.Contains(stack, name) {
				found = append(found, stack)
				break
			}
		}
	}
	return found
}

// A request that ends before its answer, for whatever reason, must not be
// answered by accident: 200 and nothing means received, and the message would be lost.
func TestHoldThatIsCutOffIsNoEmptyAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	ctx, cut := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) { r.ServeHTTP(rw, req.WithContext(ctx)) }))
	defer server.Close()
	req := w.request(t.Context(), server.URL+"/wx", text(alice, private))
	ended := make(chan answer, 1)
	go func() { ended <- do(req) }()
	next(t, heard)
	next(t, r.stored)
	cut()
	if a := next(t, ended); a.err == nil {
		t.Errorf("answered %d %q", a.status, a.body)
	}
}

// The process is told to stop while it holds: nothing new is accepted, every
// held try runs to its own end, and the answers are kept like any.
func TestShutdownDuringHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	stopping := make(chan struct{})
	r := w.replica(func(s *setup) {
		s.FallbackText = sorry
		s.tune = func(server *http.Server) { server.RegisterOnShutdown(func() { close(stopping) }) }
	})
	heard := w.service()
	answered := w.try(r, text(alice, private))
	toAlice := next(t, heard)
	next(t, r.stored)
	released := w.try(r, text(bob, private))
	toBob := next(t, heard)
	next(t, r.stored)
	forgotten := w.try(r, text(alice+"_too", private))
	toNobody := next(t, heard)
	next(t, r.stored)

	stopped := make(chan struct{})
	go func() { defer close(stopped); r.stop() }()
	next(t, stopping)
	w.reply(toAlice.ReplyTo, nil, private+" hello")
	noError(t, toBob.message.Respond([]byte(`{"msgtype":"release"}`)))
	if got := w.says(next(t, answered)); got != private+" hello" {
		t.Errorf("answered %q", got)
	}
	if got := w.says(next(t, released)); got != callback.Success {
		t.Errorf("answered %q", got)
	}
	if a := next(t, w.try(r, text(alice, private))); a.err == nil {
		t.Errorf("a new request is answered %d", a.status)
	}
	if got := w.says(next(t, forgotten)); got != sorry {
		t.Errorf("answered %q", got)
	}
	next(t, stopped)
	for id, want := range map[string]string{
		toAlice.ID: events.OutcomeReplied, toBob.ID: events.OutcomeReleased, toNobody.ID: events.OutcomeFallback,
	} {
		if o := w.outcome(id); o.Outcome.Outcome != want {
			t.Errorf("outcome %+v, want %s", o.Outcome, want)
		}
	}
}
