package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

const dlqUsage = `say what:
wxbridge dlq list [--name N] [--class C] [--since 24h] [--limit 20] [--open] [--json]
wxbridge dlq show <sequence>
wxbridge dlq redrive <sequence>… | --name N | --class C | --since 24h | --all [--dry-run] [--rate 10] [--limit N] [--unknown]`

// dlqCommand works with dead letters: what could not be processed.
func dlqCommand(ctx context.Context, p *program) error {
	tools := map[string]func(context.Context, *program) error{"list": dlqList, "show": dlqShow, "redrive": dlqRedrive}
	if len(p.args) == 0 || tools[p.args[0]] == nil {
		return usage(dlqUsage)
	}
	run := tools[p.args[0]]
	p.args = p.args[1:]
	return helped(run(ctx, p))
}

// sequences reads the numbers of letters.
func sequences(args []string) (all []uint64, err error) {
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil || n == 0 {
			return nil, usage("%q is not the number of a letter; `wxbridge dlq list` shows them", arg)
		}
		all = append(all, n)
	}
	return all, nil
}

// letter reads one letter of the stream.
func (t *tool) letter(ctx context.Context, stream jetstream.Stream, sequence uint64) (events.Letter, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	m, err := stream.GetMsg(ctx, sequence)
	if err != nil {
		return events.Letter{}, err
	}
	l, err := events.ParseLetter(t.Prefix, events.Message{
		Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Sequence: m.Sequence, Time: m.Time,
	})
	if err != nil {
		// It is somebody's, and people must see it.
		l.Class, l.Reason, l.Sequence, l.Time = "no letter", err.Error(), m.Sequence, m.Time
	}
	return l, nil
}

// marks are the letters that were sent again; nil without the right to read them.
func (t *tool) marks(ctx context.Context) *bus.RedriveMarks {
	ctx, cancel := within(ctx)
	defer cancel()
	marks, err := bus.OpenRedriveMarks(ctx, t.JetStream, t.Prefix)
	if err != nil {
		t.logger.Warn("which letters were sent again cannot be read", "error", err)
		return nil
	}
	return marks
}

// again is the command that a letter became, "" if it was not sent again.
func again(ctx context.Context, marks *bus.RedriveMarks, l events.Letter) (string, error) {
	if marks == nil || l.ID == "" {
		return "", nil
	}
	ctx, cancel := within(ctx)
	defer cancel()
	mark, err := marks.Load(ctx, l)
	if err != nil || mark.IsNew() {
		return "", err
	}
	return mark.ID, nil
}

// letters opens the stream of dead letters.
func (t *tool) letters(ctx context.Context) (jetstream.Stream, error) {
	ctx, cancel := within(ctx)
	defer cancel()
	stream, err := t.JetStream.Stream(ctx, t.stream(bus.StreamDLQ))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, errors.New("there is no stream " + t.stream(bus.StreamDLQ) + ": is WX_PREFIX right, and has the bridge run?")
	}
	return stream, err
}
