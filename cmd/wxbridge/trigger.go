package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// triggerWithin bounds a push: WeChat's three tries of five seconds, and more.
const triggerWithin = 30 * time.Second

// triggerCommand lets a made-up follower say or do something, through the control API
// of a simulator, and prints what came back.
func triggerCommand(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("trigger", flag.ContinueOnError)
	openID := flags.String("openid", demoOpenID, "who says it")
	sim := flags.String("sim", "", "URL of the simulator (where WX_SIM_LISTEN is, http://127.0.0.1:8090)")
	event := flags.String("event", "", "an event instead of a text: subscribe, unsubscribe, SCAN, CLICK, VIEW, …; the text is its EventKey")
	rest, err := parseFlags(flags, p)
	if err != nil {
		return helped(err)
	}
	message, err := pushed(rest, *event)
	if err != nil {
		return err
	}
	s, err := toolSettings()
	if err != nil {
		return err
	}
	base := strings.TrimRight(cmp.Or(*sim, "http://"+cmp.Or(s.Sim.Listen, simListen)), "/")
	ctx, cancel := context.WithTimeout(ctx, triggerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/_sim/followers/"+url.PathEscape(*openID)+"/push", bytes.NewReader(message))
	if err != nil {
		return usage("--sim: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no simulator answers at %s (wxbridge sim, or --sim URL): %w", base, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("the simulator's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the simulator answers %s: %s", response.Status, shortLine(string(body), 300))
	}
	return printDelivery(p, body)
}

// pushed is the message of the control API: a text, an event, or JSON as it is.
func pushed(args []string, event string) ([]byte, error) {
	switch text := strings.Join(args, " "); {
	case event != "":
		fields := map[string]string{"MsgType": "event", "Event": event}
		if text != "" {
			fields["EventKey"] = text
		}
		return json.Marshal(fields)
	case text == "":
		return nil, usage(`say what: wxbridge trigger <text>, trigger --event subscribe, or trigger '{"MsgType":"image","MediaId":"m"}'`)
	case strings.HasPrefix(text, "{"):
		if !json.Valid([]byte(text)) {
			return nil, usage("%s is no JSON", shortLine(text, 60))
		}
		return []byte(text), nil
	default:
		return json.Marshal(map[string]string{"MsgType": "text", "Content": text})
	}
}

// printDelivery says what the follower saw.
func printDelivery(p *program, body []byte) error {
	var delivery struct {
		Tries []struct {
			Status int     `json:"status"`
			MS     float64 `json:"ms"`
			Error  string  `json:"error"`
		} `json:"tries"`
		Reply json.RawMessage `json:"reply"`
		Fault bool            `json:"fault"`
	}
	if err := json.Unmarshal(body, &delivery); err != nil {
		return fmt.Errorf("the simulator's answer: %w", err)
	}
	for i, try := range delivery.Tries {
		fmt.Fprintf(p.out, "try %d  %d  %.0f ms  %s\n", i+1, try.Status, try.MS, try.Error)
	}
	switch {
	case delivery.Fault:
		return errors.New("the follower saw the line that the service is out of order: did the bridge answer at WX_SIM_CALLBACK?")
	case len(delivery.Reply) == 0 || string(delivery.Reply) == "null":
		fmt.Fprintln(p.out, "the follower was let go without an answer")
	default:
		fmt.Fprintf(p.out, "the follower sees  %s\n", delivery.Reply)
	}
	return nil
}
