package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// compose.yaml as a newcomer meets it: no account, the simulator's follower writes, a plain NATS client answers.
func TestCompose(t *testing.T) {
	t.Parallel()
	c := composeUp(t, nil, "sim")
	c.healthy(t, "ingress-1", "ingress-2", "egress")

	nc, err := nats.Connect("nats://" + c.addr(t, "nats", 4222))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if _, err := nc.Subscribe("wx.inbound.*", func(msg *nats.Msg) { _ = msg.Respond([]byte("hello from compose")) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.FlushTimeout(5 * time.Second); err != nil {
		t.Fatal(err)
	}

	push := "http://" + c.addr(t, "sim", 8090) + "/_sim/followers/oAlice/push"
	// Healthy is not yet ready: until the feed runs the callback port is closed, and the follower tries again.
	eventually(t, 30*time.Second, "an answer", func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, push, strings.NewReader(`{"MsgType":"text","Content":"hi"}`))
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var answer struct {
			Reply json.RawMessage `json:"reply"`
			Fault bool            `json:"fault"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return fmt.Errorf("%s: %w", resp.Status, err)
		}
		if answer.Fault || !bytes.Contains(answer.Reply, []byte("hello from compose")) {
			return fmt.Errorf("%s: reply %s, fault %t", resp.Status, answer.Reply, answer.Fault)
		}
		return nil
	})
}
