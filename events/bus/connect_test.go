package bus

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

func TestNATSAwayAtStart(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	s.Stop()
	b := connect(t, s.URL(), testStreams())
	if got := b.Reasons(); len(got) != 1 || !strings.Contains(got[0], "not connected") {
		t.Errorf("%q", got)
	}
	s.Start()
	waitSettled(t, b)
	if got := b.Reasons(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	publish(t, b, "wx.inbound.text", "x", "1")
}

func TestNATSComesBack(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	b := settled(t, s)
	first, _, _ := b.link()
	for range 2 {
		s.Stop()
		eventually(t, b, "not connected", func() bool { return strings.Contains(strings.Join(b.Reasons(), ""), "not connected") })
		s.Start()
		eventually(t, b, "ready", func() bool { return len(b.Reasons()) == 0 })
		publish(t, b, "wx.inbound.text", "x", "")
	}
	if now, _, _ := b.link(); now <= first {
		t.Errorf("epoch %d after %d", now, first)
	}
}

// Wrong credentials are said, and tried again for ever: by default the client
// gives up after two refusals, and the process would have to be started anew.
func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	s.Stop()
	s.Require("u", "right")
	s.Start()
	b, err := Connect("test", Config{URL: s.URL(), User: "u", Password: "later"}, "wx", testStreams(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	runs(t, func(ctx context.Context) { _ = b.Run(ctx) })
	eventually(t, b, "refused often", func() bool { return s.Connections() >= 4 })
	if got := strings.Join(b.Reasons(), ""); !strings.Contains(got, "Authorization") {
		t.Errorf("%q", got)
	}
	s.Stop()
	s.Require("u", "later")
	s.Start()
	waitSettled(t, b)
}

func TestRunRefusesBrokenPromises(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	weak := testStreams().Streams("wx")[0]
	weak.Duplicates = time.Second
	if _, err := s.JetStream().CreateStream(within(t), weak); err != nil {
		t.Fatal(err)
	}
	b, err := Connect("test", Config{URL: s.URL()}, "wx", testStreams(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var broken *PromiseError
	if err := b.Run(within(t)); !errors.As(err, &broken) {
		t.Errorf("%v", err)
	}
	if got := strings.Join(b.Reasons(), ""); !strings.Contains(got, "duplicate_window") {
		t.Errorf("%q", got)
	}
}

// At start a broken promise ends the process; later it is said, and is waited for.
func TestRunOutlivesLaterFaults(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	check := testStreams()
	check.Mode = "check"
	js := s.JetStream()
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Fatal(err)
	}
	b := connect(t, s.URL(), check)
	waitSettled(t, b)
	if err := js.DeleteStream(within(t), "WX_DLQ"); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	s.Start()
	eventually(t, b, "naming the stream", func() bool { return strings.Contains(strings.Join(b.Reasons(), ""), "WX_DLQ") })
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Fatal(err)
	}
	eventually(t, b, "ready", func() bool { return len(b.Reasons()) == 0 })
}

func TestDeniedSubject(t *testing.T) {
	t.Parallel()
	b := settled(t, bustest.Start(t))
	b.asyncError(errors.New("slow consumer"))
	if got := b.Reasons(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	b.asyncError(nats.ErrPermissionViolation)
	if got := strings.Join(b.Reasons(), ""); !strings.Contains(got, "refuses") {
		t.Errorf("%q", got)
	}
}

func TestConnectFaults(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "nats://127.0.0.1:1"
	for name, c := range map[string]struct {
		config Config
		field  string
	}{
		"no creds file":    {Config{URL: url, Creds: none}, "WX_NATS_CREDS"},
		"no nkey file":     {Config{URL: url, NKey: none}, "WX_NATS_NKEY"},
		"empty nkey file":  {Config{URL: url, NKey: empty}, "WX_NATS_NKEY"},
		"no CA file":       {Config{URL: url, CA: none}, "WX_NATS_CA"},
		"empty CA file":    {Config{URL: url, CA: empty}, "WX_NATS_CA"},
		"no certificate":   {Config{URL: url, Cert: none, Key: none}, "WX_NATS_CERT"},
		"bad inbox prefix": {Config{URL: url, InboxPrefix: "_INBOX.>"}, "WX_NATS_INBOX_PREFIX"},
		"bad address":      {Config{URL: "nats://u:geheim\x7f@x"}, "WX_NATS_URL"},
		"bad port":         {Config{URL: "nats://u:geheim@x:port"}, "WX_NATS_URL"},
	} {
		b, err := Connect("test", c.config, "wx", testStreams(), slog.New(slog.DiscardHandler))
		var fault *FieldError
		if !errors.As(err, &fault) || fault.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			b.Close()
		} else if strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: tells the password: %v", name, err)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config Config
		about  []string
	}{
		"nothing":               {Config{}, nil},
		"user":                  {Config{User: "u", Password: "p"}, nil},
		"two ways":              {Config{Creds: "c", User: "u"}, []string{"WX_NATS_CREDS"}},
		"password alone":        {Config{Password: "geheim"}, []string{"WX_NATS_PASSWORD"}},
		"certificate alone":     {Config{Cert: "c"}, []string{"WX_NATS_CERT"}},
		"everything, all named": {Config{Creds: "c", NKey: "n", Password: "geheim", Key: "k"}, []string{"WX_NATS_CREDS", "WX_NATS_PASSWORD", "WX_NATS_CERT"}},
	} {
		checkFaults(t, name, c.config.Validate(), c.about)
	}
	fine := testStreams()
	for name, c := range map[string]struct {
		spoil func(*StreamConfig)
		about []string
	}{
		"as tested":      {func(*StreamConfig) {}, nil},
		"mode":           {func(c *StreamConfig) { c.Mode = "Create" }, []string{"WX_STREAMS"}},
		"two replicas":   {func(c *StreamConfig) { c.Replicas = 2 }, []string{"WX_STREAM_REPLICAS"}},
		"storage":        {func(c *StreamConfig) { c.Storage = "disk" }, []string{"WX_STREAM_STORAGE"}},
		"no bytes":       {func(c *StreamConfig) { c.MaxBytes = 0 }, []string{"WX_STREAM_MAX_BYTES"}},
		"a second":       {func(c *StreamConfig) { c.ReplyWindow = time.Second }, []string{"WX_REPLY_WINDOW"}},
		"a day":          {func(c *StreamConfig) { c.ReplyWindow = day }, []string{"WX_REPLY_WINDOW"}},
		"nothing at all": {func(c *StreamConfig) { *c = StreamConfig{} }, []string{"WX_STREAMS", "WX_STREAM_REPLICAS", "WX_STREAM_STORAGE", "WX_STREAM_MAX_BYTES", "WX_REPLY_WINDOW"}},
	} {
		spoiled := fine
		c.spoil(&spoiled)
		checkFaults(t, name, spoiled.Validate(), c.about)
	}
	checkFaults(t, "prefix", ValidatePrefix("WX"), []string{"WX_PREFIX"})
	checkFaults(t, "prefix", ValidatePrefix("wx"), nil)
}

func checkFaults(t *testing.T, name string, err error, about []string) {
	t.Helper()
	if (err == nil) != (about == nil) {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, field := range about {
		if !strings.Contains(err.Error(), field+": ") || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v is not about %s", name, err, field)
		}
	}
}

func TestSettledEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b, err := Connect("test", Config{URL: "nats://127.0.0.1:1"}, "wx", testStreams(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := b.Settled(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := b.NewFeed(nil).WaitReady(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
