package ingress

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Every fault names its variable, all faults come at once, and what the
// defaults and the limits allow has none.
func TestConfigValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*Config)
		fields []string
	}{
		{"defaults", func(*Config) {}, nil},
		{"hold nothing", func(c *Config) { c.Hold = 0 }, nil},
		{"shortest hold", func(c *Config) { c.Hold = 100 * time.Millisecond }, nil},
		{"longest hold", func(c *Config) { c.Hold = 4800 * time.Millisecond }, nil},
		{"hold too short", func(c *Config) { c.Hold = 99 * time.Millisecond }, []string{"WX_HOLD"}},
		{"hold too long", func(c *Config) { c.Hold = 4801 * time.Millisecond }, []string{"WX_HOLD"}},
		{"negative hold", func(c *Config) { c.Hold = -time.Second }, []string{"WX_HOLD"}},
		{"three tries", func(c *Config) { c.HoldTries = 3 }, nil},
		{"no try", func(c *Config) { c.HoldTries = 0 }, []string{"WX_HOLD_TRIES"}},
		{"four tries", func(c *Config) { c.HoldTries = 4 }, []string{"WX_HOLD_TRIES"}},
		{"no path", func(c *Config) { c.Path = "" }, []string{"WX_PATH"}},
		{"relative path", func(c *Config) { c.Path = "wx" }, []string{"WX_PATH"}},
		{"path with a query", func(c *Config) { c.Path = "/wx?a=b" }, []string{"WX_PATH"}},
		{"kinds", func(c *Config) { c.HoldKinds = []string{"text", "event_click", "hologram"} }, nil},
		{"kind as WeChat writes it", func(c *Config) { c.HoldKinds = []string{"event_CLICK"} }, []string{"WX_HOLD_KINDS"}},
		{"kind with a blank", func(c *Config) { c.HoldKinds = []string{"text", " image"} }, []string{"WX_HOLD_KINDS"}},
		{"empty kind", func(c *Config) { c.HoldKinds = []string{""} }, []string{"WX_HOLD_KINDS"}},
		{"media", func(c *Config) { c.MediaFetch, c.FetchWithin = true, time.Second }, nil},
		{"media in no time", func(c *Config) { c.MediaFetch = true }, []string{"WX_MEDIA_FETCH_WITHIN"}},
		{"media for too long", func(c *Config) { c.Hold, c.MediaFetch, c.FetchWithin = 0, true, 2001*time.Millisecond }, []string{"WX_MEDIA_FETCH_WITHIN"}},
		{"media for the whole hold", func(c *Config) { c.Hold, c.MediaFetch, c.FetchWithin = time.Second, true, time.Second }, []string{"WX_MEDIA_FETCH_WITHIN"}},
		{"fallback", func(c *Config) { c.FallbackText = strings.Repeat("好", 682) }, nil},
		{"fallback too long", func(c *Config) { c.FallbackText = strings.Repeat("好", 683) }, []string{"WX_FALLBACK_TEXT"}},
		{"blank fallback", func(c *Config) { c.FallbackText = " \n" }, []string{"WX_FALLBACK_TEXT"}},
		{
			"all at once", func(c *Config) { *c = Config{Hold: -1, HoldKinds: []string{"a b"}, FallbackText: " "} },
			[]string{"WX_PATH", "WX_HOLD", "WX_HOLD_TRIES", "WX_MAX_HOLDS", "WX_MAX_HELD_BYTES", "WX_HOLD_KINDS", "WX_FALLBACK_TEXT"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := defaults()
			c.change(&cfg)
			err := cfg.Validate()
			if len(c.fields) == 0 {
				noError(t, err)
				return
			}
			if err == nil {
				t.Fatal("no fault")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.fields) {
				t.Fatalf("%d faults: %v", len(lines), err)
			}
			for i, field := range c.fields {
				if !strings.HasPrefix(lines[i], field+": ") || len(lines[i]) < len(field)+5 {
					t.Errorf("fault %q, want one of %s", lines[i], field)
				}
			}
		})
	}
}

// No logger is no reason to fall over.
func TestWithoutLogger(t *testing.T) {
	t.Parallel()
	discard(nil).Info("nobody hears this")
	if l := slog.New(newLogbook()); discard(l) != l {
		t.Error("a logger was replaced")
	}
}

// Several observers are all told.
func TestObservers(t *testing.T) {
	t.Parallel()
	a, b := newWatcher(), newWatcher()
	all := Observers{a, b}
	all.Refused(403, "signature")
	all.Stored(Stored{ID: "1"})
	all.Answered(Answered{ID: "2"})
	for _, w := range []*watcher{a, b} {
		if r, s, e := next(t, w.refused), next(t, w.stored), next(t, w.ended); r != "403 signature" || s.ID != "1" || e.ID != "2" {
			t.Errorf("told %q, %v, %v", r, s, e)
		}
	}
}
