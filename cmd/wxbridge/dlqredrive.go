package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// dlqRedrive has egress send letters again. It may be stopped and begun anew at
// any time: a letter is sent again once.
func dlqRedrive(ctx context.Context, p *program) error {
	var want events.RedriveRequest
	var since moment
	flags := flag.NewFlagSet("dlq redrive", flag.ContinueOnError)
	flags.StringVar(&want.Name, "name", "", "those of a verb or kind")
	flags.StringVar(&want.Class, "class", "", "those of a class: quota, right, backoff, …")
	flags.Var(&since, "since", "those since a time (RFC 3339), or so long ago (24h)")
	flags.BoolVar(&want.All, "all", false, "all of them")
	flags.BoolVar(&want.DryRun, "dry-run", false, "only say what would be done")
	flags.IntVar(&want.Rate, "rate", 10, "how many a second, at most 1000")
	flags.IntVar(&want.Limit, "limit", 0, "how many at most; 0 for no limit")
	flags.BoolVar(&want.Unknown, "unknown", false, "also what WeChat may have executed already")
	rest, err := parseFlags(flags, p)
	if err != nil {
		return err
	}
	numbers, err := sequences(rest)
	if err != nil {
		return err
	}
	want.Since = since.Time
	many := want.Name != "" || want.Class != "" || !want.Since.IsZero() || want.All
	switch {
	case many == (len(numbers) > 0):
		return usage("say which letters: their numbers, or else --name, --class, --since or --all")
	case want.Rate < 1 || want.Rate > 1000:
		return usage("--rate %d: between 1 and 1000 a second", want.Rate)
	case want.Limit < 0:
		return usage("--limit %d: must not be negative", want.Limit)
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	did := map[string]int{}
	if many {
		err = t.redriveMany(ctx, want, did)
	} else {
		err = t.redriveThese(ctx, want, numbers, did)
	}
	var counts []string
	for _, what := range slices.Sorted(maps.Keys(did)) {
		counts = append(counts, fmt.Sprintf("%d %s", did[what], strings.ReplaceAll(what, "_", " ")))
	}
	t.print("%s", cmp.Or(strings.Join(counts, ", "), "no letter"))
	return err
}

// redriveMany asks page after page until all is done.
func (t *tool) redriveMany(ctx context.Context, want events.RedriveRequest, did map[string]int) error {
	limit := want.Limit
	for {
		answer, err := t.redrive(ctx, want, did)
		if err != nil || answer.Next == 0 {
			return err
		}
		want.From, want.To = answer.Next, answer.To
		if limit > 0 {
			if want.Limit = limit - did[events.LetterRedriven] - did[events.LetterWouldBe]; want.Limit <= 0 {
				return nil
			}
		}
	}
}

// redriveThese asks for one letter after the other.
func (t *tool) redriveThese(ctx context.Context, want events.RedriveRequest, numbers []uint64, did map[string]int) error {
	pace := time.NewTicker(time.Second / time.Duration(want.Rate))
	defer pace.Stop()
	var failed error
	for i, n := range numbers {
		if i > 0 {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		want.Sequence = n
		if _, err := t.redrive(ctx, want, did); err != nil {
			failed = errors.Join(failed, fmt.Errorf("letter %d: %w", n, err))
		}
	}
	return failed
}

// redrive makes one request and prints what egress did.
func (t *tool) redrive(ctx context.Context, want events.RedriveRequest, did map[string]int) (answer events.Redriven, err error) {
	request, err := json.Marshal(want)
	if err != nil {
		return answer, err
	}
	m, err := t.askAgain(ctx, request)
	if err != nil {
		return answer, err
	}
	var r events.Result
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return answer, fmt.Errorf("the answer of egress: %w", err)
	}
	if len(r.Response) > 0 {
		if err := json.Unmarshal(r.Response, &answer); err != nil {
			return answer, fmt.Errorf("the answer of egress: %w", err)
		}
	}
	for _, l := range answer.Letters {
		did[l.Did]++
		t.print("%d  %s  %s  %s", l.Sequence, l.Name, strings.ReplaceAll(l.Did, "_", " "),
			strings.Join(append(slices.DeleteFunc([]string{l.ID, l.Reason}, func(s string) bool { return s == "" }), l.Notes...), ": "))
	}
	if r.Outcome != events.ResultDone {
		return answer, errors.New(r.ErrMsg)
	}
	return answer, nil
}

// askAgain asks until there is an answer, a few times: a request that a dying
// process took is lost, and to ask for the same again is harmless.
func (t *tool) askAgain(ctx context.Context, request []byte) (m *nats.Msg, err error) {
	const tries = 3
	for range tries {
		one, cancel := context.WithTimeout(ctx, 20*time.Second)
		m, err = t.nc.RequestWithContext(one, t.subject(events.Call, events.CallRedrive), request)
		cancel()
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, nats.ErrNoResponders):
			return nil, errors.New("no egress answers: is one running, and is WX_PREFIX right?")
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("egress does not answer; what was sent again stays so, and to begin anew is harmless: %w", err)
}
