package bus

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

func TestDo(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.executes(t, func(c events.Command, sequence uint64) (string, events.Result) {
		if c.ID == "taken" {
			return events.ResultID(c.ID + "-" + strconv.FormatUint(sequence, 10)), events.Result{Outcome: events.ResultRejected, Class: "id_conflict"}
		}
		return events.ResultID(c.ID), events.Result{Outcome: events.ResultDone, Attempts: 1, Response: []byte(`{"of":"` + c.ID + `"}`)}
	})
	// Others' results of the same verb are not taken for ours.
	for _, id := range []string{"other-1", "other-2"} {
		if _, err := s.app.Do(within(t), "get_groups", id, map[string]any{}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.app.Do(within(t), "get_groups", "mine", map[string]any{})
	if err != nil || r.Outcome != events.ResultDone || string(r.Response) != `{"of":"mine"}` {
		t.Fatalf("%+v, %v", r, err)
	}
	// Again, as after a crash: the stream has the command already, nobody
	// executes it, and its result lies before.
	r, err = s.app.Do(within(t), "get_groups", "other-1", map[string]any{})
	if err != nil || string(r.Response) != `{"of":"other-1"}` {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = s.app.Do(within(t), "get_groups", "taken", map[string]any{}); err != nil || r.Class != "id_conflict" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = s.app.Do(within(t), "get_groups", "", map[string]any{}); err != nil || r.Outcome != events.ResultDone {
		t.Errorf("%+v, %v", r, err)
	}
}

// When Do returns its result can be read: it is heard before it is stored, and who
// then asks with another command of the same id would take it for its own.
func TestDoLeavesItsResultStored(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.executes(t, func(c events.Command, _ uint64) (string, events.Result) {
		return events.ResultID(c.ID), events.Result{Outcome: events.ResultDone}
	})
	stream, err := s.app.JetStream.Stream(within(t), "WX_RESULT")
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(300) {
		if _, err := s.app.Do(within(t), "get_groups", "", map[string]any{}); err != nil {
			t.Fatal(err)
		}
		info, err := stream.Info(within(t))
		if err != nil || info.State.LastSeq != n+1 {
			t.Fatalf("%d results are stored, not %d, %v", info.State.LastSeq, n+1, err)
		}
	}
}

// A result that was published while the connection was away is read from the stream.
func TestDoOverARestart(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		s.soon(t, "the command is stored", func() bool {
			_, err := s.bridge.Stored(t.Context(), StreamCmd, 1)
			return err == nil
		})
		s.nats.Stop()
		s.nats.Start()
		// Into the stream alone, as a subscriber sees it who was away.
		waitSettled(t, s.bridge)
		e, err := events.NewResult("wx01", events.Command{ID: "mine", Verb: "get_groups"}, "mine.res", time.Now(), events.Result{Outcome: events.ResultDone})
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := s.bridge.PublishEvent(within(t), "wx.result.get_groups", e, "", ""); err != nil {
			t.Error(err)
		}
	}()
	if r, err := s.app.Do(within(t), "get_groups", "mine", map[string]any{}); err != nil || r.Outcome != events.ResultDone {
		t.Errorf("%+v, %v", r, err)
	}
	<-stored
}

// Do looks for the result of a command that was sent before as far back as the
// stream of commands knows its id, which an operator may make longer than any default.
func TestDoLooksBackAsFarAsIdsAreKnown(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	js := s.nats.JetStream()
	cmd, err := js.Stream(within(t), "WX_CMD")
	if err != nil {
		t.Fatal(err)
	}
	config := cmd.CachedInfo().Config
	config.Duplicates = 3 * time.Hour
	if _, err := js.UpdateStream(within(t), config); err != nil {
		t.Fatal(err)
	}
	if got := s.app.knows(within(t)); got != 3*time.Hour {
		t.Errorf("%s", got)
	}
	elsewhere := s.app
	elsewhere.Prefix = "elsewhere"
	if got := elsewhere.knows(within(t)); got != time.Hour {
		t.Errorf("without looking %s", got)
	}
	publish(t, s.bridge, "wx.result.get_groups", "x", "")
	publish(t, s.bridge, "wx.result.get_groups", "y", "")
	for back, next := range map[time.Duration]uint64{time.Hour: 1, -time.Hour: 3} {
		w, err := s.app.awaitResults(within(t), "get_groups")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.rewind(within(t), back); err != nil || w.next != next {
			t.Errorf("back %s: from %d, %v", back, w.next, err)
		}
		w.stop()
	}
}

func TestDoFaults(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.app.Do(ctx, "get_groups", "slow", map[string]any{}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "result of command slow") {
		t.Errorf("%v", err)
	}
	if _, err := s.app.Do(within(t), "get_groups", "list", []int{1}); err == nil || !strings.Contains(err.Error(), "not a JSON object") {
		t.Errorf("%v", err)
	}
	if _, err := s.app.Send(within(t), "get_groups", "channel", make(chan int)); err == nil {
		t.Error("a channel was sent")
	}
}
