package bus

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// What many publish at once is stored once each, and a message that cannot even be
// sent is its sender's trouble alone.
func TestPublishTogether(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	ctx := within(t)
	const senders = 200
	tooLarge := bytes.Repeat([]byte("x"), int(b.nc.MaxPayload())+1)
	var mu sync.Mutex
	sequences := map[uint64]bool{}
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			ack, err := b.Publish(ctx, fmt.Sprintf("wx.mark.e-%d", i), nil, []byte("x"), "", "")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sequences[ack.Sequence] = true
		})
		if i%20 == 0 {
			all.Go(func() {
				if _, err := b.Publish(ctx, "wx.mark.large", nil, tooLarge, "", ""); !errors.Is(err, nats.ErrMaxPayload) {
					t.Errorf("%v, want %v", err, nats.ErrMaxPayload)
				}
			})
		}
	}
	all.Wait()
	if len(sequences) != senders {
		t.Errorf("%d messages are stored, of %d", len(sequences), senders)
	}
}

// Once the connection is closed, publishing says so at once.
func TestPublishOnAClosedConnection(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	b.nc.Close()
	ctx := within(t)
	if _, err := b.Publish(ctx, "wx.mark.e-1", nil, []byte("x"), "", ""); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("%v, want %v", err, nats.ErrConnectionClosed)
	}
}
