package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// tailed are the branches that tail follows.
var tailed = []events.Branch{events.Inbound, events.Outcomes, events.Results, events.DLQ}

// tailCommand prints what passes until it is stopped, as a plain subscriber: nothing
// that was before, and what comes while the connection is down is missed.
func tailCommand(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("tail", flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "the whole events, one a line, with OpenIDs and texts")
	only, err := parseFlags(flags, p)
	if err != nil {
		return helped(err)
	}
	branches := tailed
	if len(only) > 0 {
		branches = nil
	}
	for _, name := range only {
		if !slices.Contains(tailed, events.Branch(name)) {
			return usage("%q: tail follows inbound, outcome, result and dlq", name)
		}
		branches = append(branches, events.Branch(name))
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	heard := make(chan *nats.Msg, 1024)
	for _, b := range branches {
		if _, err := t.nc.ChanSubscribe(t.subject(b, "*"), heard); err != nil {
			return err
		}
	}
	if err := t.nc.FlushTimeout(5 * time.Second); err != nil {
		return err
	}
	if err := t.nc.LastError(); errors.Is(err, nats.ErrPermissionViolation) {
		return err
	}
	fmt.Fprintf(t.out, "# following %s\n", t.nc.ConnectedUrlRedacted())
	return t.follow(ctx, heard, *asJSON)
}

func (t *tool) follow(ctx context.Context, heard <-chan *nats.Msg, asJSON bool) error {
	seen := newRecent(4096)
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-heard:
			// A plain subscriber also hears what a stream drops as a copy.
			if seen.before(m.Subject + " " + m.Header.Get(nats.MsgIdHdr)) {
				continue
			}
			if asJSON {
				t.print("%s", oneLineJSON(m.Data))
				continue
			}
			t.print("%s  %s", time.Now().Format("15:04:05.000"), t.line(m))
		}
	}
}

// line says in short what an event is: nobody's OpenID, no text.
func (t *tool) line(m *nats.Msg) string {
	branch, name, _ := t.Prefix.Split(m.Subject)
	header := events.Header(m.Header)
	e, isEvent, err := events.Decode(header, m.Data)
	if err != nil || !isEvent {
		return fmt.Sprintf("%-8s %s  no event", branch, name)
	}
	what := ""
	switch branch {
	case events.Inbound:
		if in, err := events.ParseInbound(t.Prefix, events.Message{Subject: m.Subject, Header: header, Body: m.Data}); err == nil && !in.Deadline.IsZero() {
			what = fmt.Sprintf("held until %s", in.Deadline.Local().Format("15:04:05.000"))
		}
	case events.Outcomes:
		if o, err := events.ParseOutcome(header, m.Data); err == nil {
			return line(branch, name, o.Event, o.Outcome, fmt.Sprintf("%d ms", o.MS), o.Source, o.Cut, o.Reason)
		}
	case events.Results:
		if r, command, err := events.ParseResult(header, m.Data); err == nil {
			return line(branch, name, command, r.Outcome, code(r), fmt.Sprintf("%d ms", r.ElapsedMS), shortLine(r.ErrMsg, 120))
		}
	default:
		if l, err := events.ParseLetter(t.Prefix, events.Message{Subject: m.Subject, Header: header, Body: m.Data}); err == nil {
			return line(branch, name, l.Cause, l.Class, shortLine(l.Reason, 120))
		}
	}
	return line(branch, name, e.ID(), what)
}

// code is WeChat's errcode of a result and its class, where there are.
func code(r events.Result) string {
	if r.ErrCode == 0 {
		return r.Class
	}
	return fmt.Sprintf("%d %s", r.ErrCode, r.Class)
}

func line(branch events.Branch, name, id string, more ...string) string {
	more = slices.DeleteFunc(more, func(s string) bool { return strings.TrimSpace(s) == "" })
	return strings.TrimRight(fmt.Sprintf("%-8s %-22s %s  %s", branch, name, dash(id), strings.Join(more, "  ")), " ")
}

// oneLineJSON is an event on one line; what is none is quoted.
func oneLineJSON(body []byte) []byte {
	var line bytes.Buffer
	if json.Compact(&line, body) == nil {
		return line.Bytes()
	}
	return fmt.Appendf(nil, "%q", body)
}

// recent remembers the last things that were seen.
type recent struct {
	known map[string]bool
	order []string
	next  int
}

func newRecent(n int) *recent { return &recent{known: map[string]bool{}, order: make([]string, n)} }

func (r *recent) before(s string) bool {
	if strings.HasSuffix(s, " ") || r.known[s] { // without an id nobody can tell
		return r.known[s]
	}
	delete(r.known, r.order[r.next])
	r.order[r.next], r.known[s] = s, true
	r.next = (r.next + 1) % len(r.order)
	return false
}
