package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// replayed is what a Replay told, in its order.
type replayed struct {
	mu   sync.Mutex
	told []string
	news chan struct{}
}

func (r *replayed) tell(what string) {
	r.mu.Lock()
	r.told = append(r.told, what)
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// until waits for what is told, "" for anything.
func (r *replayed) until(t *testing.T, what string) []string {
	t.Helper()
	ctx := within(t)
	for {
		r.mu.Lock()
		told := slices.Clone(r.told)
		r.mu.Unlock()
		if slices.Contains(told, what) || what == "" && len(told) > 0 {
			return told
		}
		select {
		case <-r.news:
		case <-ctx.Done():
			t.Fatalf("%q never came: %q", what, told)
		}
	}
}

// replay runs a Replay of inbound events and replies, and tells of its end.
func replay(t *testing.T, b *Bus) *replayed {
	t.Helper()
	r := &replayed{news: make(chan struct{}, 1)}
	runs(t, func(ctx context.Context) {
		err := b.Replay(ctx, []Past{{Stream: StreamInbound, Back: time.Hour}, {Stream: StreamReply, Back: time.Hour}}, func(stream string, m events.Message) {
			r.tell(stream + " " + string(m.Body))
		}, func() { r.tell("caught up") })
		r.tell(fmt.Sprintf("ended %t", err != nil && !errors.Is(err, context.Canceled)))
	})
	return r
}

// The past of all streams comes before caughtUp, each in its order; then what is new.
func TestReplayOfThePast(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	publish(t, b, "wx.inbound.text", "1", "")
	publish(t, b, "wx.reply.a", "2", "")
	publish(t, b, "wx.inbound.text", "3", "")
	r := replay(t, b)
	told := r.until(t, "caught up")
	if at := slices.Index(told, "INBOUND 3"); len(told) != 4 || told[3] != "caught up" || at < slices.Index(told, "INBOUND 1") {
		t.Errorf("%q", told)
	}
	publish(t, b, "wx.reply.a", "4", "")
	if told = r.until(t, "REPLY 4"); len(told) != 5 {
		t.Errorf("%q", told)
	}
}

func TestReplayOfNothing(t *testing.T) {
	t.Parallel()
	if told := replay(t, settled(t, bustest.Start(t))).until(t, "caught up"); len(told) != 1 {
		t.Errorf("%q", told)
	}
}

// Streams that grow faster than they are read are caught up with all the same:
// what was there at the start is known then.
func TestReplayOfABusyStream(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	const past = 600 // more than the server sends ahead
	for n := range past {
		publish(t, b, "wx.inbound.text", fmt.Sprint(n), "")
	}
	ctx, stop := context.WithCancel(within(t))
	read, caughtUp := 0, 0
	err := b.Replay(ctx, []Past{{Stream: StreamInbound, Back: time.Hour}}, func(string, events.Message) {
		read++
		if read == 2*past {
			stop()
			return
		}
		for range 3 {
			if _, err := b.Publish(ctx, "wx.inbound.text", nil, []byte("more"), "", ""); err != nil {
				stop()
			}
		}
	}, func() { caughtUp = read; stop() })
	if caughtUp != past || !errors.Is(err, context.Canceled) {
		t.Errorf("caught up after %d of %d messages: %v", caughtUp, read, err)
	}
}

// A Replay ends with its connection, and with its stream, which is then made anew.
func TestReplayEnds(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	r := replay(t, b)
	r.until(t, "caught up")
	s.Stop()
	r.until(t, "ended false")
	s.Start()
	waitSettled(t, b)

	r = replay(t, b)
	r.until(t, "caught up")
	if err := b.js.DeleteStream(within(t), "WX_REPLY"); err != nil {
		t.Fatal(err)
	}
	r.until(t, "ended true")
	for again := ""; again != "caught up"; { // whoever wants to go on begins again
		again = replay(t, b).until(t, "")[0]
	}
}

// What was there at the start comes before caughtUp, also from a replica that lags
// and does not know it yet.
func TestReplayWhereAReplicaLags(t *testing.T) {
	t.Parallel()
	s := bustest.StartLaggingCluster(t, 3)
	streams := testStreams()
	streams.Replicas = 3
	b := connect(t, s.URL(), streams)
	waitSettled(t, b)
	publish(t, b, "wx.inbound.text", "known to all", "")
	lags := s.Follower(t, "WX_INBOUND")
	s.Lag(lags)
	publish(t, b, "wx.inbound.text", "new", "")
	// A consumer is on one of three replicas, whichever.
	var all []*replayed
	for range 12 {
		all = append(all, replay(t, b))
	}
	time.AfterFunc(2*time.Second, func() { s.CatchUp(lags) }) // long enough to be misled
	for _, r := range all {
		told := r.until(t, "caught up")
		if at := slices.Index(told, "INBOUND new"); at < 0 || at > slices.Index(told, "caught up") {
			t.Errorf("%q", told)
		}
	}
}
