package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// The first command of the README shows the main job.
func TestDemoOnce(t *testing.T) {
	t.Parallel()
	p := start(t, nil, nil, "demo", "--once")
	if code := p.code(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
	out := p.out.String()
	for _, hop := range []string{
		"NATS listens at   nats://127.0.0.1:",
		`says "你好"`,
		`→ inbound.text "你好" stored `,
		`← reply "你好!" `, ", try 1",
		"→ cmd.send_custom_message ",
		"← result done errcode 0 ",
	} {
		if !strings.Contains(out, hop) {
			t.Errorf("the tape lacks %q", hop)
		}
	}
	if strings.Contains(out, "level=WARN") || strings.Contains(out, "level=ERROR") {
		t.Error("there was trouble")
	}
}

// What is typed into the demo the follower says; Ctrl-C ends it well.
func TestDemoGoesOn(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	p := start(t, nil, r, "demo")
	p.says(t, "reply 'wx.inbound.text' 'hello'")
	if _, err := w.WriteString("天气怎么样\n"); err != nil {
		t.Fatal(err)
	}
	p.says(t, `← reply "天气怎么样!"`)
	p.interrupt(t)
	if code := p.code(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

// good is an account that nothing is wrong with.
func good() map[string]string {
	return map[string]string{
		"WX_APP_ID": "wx0123456789abcdef", "WX_APP_SECRET": "0123456789abcdef0123456789abcdef",
		"WX_TOKEN": "madeuptoken", "WX_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
	}
}

func with(base map[string]string, more ...string) map[string]string {
	for i := 0; i < len(more); i += 2 {
		base[more[i]] = more[i+1]
	}
	return base
}

// A wrong configuration ends with 78, names all that is wrong at once, prints no
// secret and opens no port.
func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	secretFile := filepath.Join(t.TempDir(), "missing")
	cases := map[string]struct {
		args []string
		vars map[string]string
		says []string
	}{
		"everything is wrong": {
			[]string{"run"},
			map[string]string{
				"WX_AES_KEY": "tooshort-SECRET", "WX_PREFIX": "Wx..", "WX_LISTEN": ":80800", "WX_HOLD": "soon", "WX_HOLD_TRIES": "9",
				"WX_STREAM_REPLICAS": "two", "WX_STREAM_STORAGE": "tape", "WX_REPLY_WINDOW": "3h",
				"WX_API_URL": "weixin", "WX_CALL_API_ALLOW": "cgi-bin", "WX_RATE": "send_custom_message=20", "WX_NATS_USER": "u", "WX_NATS_CREDS": "c",
			},
			[]string{
				"WX_APP_ID", "WX_APP_SECRET", "WX_TOKEN:", "WX_AES_KEY:", "WX_LISTEN", "WX_PREFIX", "WX_HOLD:", "WX_HOLD_TRIES",
				"WX_STREAM_REPLICAS", "WX_STREAM_STORAGE", "WX_REPLY_WINDOW", "WX_API_URL", "WX_CALL_API_ALLOW", "WX_RATE", "WX_NATS_CREDS",
			},
		},
		"the account is wrong": {
			[]string{"run"},
			with(good(), "WX_AES_KEY", "tooshort-SECRET", "WX_TOKEN", ""),
			[]string{"WX_AES_KEY", "WX_TOKEN"},
		},
		"ingress without a bus": {[]string{"ingress"}, good(), []string{"WX_NATS_URL"}},
		"egress without a bus":  {[]string{"egress"}, good(), []string{"WX_NATS_URL"}},
		"a secret file that is not there": {
			[]string{"run"}, with(good(), "WX_TOKEN", "", "WX_TOKEN_FILE", secretFile), []string{"WX_TOKEN_FILE"},
		},
		"a secret twice": {
			[]string{"run"}, with(good(), "WX_TOKEN_FILE", secretFile), []string{"WX_TOKEN", "set one of them"},
		},
		"no such command":          {[]string{"serve"}, nil, []string{`"serve" is not a command`}},
		"no such flag":             {[]string{"demo", "--twice"}, nil, []string{"-twice"}},
		"a flag that nobody reads": {[]string{"egress", "--rate", "5"}, good(), []string{`"--rate": it takes no arguments`}},
		"a command of nothing":     {[]string{"send", "get_groups", "null"}, nil, []string{"the data must be a JSON object"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t))
			if c.vars == nil {
				c.vars = map[string]string{}
			}
			p := start(t, with(c.vars, "WX_ADMIN_LISTEN", admin), nil, c.args...)
			if code := p.code(t); code != 78 {
				t.Errorf("exit %d, want 78", code)
			}
			out := p.out.String()
			for _, word := range c.says {
				if !strings.Contains(out, word) {
					t.Errorf("does not say %q:\n%s", word, out)
				}
			}
			if strings.Contains(out, "SECRET") && !strings.Contains(out, "WX_APP_SECRET") || strings.Contains(out, "tooshort") {
				t.Errorf("prints a secret:\n%s", out)
			}
			if l, err := net.Listen("tcp", admin); err != nil {
				t.Error("a port was opened")
			} else {
				_ = l.Close()
			}
		})
	}
}

// A stream that breaks a promise ends the process with 78, naming field and promise.
func TestBrokenPromise(t *testing.T) {
	t.Parallel()
	nats := bustest.Start(t)
	_, err := nats.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "WX_OUTCOME", Subjects: []string{"wx.outcome.*"}, Discard: jetstream.DiscardOld,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, with(good(), "WX_NATS_URL", nats.URL(), "WX_ADMIN_LISTEN", "127.0.0.1:0"), nil, "ingress")
	if code := p.code(t); code != 78 {
		t.Errorf("exit %d, want 78", code)
	}
	for _, word := range []string{"WX_OUTCOME", "discard", "promise"} {
		if !strings.Contains(p.out.String(), word) {
			t.Errorf("does not say %q", word)
		}
	}
}

// With WX_STREAMS=check nothing is created, and what is missing is named.
func TestStreamsAreOnlyChecked(t *testing.T) {
	t.Parallel()
	nats := bustest.Start(t)
	p := start(t, with(good(), "WX_NATS_URL", nats.URL(), "WX_STREAMS", "check", "WX_ADMIN_LISTEN", "127.0.0.1:0"), nil, "egress")
	if code := p.code(t); code != 78 {
		t.Errorf("exit %d, want 78", code)
	}
	for _, name := range []string{"WX_INBOUND", "WX_CMD", "WX_CLAIM", "WX_MEDIA"} {
		if !strings.Contains(p.out.String(), name) {
			t.Errorf("does not name %q", name)
		}
	}
}

// Help names every command and variable.
func TestHelp(t *testing.T) {
	t.Parallel()
	p := start(t, nil, nil, "help")
	if code := p.code(t); code != 0 {
		t.Errorf("exit %d", code)
	}
	for _, word := range []string{"wxbridge demo", "WX_TOKEN ", "WX_HOLD ", "4500ms", "78 configuration"} {
		if !strings.Contains(p.out.String(), word) {
			t.Errorf("does not say %q", word)
		}
	}
}
