package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What the README says of the nats command line is true: one line of it is a
// service that answers followers, and it sends commands and calls.
func TestNATSCommandLine(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nats"); err != nil {
		unavailable(t, "no `nats` command on this machine (.ci/run builds it from its Go module)")
	}
	stdin, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close(); _ = typed.Close() })
	p := start(t, nil, stdin, "demo")
	p.says(t, "The demo goes on")
	server := regexp.MustCompile(`nats://127\.0\.0\.1:\d+`).FindString(p.out.String())
	cli := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "nats", append([]string{"--server", server}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("nats %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}

	service := exec.Command("nats", "--server", server, "reply", "wx.inbound.text", "hello")
	var heard output
	service.Stdout, service.Stderr = &heard, &heard
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Process.Kill(); _ = service.Wait() })
	eventually(t, 30*time.Second, "nats reply listens", func() error {
		if !strings.Contains(heard.String(), "Listening on") {
			return errNotYet
		}
		return nil
	})
	const reply = "← reply "
	for lines := 1; !strings.Contains(p.out.String(), reply+`"hello"`); lines++ {
		if lines > 10 {
			t.Fatal("nats reply answers nobody")
		}
		replies := strings.Count(p.out.String(), reply)
		if _, err := typed.WriteString("are you there?\n"); err != nil {
			t.Fatal(err)
		}
		// On a slow machine it may be the sample service's, which waits a second.
		eventually(t, time.Minute, "a reply", func() error {
			if strings.Count(p.out.String(), reply) == replies {
				return errNotYet
			}
			return nil
		})
	}

	const openID = "oDemoFollower000000000000001"
	cli("pub", "wx.cmd.send_custom_message", `{"touser":"`+openID+`","msgtype":"text","text":{"content":"hi"}}`, "-H", "Nats-Msg-Id:order-42")
	p.says(t, `→ cmd.send_custom_message "hi"`)
	if out := cli("req", "wx.call.get_user_info", `{"openid":"`+openID+`"}`); !strings.Contains(out, `"outcome":"done"`) {
		t.Errorf("nats req says %s", out)
	}
	if out := cli("micro", "ls"); !strings.Contains(out, "wxbridge") {
		t.Errorf("nats micro ls says %s", out)
	}
	p.interrupt(t)
	if code := p.code(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}
