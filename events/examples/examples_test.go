// Package examples shows services in several languages, see README.md.
package examples

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// generous is a deadline that only a fault reaches.
const generous = time.Minute

// bridge is a NATS with the bridge's streams.
func bridge(t *testing.T) (*bustest.Server, jetstream.JetStream) {
	t.Helper()
	s := bustest.Start(t)
	js := s.JetStream()
	config := bus.StreamConfig{Mode: "create", Replicas: 1, Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
	if err := bus.Ensure(t.Context(), js, "wx", config); err != nil {
		t.Fatal(err)
	}
	return s, js
}

// runs starts a program and ends it with the test.
func runs(t *testing.T, program string, args, env []string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s printed:\n%s", program, out.String())
		}
	})
}

// says publishes what a follower says, as the ingress does.
func says(t *testing.T, js jetstream.JetStream, id, content string) {
	t.Helper()
	body := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"//mp.weixin.qq.com/wx01","type":"com.qq.weixin.mp.inbound.text","subject":"oAlice",`+
		`"time":"2026-11-24T08:00:00Z","wxreplyto":"wx.reply.%s","data":{"FromUserName":"oAlice","MsgType":"text","Content":%q}}`, id, id, content)
	if _, err := js.Publish(t.Context(), "wx.inbound.text", []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// answers lets a follower speak to a service, and looks at what it publishes.
func answers(t *testing.T, s *bustest.Server, js jetstream.JetStream, consumer string) {
	t.Helper()
	nc := s.Conn()
	heard, err := nc.SubscribeSync("wx.*.*")
	if err == nil {
		err = nc.Flush() // the server knows it before the service speaks
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), generous)
	defer cancel()
	for {
		if _, err := js.Consumer(ctx, "WX_INBOUND", consumer); err == nil {
			break
		} else if ctx.Err() != nil {
			t.Fatalf("the service does not begin: %v", err)
		}
	}
	says(t, js, "e1", "hi")
	says(t, js, "e2", "ship")
	replies := map[string]string{}
	commands := map[string]events.Command{}
	for len(replies) < 2 || len(commands) < 1 {
		m, err := heard.NextMsg(generous)
		if err != nil {
			t.Fatalf("after %v, %v: %v", replies, commands, err)
		}
		header := events.Header(m.Header)
		switch {
		case strings.HasPrefix(m.Subject, "wx.reply."):
			reply, err := events.ParseReply(header, m.Data)
			if err != nil || reply.Text == nil {
				t.Fatalf("%s: %s: %v", m.Subject, m.Data, err)
			}
			replies[m.Subject] = reply.Text.Content
		case strings.HasPrefix(m.Subject, "wx.cmd."):
			c, err := events.ParseCommand("wx", events.Message{Subject: m.Subject, Header: header, Body: m.Data, Time: time.Now()}, "")
			if err != nil {
				t.Fatalf("%s: %s: %v", m.Subject, m.Data, err)
			}
			commands[c.ID] = c
		}
	}
	if replies["wx.reply.e1"] != "hello" || replies["wx.reply.e2"] != "on its way" {
		t.Errorf("replies %v", replies)
	}
	c, ok := commands["shipped-e2"]
	if !ok || c.Verb != "send_custom_message" || !strings.Contains(string(c.Data), `"touser":"oAlice"`) {
		t.Errorf("commands %v", commands)
	}
}

func TestGo(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "answer")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./answer").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, js := bridge(t)
	runs(t, program, []string{s.URL()}, nil)
	answers(t, s, js, "orders")

	plain, _ := bridge(t)
	runs(t, program, []string{plain.URL(), "plain"}, nil)
	nc := plain.Conn()
	inbox := nc.NewInbox()
	answer, err := nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(generous); ; {
		if err := nc.PublishMsg(&nats.Msg{Subject: "wx.inbound.text", Reply: inbox, Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		m, err := answer.NextMsg(100 * time.Millisecond)
		if err == nil && string(m.Data) == "hello" { // others are the stream's acks
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no answer")
		}
	}
}

func TestShell(t *testing.T) {
	t.Parallel()
	needs(t, "nats")
	s, js := bridge(t)
	runs(t, "sh", []string{"answer.sh"}, []string{"NATS_URL=" + s.URL()})
	answers(t, s, js, "shell")
}

// Whose clients are not on this machine are at least read by their languages.
func TestSyntax(t *testing.T) {
	t.Parallel()
	for program, args := range map[string][]string{
		"python3": {"-c", "import ast; ast.parse(open('answer.py').read())"},
		"node":    {"--check", "answer.mjs"},
	} {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			needs(t, program)
			if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s", program)
		}
		t.Skipf("no %s on this machine (.ci/run installs it)", program)
	}
}
