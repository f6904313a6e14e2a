package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wxbridge/wxbridge/egress"
	"github.com/wxbridge/wxbridge/ingress"
)

// tape prints each hop of a message with its time, for a person to read.
type tape struct {
	mu       sync.Mutex
	out      io.Writer
	once     sync.Once
	finished chan struct{} // closed when the first command has its result
}

func newTape(out io.Writer) *tape { return &tape{out: out, finished: make(chan struct{})} }

func (t *tape) print(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, format+"\n", args...)
}

// Refused implements ingress.Observer.
func (t *tape) Refused(status int, reason string) {
	t.print("! callback refused: %d %s", status, reason)
}

// Stored implements ingress.Observer.
func (t *tape) Stored(s ingress.Stored) {
	again := ""
	if s.Duplicate {
		again = " (WeChat tried again)"
	}
	t.print("→ inbound.%s %sstored %s%s", s.Kind, quoted(s.Data, "Content"), millis(s.Took), again)
}

// Shed implements ingress.Observer.
func (t *tape) Shed(kind string) { t.print("! %s not held: no room for more", kind) }

// Answered implements ingress.Observer.
func (t *tape) Answered(a ingress.Answered) {
	switch {
	case a.Reply != nil:
		t.print("← reply %s%s, try %d", quotedReply(a.Reply), millis(a.Took), a.Try)
	case a.Outcome == "":
		t.print("← success without an outcome %s, try %d", millis(a.Took), a.Try)
	default:
		t.print("← %s %s, try %d", a.Outcome, millis(a.Took), a.Try)
	}
}

// Taken implements egress.Observer.
func (t *tape) Taken(c egress.Taken) { t.print("→ cmd.%s %s", c.Verb, quotedReply(c.Data)) }

// Finished implements egress.Observer.
func (t *tape) Finished(f egress.Finished) {
	what := "result"
	if f.Call {
		what = "call." + f.Verb
	}
	t.print("← %s %s errcode %d %s", what, f.Result.Outcome, f.Result.ErrCode, millis(f.Took))
	if f.Result.ErrMsg != "" && f.Result.ErrMsg != "ok" {
		t.print("  %s", f.Result.ErrMsg)
	}
	t.once.Do(func() { close(t.finished) })
}

// Settled implements egress.Observer.
func (t *tape) Settled(s egress.Settled) {
	if s.Outcome != "" {
		t.print("· %s: %s", s.Kind, s.Outcome)
	}
}

// quoted is a text field of an object in quotes and a space, or nothing.
func quoted(data json.RawMessage, name string) string {
	var fields map[string]json.RawMessage
	var text string
	if json.Unmarshal(data, &fields) != nil || json.Unmarshal(fields[name], &text) != nil {
		return ""
	}
	return fmt.Sprintf("%q ", text)
}

// quotedReply is the text of a reply or message, or its msgtype.
func quotedReply(data json.RawMessage) string {
	var message struct {
		MsgType string          `json:"msgtype"`
		Text    json.RawMessage `json:"text"`
	}
	if json.Unmarshal(data, &message) != nil {
		return ""
	}
	if text := quoted(message.Text, "content"); text != "" {
		return text
	}
	if message.MsgType == "" {
		return ""
	}
	return message.MsgType + " "
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
