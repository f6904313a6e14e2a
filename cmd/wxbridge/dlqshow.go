package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// dlqShow prints one letter whole, with its original: who asks for it wants to
// see whom it was for and what it said.
func dlqShow(ctx context.Context, p *program) error {
	rest, err := parseFlags(flag.NewFlagSet("dlq show", flag.ContinueOnError), p)
	if err != nil {
		return err
	}
	numbers, err := sequences(rest)
	if err != nil {
		return err
	}
	if len(numbers) != 1 {
		return usage("dlq show takes the number of one letter")
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	stream, err := t.letters(ctx)
	if err != nil {
		return err
	}
	l, err := t.letter(ctx, stream, numbers[0])
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("there is no letter %d: it never was, or is older than the stream keeps them", numbers[0])
	}
	if err != nil {
		return err
	}
	return t.showLetter(ctx, l)
}

func (t *tool) showLetter(ctx context.Context, l events.Letter) error {
	redriven, err := again(ctx, t.marks(ctx), l)
	if err != nil {
		return err
	}
	if redriven != "" {
		redriven += t.became(redriven)
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"letter", fmt.Sprintf("%d, %s", l.Sequence, l.ID)},
		{"stored", l.Time.Local().Format(time.RFC3339)},
		{"name", l.Name},
		{"reason", l.Reason},
		{"class", l.Class},
		{"outcome", l.Outcome},
		{"attempts", fmt.Sprint(l.Attempts)},
		{"caused by", l.Cause},
		{"event", l.Event},
		{"follower", l.OpenID},
		{"sent again", redriven},
		{"subject", l.Subject},
		{"kept in", l.BodyRef},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	bounded, cancel := within(ctx)
	defer cancel()
	header, body, err := t.Original(bounded, l.DeadLetter)
	if err != nil {
		return fmt.Errorf("the original: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		t.print("%s: %s", name, strings.Join(header[name], ", "))
	}
	t.print("\n%s", readable(body))
	return nil
}

// became says what became of a command, as far as egress knows.
func (t *tool) became(id string) string {
	request, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		return ""
	}
	m, err := t.nc.Request(t.subject(events.Call, "get_result"), request, 2*time.Second)
	if err != nil {
		return ""
	}
	var r events.Result
	if json.Unmarshal(m.Data, &r) != nil {
		return ""
	}
	return ": " + strings.TrimSpace(r.Outcome+" "+r.ErrMsg)
}

// readable is a body for a person: JSON indented, text as it is, other bytes quoted.
func readable(body []byte) string {
	var pretty bytes.Buffer
	switch {
	case len(body) == 0:
		return "(no original)"
	case json.Indent(&pretty, body, "", "  ") == nil:
		return pretty.String()
	case utf8.Valid(body):
		return string(body)
	}
	return fmt.Sprintf("%q", body)
}
