package bus

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
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

// What a stream of somebody else says.
const (
	copied      = `{"stream":"COPY","domain":"leaf","seq":77}`
	copyRefused = `{"stream":"COPY","seq":0,"error":{"code":400,"err_code":10060,"description":"expected stream does not match"}}`
)

// say answers at once all that is published on subjects.
func say(t *testing.T, s *bustest.Server, words map[string]string) {
	t.Helper()
	nc := s.Conn()
	for subject, says := range words {
		if _, err := nc.Subscribe(subject, func(m *nats.Msg) {
			if err := m.Respond([]byte(says)); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// A stream of somebody else on the same subjects, as a copy behind a leaf node,
// acknowledges too; that ours has stored the message only ours can say.
func TestAcksOfOtherStreamsAreNoise(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	say(t, s, map[string]string{
		"wx.inbound.*":   copied,
		"wx.mark.*":      copyRefused,
		"$KV.WX_CLAIM.>": `{"stream":"KV_COPY","seq":77}`,
	})
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

// An application's reply and command are stored when their own stream says so, not
// when a copy does or a plain subscriber answers. Nothing is looked up for that: not
// every application may.
func TestAppHearsItsStreamAlone(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	if err := Ensure(within(t), s.nats.JetStream(), "wx.shop", testStreams()); err != nil {
		t.Fatal(err)
	}
	say(t, s.nats, map[string]string{"wx.cmd.*": copied, "wx.reply.*": copyRefused, "wx.shop.reply.*": "thanks"})
	for want := range uint64(20) {
		ack, err := s.app.send(within(t), "get_groups", "c-"+strconv.Itoa(int(want)), map[string]any{})
		if err != nil || ack.Sequence != want+1 {
			t.Fatalf("%+v, %v", ack, err)
		}
	}
	for _, subject := range []string{"wx.reply.e-1", "wx.shop.reply.e-1"} { // the second is another account's
		if err := s.app.Reply(within(t), events.InboundEvent{ID: "e-1", ReplyTo: subject}, events.TextReply("hi")); err != nil {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if err := s.app.JetStream.DeleteStream(within(t), "WX_CMD"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.app.Send(ctx, "get_groups", "lost", map[string]any{}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "from the stream COPY, but none from WX_CMD") {
		t.Errorf("stored without the stream: %v", err)
	}
}
