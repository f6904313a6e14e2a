package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// readAhead is how many letters are asked for at once.
const readAhead = 32

// letterFilter is which letters somebody wants to see.
type letterFilter struct {
	name, class string
	since       moment
	limit       int
	open        bool
}

// listed is a letter in a list: nothing of its body, nobody's OpenID.
type listed struct {
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time"`
	Name     string    `json:"name"`
	Command  string    `json:"command,omitempty"`
	Class    string    `json:"class"`
	Outcome  string    `json:"outcome,omitempty"`
	Attempts int       `json:"attempts"`
	Redriven string    `json:"redriven,omitempty"`
	Reason   string    `json:"reason"`
}

// dlqList lists letters, the newest first.
func dlqList(ctx context.Context, p *program) error {
	var want letterFilter
	flags := flag.NewFlagSet("dlq list", flag.ContinueOnError)
	flags.StringVar(&want.name, "name", "", "only those of a verb or kind")
	flags.StringVar(&want.class, "class", "", "only those of a class: quota, user, reply_invalid, …")
	flags.Var(&want.since, "since", "only those since a time (RFC 3339), or so long ago (24h)")
	flags.IntVar(&want.limit, "limit", 20, "how many; 0 for all")
	flags.BoolVar(&want.open, "open", false, "only those that were not sent again")
	asJSON := flags.Bool("json", false, "one JSON object a line")
	rest, err := parseFlags(flags, p)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usage("%q: dlq list takes flags alone", rest[0])
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	if *asJSON {
		return t.list(ctx, want, func(l listed) error { return json.NewEncoder(t.out).Encode(l) })
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tSTORED\tNAME\tCLASS\tOUTCOME\tTRIES\tSENT AGAIN\tREASON")
	err = t.list(ctx, want, func(l listed) error {
		_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", l.Sequence, l.Time.Local().Format(time.DateTime), l.Name, l.Class,
			dash(l.Outcome), l.Attempts, dash(l.Redriven), shortLine(l.Reason, 100))
		return err
	})
	return errors.Join(err, w.Flush())
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shortLine is the beginning of a text on one line.
func shortLine(s string, most int) string {
	line := []rune(strings.Join(strings.Fields(s), " "))
	if len(line) > most {
		return string(line[:most]) + "…"
	}
	return string(line)
}

// list goes from the newest letter to the oldest.
func (t *tool) list(ctx context.Context, want letterFilter, show func(listed) error) error {
	stream, err := t.letters(ctx)
	if err != nil {
		return err
	}
	marks := t.marks(ctx)
	state := stream.CachedInfo().State
	shown := 0
	for last := state.LastSeq; last >= max(state.FirstSeq, 1); last -= min(last, readAhead) {
		some, err := t.someLetters(ctx, stream, last)
		if err != nil {
			return err
		}
		for _, l := range some {
			if !want.since.IsZero() && l.Time.Before(want.since.Time) {
				return nil
			}
			if want.name != "" && l.Name != want.name || want.class != "" && l.Class != want.class {
				continue
			}
			redriven, err := again(ctx, marks, l)
			if err != nil {
				return err
			}
			if want.open && redriven != "" {
				continue
			}
			if err := show(listed{l.Sequence, l.Time, l.Name, l.Cause, l.Class, l.Outcome, l.Attempts, redriven, l.Reason}); err != nil {
				return err
			}
			shown++
			if shown == want.limit {
				return nil
			}
		}
	}
	return nil
}

// someLetters reads letters from a number downward, as many as are asked for at
// once. It asks for single messages, which every user of the bus may.
func (t *tool) someLetters(ctx context.Context, stream jetstream.Stream, last uint64) ([]events.Letter, error) {
	found := make([]*events.Letter, min(last, readAhead))
	asking, ctx := errgroup.WithContext(ctx)
	for i := range found {
		asking.Go(func() error {
			l, err := t.letter(ctx, stream, last-uint64(i))
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				return nil // it grew old, or somebody deleted it
			}
			found[i] = &l
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.stream(bus.StreamDLQ), err)
	}
	var letters []events.Letter
	for _, l := range found {
		if l != nil {
			letters = append(letters, *l)
		}
	}
	return letters, nil
}
