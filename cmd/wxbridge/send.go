package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// sendCommand sends a command, waits for its result and prints it. A result that is
// not done is a failure of the tool.
func sendCommand(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("send", flag.ContinueOnError)
	id := flags.String("id", "", "the command's id, with which it may be sent again (a new one; with --call none)")
	wait := flags.Duration("wait", time.Minute, "how long to wait for the result")
	call := flags.Bool("call", false, "ask wx.call.<verb> instead: one try, answered at once, no order, no result event; with --id it is made once")
	rest, err := parseFlags(flags, p)
	if err != nil {
		return helped(err)
	}
	if len(rest) == 0 || len(rest) > 2 {
		return usage("say what: wxbridge send <verb> '<json>', or - for JSON from standard input; `wxbridge schema cmd.<verb>` shows a verb's")
	}
	verb := rest[0]
	data, err := commandData(p, rest[1:])
	if err != nil {
		return err
	}
	row, known := wxapi.Lookup(verb)
	switch {
	case !known:
		return usage("there is no verb %q%s; `wxbridge schema` lists them", verb, meant(verb))
	case row.CallOnly && !*call:
		return usage("%s carries credentials, which must not rest in a stream: wxbridge send --call %s", verb, verb)
	case *wait <= 0:
		return usage("--wait %s: must be more than nothing", *wait)
	}
	t, err := openTool(p)
	if err != nil {
		return err
	}
	defer t.close()
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	var result events.Result
	if *call {
		result, err = t.call(ctx, verb, *id, data)
	} else {
		if *id == "" {
			*id = nuid.Next()
		}
		if result, err = t.Do(ctx, verb, *id, data); errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no result within %s: the command goes on, ask again with --id %s (%w)", *wait, *id, err)
		}
	}
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(t.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		return err
	}
	if result.Outcome != events.ResultDone {
		return fmt.Errorf("%s: %s", result.Outcome, result.ErrMsg)
	}
	return nil
}

// commandData is the JSON object of a command: given, from standard input, or {}.
func commandData(p *program, args []string) (json.RawMessage, error) {
	text := "{}"
	if len(args) > 0 {
		text = args[0]
	}
	if text == "-" {
		input, err := io.ReadAll(p.in)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		text = string(input)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, usage("the data must be a JSON object: %w", err)
	}
	if object == nil {
		return nil, usage("the data must be a JSON object, and not null")
	}
	return json.RawMessage(strings.TrimSpace(text)), nil
}

func meant(verb string) string {
	if near := wxapi.Nearest(verb); near != "" {
		return ", but " + near
	}
	return ""
}

// call asks wx.call.<verb>; id is "" for a call that is made each time.
func (t *tool) call(ctx context.Context, verb, id string, data []byte) (r events.Result, err error) {
	request := nats.NewMsg(t.subject(events.Call, verb))
	request.Data = data
	if id != "" {
		request.Header.Set(nats.MsgIdHdr, id)
	}
	m, err := t.nc.RequestMsgWithContext(ctx, request)
	if errors.Is(err, nats.ErrNoResponders) {
		return r, errors.New("no egress answers: is one running, and is WX_PREFIX right?")
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return r, fmt.Errorf("the answer of egress: %w", err)
	}
	return r, nil
}
