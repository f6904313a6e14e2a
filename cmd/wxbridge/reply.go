package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// replyCommand answers an inbound event, and says what became of the answer if that is
// known soon.
func replyCommand(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("reply", flag.ContinueOnError)
	wait := flags.Duration("wait", 3*time.Second, "how long to wait for the outcome; 0 not at all")
	rest, err := parseFlags(flags, p)
	if err != nil {
		return helped(err)
	}
	if len(rest) != 2 {
		return usage("say what: wxbridge reply <key> <text>, or reply last <text> for the newest message; a text that begins with { is a reply in JSON")
	}
	body := []byte(rest[1])
	if _, err := events.ParseReply(nil, body); err != nil {
		return usage("the reply: %w", err)
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	key, err := t.key(ctx, rest[0])
	if err != nil {
		return err
	}
	outcomes := make(chan *nats.Msg, 64)
	if _, err := t.nc.ChanSubscribe(t.subject(events.Outcomes, "*"), outcomes); err != nil {
		return err
	}
	bounded, cancel := within(ctx)
	defer cancel()
	ack, err := t.JetStream.Publish(bounded, t.subject(events.Replies, key), body)
	if err != nil {
		return fmt.Errorf("the reply is not stored: %w", err)
	}
	t.print("stored as message %d of %s", ack.Sequence, ack.Stream)
	return t.awaitOutcome(ctx, outcomes, key, *wait)
}

// key reads which event is meant: its key, its wxreplyto, or the newest there is.
func (t *tool) key(ctx context.Context, which string) (string, error) {
	if branch, key, ok := t.Prefix.Split(which); ok && branch == events.Replies {
		return key, nil
	}
	if which != "last" {
		if which == "" || strings.ContainsAny(which, ".*> \t\r\n") {
			return "", usage("%q is no key: it is the id of an inbound event, the end of its wxreplyto", which)
		}
		return which, nil
	}
	ctx, cancel := within(ctx)
	defer cancel()
	stream, err := t.JetStream.Stream(ctx, t.stream(bus.StreamInbound))
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.stream(bus.StreamInbound), err)
	}
	m, err := stream.GetLastMsgForSubject(ctx, t.subject(events.Inbound, "*"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return "", errors.New("nobody has written yet")
	}
	if err != nil {
		return "", err
	}
	in, err := events.ParseInbound(t.Prefix, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data})
	if err != nil {
		return "", err
	}
	t.print("the newest is %s, %s, %s ago", in.ID, in.Kind, time.Since(m.Time).Round(time.Second))
	return in.ID, nil
}

// awaitOutcome prints how the event ended, if it does soon.
func (t *tool) awaitOutcome(ctx context.Context, outcomes <-chan *nats.Msg, key string, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-over.C:
			t.print("no outcome within %s: it has one already, or `wxbridge tail outcome` will show it", wait)
			return nil
		case m := <-outcomes:
			o, err := events.ParseOutcome(events.Header(m.Header), m.Data)
			if err == nil && o.Event == key {
				t.print("%s", t.line(m))
				return nil
			}
		}
	}
}
