package bus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// What an earlier attempt says late, that it was not sent or found nobody, does not
// hide that the message is stored.
func TestStoredIsHeardBehindAnything(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	one, two := uint64(1), uint64(2)
	for name, before := range map[string]ack{"not sent": {unsent: nats.ErrTimeout}, "nobody": {nobody: true}, "nothing": {}} {
		w := b.pub.expect(nats.NewMsg("x"), "")
		if name != "nothing" {
			b.pub.hear(w.number, before)
		}
		b.pub.hear(w.number, ack{Sequence: &one})
		b.pub.hear(w.number, ack{Sequence: &two, Duplicate: true})
		b.pub.hear(w.number, before)
		if got, err := (<-w.acks).verdict("x"); err != nil || got != (Ack{Sequence: 1}) {
			t.Errorf("after %s: %+v, %v", name, got, err)
		}
		b.pub.forget(w)
	}
}

// A stream of somebody else on the same subjects, as a copy behind a leaf node,
// acknowledges too; that ours has stored the message only ours can say.
func TestAcksOfOtherStreamsAreNoise(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	other := s.Conn()
	for subject, says := range map[string]string{
		"wx.inbound.*":   `{"stream":"COPY","domain":"leaf","seq":77}`,
		"wx.mark.*":      `{"stream":"COPY","seq":0,"error":{"code":400,"err_code":10060,"description":"expected stream does not match"}}`,
		"$KV.WX_CLAIM.>": `{"stream":"KV_COPY","seq":77}`,
	} {
		if _, err := other.Subscribe(subject, func(m *nats.Msg) {
			if err := m.Respond([]byte(says)); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	for want := range uint64(20) {
		if ack := publish(t, b, "wx.inbound.text", "x", ""); ack.Sequence != want+1 {
			t.Fatalf("%+v", ack)
		}
		publish(t, b, "wx.mark.e-1", "x", "")
		if ack, err := b.Once(within(t), generous, nats.NewMsg("$KV.WX_CLAIM.a.b")); err != nil || ack.Sequence != want+1 {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	if err := s.JetStream().DeleteStream(within(t), "WX_INBOUND"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if ack, err := b.Publish(ctx, "wx.inbound.text", nil, []byte("x"), "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stored without the stream: %+v, %v", ack, err)
	}
}
