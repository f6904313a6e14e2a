package bus

import (
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// feed gives a feed that runs and is ready.
func feed(t *testing.T, b *Bus, r *recorder) Feed {
	t.Helper()
	f := b.NewFeed(r.handle)
	runs(t, f.Run)
	waitReady(t, f)
	return f
}

func waitReady(t *testing.T, f Feed) {
	t.Helper()
	if err := f.WaitReady(within(t)); err != nil {
		t.Fatal(err, f.(*logFeed).bus.Reasons())
	}
}

// keyLogs is what the stream holds, without the feeds' own markers.
func keyLogs(t *testing.T, b *Bus) []events.Message {
	t.Helper()
	stream, err := b.js.Stream(within(t), "WX_REPLY")
	if err != nil {
		t.Fatal(err)
	}
	var all []events.Message
	for sequence := uint64(1); sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		m, err := b.Stored(within(t), StreamReply, sequence)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(m.Subject, "wx.mark."+probePrefix) {
			all = append(all, m)
		}
	}
	return all
}

func checkSame(t *testing.T, got, want []events.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d messages fed, %d stored", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i].Sequence != want[i].Sequence || got[i].Subject != want[i].Subject || string(got[i].Body) != string(want[i].Body) {
			t.Fatalf("number %d is %d %s %q instead of %d %s %q", i, got[i].Sequence, got[i].Subject, got[i].Body,
				want[i].Sequence, want[i].Subject, want[i].Body)
		}
	}
}

func TestFeedBeginsAtTheEnd(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	publish(t, b, "wx.reply.e-0", "before", "")
	r := newRecorder()
	f := feed(t, b, r)
	if !f.Ready() {
		t.Error("ready, and not ready")
	}
	header := events.Header{"X": {"1"}}
	if _, err := b.Publish(within(t), "wx.reply.e-1", header, []byte("hello"), "", ""); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "wx.mark."+probePrefix+"x", "another process's probe", "")
	publish(t, b, "wx.mark.e-1", "mark", "")
	got := r.until(t, 2)
	checkSame(t, got, keyLogs(t, b)[1:])
	if got[0].Header.Get("X") != "1" || got[0].Time.IsZero() || string(got[1].Body) != "mark" {
		t.Errorf("%+v", got)
	}
}

func TestFeedGivesBranchAndKey(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	type place struct {
		branch events.Branch
		key    string
	}
	places := make(chan place, 10)
	f := b.NewFeed(func(branch events.Branch, key string, _ events.Message) { places <- place{branch, key} })
	runs(t, f.Run)
	waitReady(t, f)
	publish(t, b, "wx.mark.e-1", "x", "")
	publish(t, b, "wx.reply.e-2", "x", "")
	if got := []place{<-places, <-places}; !slices.Equal(got, []place{{events.Marks, "e-1"}, {events.Replies, "e-2"}}) {
		t.Errorf("%v", got)
	}
}

// The hard one: two connections publish while the server stops and starts
// twice. The feed gives exactly what the stream holds, in its order.
func TestFeedOverRestarts(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b, other := settled(t, s), settled(t, s)
	r := newRecorder()
	f := feed(t, b, r)
	const each = 1000
	ctx := within(t)
	var publishers sync.WaitGroup
	half := make(chan struct{}, 4)
	for who, from := range []*Bus{b, other} {
		publishers.Go(func() {
			for n := range each {
				// A lost ack may store a message twice; what is stored is what counts.
				subject := fmt.Sprintf("wx.reply.e-%d-%d", who, n/20)
				if _, err := from.Publish(ctx, subject, nil, fmt.Appendf(nil, "%d %d", who, n), "", ""); err != nil {
					t.Error(err)
					return
				}
				if n == each/4 || n == each/2 {
					half <- struct{}{}
				}
			}
		})
	}
	for range 2 {
		<-half
		<-half
		s.Stop()
		if f.Ready() {
			eventually(t, b, "not ready", func() bool { return !f.Ready() })
		}
		s.Start()
	}
	publishers.Wait()
	waitReady(t, f)
	want := keyLogs(t, b)
	if len(want) < 2*each {
		t.Fatalf("%d stored of %d", len(want), 2*each)
	}
	checkSame(t, r.until(t, len(want)), want)
}

func TestFeedReadinessFallsAndComesBack(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	r := newRecorder()
	f := feed(t, b, r)
	s.Stop()
	eventually(t, b, "not ready", func() bool { return !f.Ready() })
	s.Start()
	waitReady(t, f)
	publish(t, b, "wx.reply.e-1", "hello", "")
	r.until(t, 1)
}

// Somebody deletes the stream; the bus makes it anew, and what is in the new
// one is fed from its first message, although its numbers begin again.
func TestFeedSurvivesItsStream(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	r := newRecorder()
	f := feed(t, b, r)
	fed := func(body string) (m events.Message) { // it may be stored twice if its ack is slow
		t.Helper()
		eventually(t, b, body+" is fed", func() bool {
			all := r.all()
			i := slices.IndexFunc(all, func(m events.Message) bool { return string(m.Body) == body })
			if i >= 0 {
				m = all[i]
			}
			return i >= 0
		})
		return m
	}
	for n := range 20 {
		publish(t, b, "wx.reply.e-1", fmt.Sprint("old ", n), "")
	}
	fed("old 19")
	js := s.JetStream()
	if err := js.DeleteStream(within(t), "WX_REPLY"); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "wx.reply.e-2", "new", "") // as soon as there is a stream again
	if m := fed("new"); m.Sequence > 3 {
		t.Errorf("%+v", m)
	}
	waitReady(t, f)

	// At once, before the feed can notice.
	stream, err := js.Stream(within(t), "WX_REPLY")
	if err != nil {
		t.Fatal(err)
	}
	again := stream.CachedInfo().Config
	if err := js.DeleteStream(within(t), "WX_REPLY"); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(within(t), again); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "wx.reply.e-3", "newest", "")
	fed("newest")
	waitReady(t, f)
}

// A full stream refuses the probe; when it has room again the feed gets ready
// without a new connection.
func TestFeedProvesItselfLater(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	streams := testStreams()
	streams.MaxBytes = 1 << 20
	b := connect(t, s.URL(), streams)
	waitSettled(t, b)
	for full := false; !full; {
		_, err := b.Publish(within(t), "wx.reply.big", nil, make([]byte, 500_000), "", "")
		full = err != nil
	}
	for full := false; !full; {
		_, err := b.Publish(within(t), "wx.mark.small", nil, make([]byte, 20_000), "", "")
		full = err != nil
	}
	for full, n := false, 0; !full; n++ {
		_, err := b.Publish(within(t), fmt.Sprintf("wx.mark.tiny-%d", n), nil, make([]byte, 100), "", "")
		full = err != nil
	}
	f := b.NewFeed(newRecorder().handle)
	runs(t, f.Run)
	eventually(t, b, "probing", func() bool { return f.(*logFeed).probe.Load() != nil })
	if f.Ready() {
		t.Error("ready without a proof")
	}
	stream, err := b.js.Stream(within(t), "WX_REPLY")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(within(t)); err != nil {
		t.Fatal(err)
	}
	waitReady(t, f)
}

func TestNothingIsLeftRunning(t *testing.T) { //nolint:paralleltest // counts the goroutines of the whole process
	s := bustest.Start(t)
	mine := func() int {
		var stacks strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
			t.Fatal(err)
		}
		return strings.Count(stacks.String(), "wxbridge/events/bus.(*")
	}
	for range 3 {
		b := settled(t, s)
		ctx, stop := context.WithCancel(t.Context())
		f := b.NewFeed(newRecorder().handle)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f.Run(ctx)
		}()
		waitReady(t, f)
		stop()
		<-ended
	}
	// What is left are the three Run of the buses, which end with the test.
	deadline := time.After(generous)
	for mine() > 3 {
		select {
		case <-deadline:
			var stacks strings.Builder
			_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
			t.Fatalf("%d goroutines run:\n%s", mine(), stacks.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
