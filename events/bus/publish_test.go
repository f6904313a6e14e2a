package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

func TestPublishAcks(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	if ack := publish(t, b, "wx.inbound.text", "1", "a"); ack != (Ack{Sequence: 1}) {
		t.Errorf("%+v", ack)
	}
	if ack := publish(t, b, "wx.inbound.image", "2", "b"); ack != (Ack{Sequence: 2}) {
		t.Errorf("%+v", ack)
	}
	if ack := publish(t, b, "wx.inbound.text", "3", "a"); ack != (Ack{Sequence: 1, Duplicate: true}) {
		t.Errorf("%+v instead of the first copy's", ack)
	}
	header := events.Header{"X": {"1", "2"}, "Nats-Msg-Id": {"theirs"}}
	ack, err := b.Publish(within(t), "wx.inbound.text", header, []byte("4"), "ours", "")
	if err != nil || ack.Sequence != 3 {
		t.Fatal(ack, err)
	}
	if got := header.Get("Nats-Msg-Id"); got != "theirs" {
		t.Errorf("the caller's header became %q", got)
	}
	m, err := b.Stored(within(t), StreamInbound, 3)
	if err != nil || m.Subject != "wx.inbound.text" || string(m.Body) != "4" || m.Sequence != 3 || m.Time.IsZero() ||
		m.Header.Get("Nats-Msg-Id") != "ours" || len(m.Header["X"]) != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := b.Stored(within(t), StreamInbound, 4); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("%v", err)
	}
}

// A plain subscriber's answer comes before the ack or long after it, and may
// look like anything.
func TestAnswersAreNoAcks(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	answers := make(chan Answer, 100)
	b.OnAnswer(func(a Answer) { answers <- a })
	service := s.Conn()
	bodies := []string{
		"hello", "", "+ACK", "{}", "null", "[]", `{"msgtype":"wait"}`,
		`{"msgtype":"text","text":{"content":"hi"},"stream":"X","seq":1}`,
		`{"error":{"code":404,"description":"no such order"}}`, `{"stream":"X"}`, `{"seq":9}`, `{"stream":"","seq":9}`,
	}
	requests := make(chan *nats.Msg, 1)
	// A queue group answers at once, from another goroutine of the server than the stream's.
	if _, err := service.Subscribe("wx.inbound.text", func(m *nats.Msg) {
		for _, body := range bodies {
			reply := nats.NewMsg(m.Reply)
			reply.Header.Set("X", "1")
			reply.Data = []byte(body)
			if err := service.PublishMsg(reply); err != nil {
				t.Error(err)
			}
		}
		requests <- m
	}); err != nil {
		t.Fatal(err)
	}
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	ack, err := b.Publish(within(t), "wx.inbound.text", nil, []byte("x"), "1", "e-1")
	if err != nil || ack != (Ack{Sequence: 1}) {
		t.Fatalf("%+v, %v", ack, err)
	}
	request := <-requests
	heard := func(want string) {
		t.Helper()
		select {
		case a := <-answers:
			if a.Key != "e-1" || string(a.Body) != want {
				t.Errorf("%q under %q instead of %q", a.Body, a.Key, want)
			}
		case <-time.After(generous):
			t.Fatalf("%q is not heard", want)
		}
	}
	for _, body := range bodies {
		heard(body)
	}
	// Long after the ack, and after the publisher forgot the message.
	if err := request.Respond([]byte("late")); err != nil {
		t.Fatal(err)
	}
	heard("late")
	// Without a key nobody listens; the next message proves that the answers are through.
	if _, err := b.Publish(within(t), "wx.inbound.text", nil, []byte("x"), "2", ""); err != nil {
		t.Fatal(err)
	}
	if err := (<-requests).Respond([]byte("unheard")); err != nil {
		t.Fatal(err)
	}
	if err := request.Respond([]byte("last")); err != nil {
		t.Fatal(err)
	}
	heard("last")
}

func TestRefused(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	for range MaxReplies {
		publish(t, b, "wx.reply.e-1", "hello", "")
	}
	var refused *RefusedError
	_, err := b.Publish(within(t), "wx.reply.e-1", nil, []byte("hello"), "", "")
	if !errors.As(err, &refused) || refused.Code != 10077 || refused.Subject != "wx.reply.e-1" || !strings.Contains(err.Error(), "per subject") {
		t.Errorf("%v", err)
	}
	publish(t, b, "wx.mark.e-1", "x", "")  // the key's markers have room of their own
	publish(t, b, "wx.reply.e-2", "x", "") // so has another key
	log, err := b.Log(within(t), "e-1")
	if err != nil || len(log) != MaxReplies+1 || log[MaxReplies].Subject != "wx.mark.e-1" {
		t.Errorf("%d in the log, %v", len(log), err)
	}
}

// What is sent once is stored or refused, and a refusal is known as the client's.
func TestOnce(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	first := func() *nats.Msg {
		m := nats.NewMsg("wx.mark.e-1")
		m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
		return m
	}
	if ack, err := b.Once(within(t), generous, first()); err != nil || ack != (Ack{Sequence: 1}) {
		t.Errorf("%+v, %v", ack, err)
	}
	if _, err := b.Once(within(t), generous, first()); !errors.Is(err, jetstream.ErrKeyExists) {
		t.Errorf("%v", err)
	}
	if _, err := b.Once(within(t), generous, nats.NewMsg("nobody.listens")); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(within(t))
	cancel()
	if _, err := b.Once(ctx, generous, nats.NewMsg("wx.mark.e-1")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if ack := publish(t, b, "wx.mark.e-1", "x", ""); ack.Sequence != 2 {
		t.Errorf("what was sent after its time is stored: %+v", ack)
	}
	b.nc.Close()
	if _, err := b.Once(within(t), generous, first()); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("%v", err)
	}
}

// What a stream of several replicas says of a conflict is one too.
func TestConflictOfReplicas(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		jetstream.ErrKeyExists, fmt.Errorf("several replicas: %w", jetstream.ErrKeyRevisionMismatch),
		&jetstream.APIError{ErrorCode: 10071}, fmt.Errorf("several replicas: %w", &jetstream.APIError{ErrorCode: 10164}),
	} {
		if !Conflict(err) {
			t.Errorf("%v is no conflict", err)
		}
	}
	if Conflict(nil) || Conflict(jetstream.ErrKeyNotFound) || Conflict(context.DeadlineExceeded) || Conflict(&jetstream.APIError{ErrorCode: 10077}) {
		t.Error("everything is a conflict")
	}
}

// Two processes publish one message at the same moment to a stream of three
// replicas: while these are at work on the first copy the second is no refusal, and
// both hear where it is stored.
func TestSameMessageAtOnceOnACluster(t *testing.T) {
	t.Parallel()
	s := bustest.StartCluster(t, 3)
	streams := testStreams()
	streams.Replicas = 3
	var buses []*Bus
	for range 2 {
		b, err := Connect("test", Config{URL: s.URL(), InboxPrefix: "_INBOX"}, "wx", streams, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		go func() { _ = b.Run(ctx) }()
		if _, _, err := b.Settled(within(t)); err != nil {
			t.Fatal(err)
		}
		buses = append(buses, b)
	}
	for round := range 20 {
		acks := make(chan Ack, len(buses))
		var both sync.WaitGroup
		for _, b := range buses {
			both.Go(func() {
				ack, err := b.Publish(within(t), "wx.outcome.text", nil, []byte("x"), fmt.Sprint(round), "")
				if err != nil {
					t.Error(err)
				}
				acks <- ack
			})
		}
		both.Wait()
		if one, two := <-acks, <-acks; one.Sequence != two.Sequence || one.Duplicate == two.Duplicate {
			t.Errorf("%+v and %+v", one, two)
		}
	}
}

// A stream of one replica and one of several refuse the same thing in other words.
func TestRefusalsOfReplicas(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]jetstream.ErrorCode{
		`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"X","seq":0}`: jetstream.JSErrCodeStreamWrongLastSequence,
		`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"X","seq":0}`:    jetstream.JSErrCodeStreamWrongLastSequenceConstant,
	} {
		a, ok := readAck(&nats.Msg{Data: []byte(answer)})
		var refusal *jetstream.APIError
		if _, err := a.verdict("s"); !ok || !errors.As(err, &refusal) || refusal.ErrorCode != want {
			t.Errorf("%s: %v, %v", answer, ok, err)
		}
	}
}

func TestFinalErrors(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	if _, err := b.Publish(within(t), "wx.inbound.text", nil, make([]byte, 2<<20), "", ""); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("%v", err)
	}
	if _, err := b.Publish(within(t), "", nil, nil, "", ""); !errors.Is(err, nats.ErrBadSubject) {
		t.Errorf("%v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Publish(over, "wx.inbound.text", nil, nil, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := b.Stored(within(t), StreamInbound, 1); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("what nobody waits for any more was published: %v", err)
	}
	b.Close()
	if _, err := b.Publish(within(t), "wx.inbound.text", nil, nil, "", ""); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("%v", err)
	}
}

func TestNoStream(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := b.Publish(ctx, "nowhere.inbound.text", nil, []byte("x"), "1", "")
	if !errors.Is(err, nats.ErrNoResponders) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestNATSAway(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := b.Publish(ctx, "wx.inbound.text", nil, []byte("x"), "1", "")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no ack") && !strings.Contains(err.Error(), "not connected") {
		t.Errorf("%v", err)
	}
	// One call, begun while NATS is away, ends well when it is back.
	done := make(chan error, 1)
	call := within(t)
	go func() {
		_, err := b.Publish(call, "wx.inbound.text", nil, []byte("x"), "2", "")
		done <- err
	}()
	s.Start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if ack := publish(t, b, "wx.inbound.text", "x", "2"); ack != (Ack{Sequence: 1, Duplicate: true}) {
		t.Errorf("%+v: nothing was to be stored but the second message", ack)
	}
}

// An ack that misses its attempt still counts, and as what it says: taken for
// lost, WeChat's first try would look like its second.
func TestLateAckCounts(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	m := nats.NewMsg("x")
	w := b.pub.expect(m, "e-1")
	defer b.pub.forget(w)
	if err := s.Conn().Publish(m.Reply, []byte(`{"stream":"WX_INBOUND","seq":7}`)); err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-w.acks:
		if ack, err := a.verdict("x"); err != nil || ack != (Ack{Sequence: 7}) {
			t.Errorf("%+v, %v", ack, err)
		}
	case <-time.After(generous):
		t.Fatal("not heard")
	}
}

// FuzzPlainAck holds the short way of reading an ack against the long one.
func FuzzPlainAck(f *testing.F) {
	for _, s := range []string{`{"stream":"X","seq":7}`, `{"stream":"","seq":7}`, `{"stream":"X","seq":07}`, `{"stream":"X","seq":-7}`, `{"stream":"X","seq":7,"duplicate":true}`, `{"stream":"X\"","seq":7}`, `{"stream":"X","seq":99999999999999999999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, ok := plainAck(data)
		if !ok || !utf8.Valid(data) {
			return
		}
		var long ack
		if err := json.Unmarshal(data, &long); err != nil || long.Stream != a.Stream || *long.Sequence != *a.Sequence || long.Duplicate || long.Error != nil || long.MsgType != nil {
			t.Errorf("%q is read as %+v, the long way %+v, %v", data, a, long, err)
		}
	})
}

func TestReadAckOfALeaderlessStream(t *testing.T) {
	t.Parallel()
	m := &nats.Msg{Data: []byte(`{"stream":"X","seq":0,"error":{"code":503,"err_code":10008,"description":"temporarily unavailable"}}`)}
	var refused *RefusedError
	a, isAck := readAck(m)
	if _, err := a.verdict("x"); !isAck || err == nil || errors.As(err, &refused) {
		t.Errorf("%v is to be tried again", err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	publish(t, b, "wx.mark.e-1", "1", "")
	publish(t, b, "wx.reply.e-2", "2", "")
	publish(t, b, "wx.reply.e-1", "3", "")
	publish(t, b, "wx.mark.e-1", "4", "")
	log, err := b.Log(within(t), "e-1")
	if err != nil || len(log) != 3 {
		t.Fatal(log, err)
	}
	for i, want := range []struct {
		subject, body string
		sequence      uint64
	}{{"wx.mark.e-1", "1", 1}, {"wx.reply.e-1", "3", 3}, {"wx.mark.e-1", "4", 4}} {
		if m := log[i]; m.Subject != want.subject || string(m.Body) != want.body || m.Sequence != want.sequence || m.Time.IsZero() {
			t.Errorf("%+v", m)
		}
	}
	if log, err := b.Log(within(t), "e-3"); err != nil || len(log) != 0 {
		t.Errorf("%v, %v", log, err)
	}
}
