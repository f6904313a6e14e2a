package ingress

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// WeChat's clock: 微信服务器在五秒内收不到响应会断掉连接，并且重新发起请求，总共重试三次
// (no answer within five seconds: it disconnects and asks again, three times in all).
const (
	wechatTimeout = 5 * time.Second
	wechatTries   = 3
	// clockSlack is how far WeChat's clock may be ahead of ours before a last try
	// is not known by its CreateTime. The try before it came 5 s sooner: a clock
	// that is behind by some 3.5 s, CreateTime being cut to seconds, costs waiting time.
	clockSlack = 500 * time.Millisecond
	// closeBy is when a hold begins to close at the latest, settleBy when its
	// response leaves whatever happened; the rest is for the way to WeChat.
	closeBy  = 4700 * time.Millisecond
	settleBy = 4780 * time.Millisecond
	// silentFor is how long a try that is left without an answer stays open; the
	// peer has gone long before, and a proxy must not make it an error.
	silentFor = 7 * time.Second
	// storeWithin bounds the storing of an event, maxFetch what WX_MEDIA_FETCH may
	// add before it: together they leave WeChat its answer in time.
	storeWithin = 1500 * time.Millisecond
	maxFetch    = 2 * time.Second
)

// Config is what an operator may choose about callbacks and holds.
type Config struct {
	Listen       string        `envconfig:"WX_LISTEN" default:":8080" desc:"address of the callback listener"`
	Path         string        `envconfig:"WX_PATH" default:"/wx" desc:"path of the callback"`
	Hold         time.Duration `envconfig:"WX_HOLD" default:"4500ms" desc:"how long a try is held, 0 to hold nothing"`
	HoldTries    int           `envconfig:"WX_HOLD_TRIES" default:"1" desc:"how many of WeChat's 3 tries to use before giving up"`
	HoldKinds    []string      `envconfig:"WX_HOLD_KINDS" desc:"kinds to hold instead of those WeChat takes replies to"`
	FallbackText string        `envconfig:"WX_FALLBACK_TEXT" desc:"text for the follower when nobody answered in time"`
	MaxHolds     int           `envconfig:"WX_MAX_HOLDS" default:"20000" desc:"callbacks held at once; more are stored and answered success at once"`
	MaxHeldBytes int64         `envconfig:"WX_MAX_HELD_BYTES" default:"268435456" desc:"bytes of the bodies of held callbacks; likewise"`
	MediaFetch   bool          `envconfig:"WX_MEDIA_FETCH" default:"false" desc:"put the files of follower messages into the object store before the event is stored"`
	FetchWithin  time.Duration `envconfig:"WX_MEDIA_FETCH_WITHIN" default:"1s" desc:"how long a message may wait for its file, of the time it is held"`
	BareReply    bool          `envconfig:"WX_BARE_REPLY" default:"true" desc:"take bare text of msg.respond as an answer"`
}

// Validate returns every fault of the settings, each naming its variable.
func (c Config) Validate() error {
	var errs []error
	fault := func(bad bool, field, format string, args ...any) {
		if bad {
			errs = append(errs, &bus.FieldError{Field: field, Problem: fmt.Sprintf(format, args...)})
		}
	}
	fault(!strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#% "),
		"WX_PATH", "%q must begin with / and be a plain path", c.Path)
	fault(c.Hold != 0 && (c.Hold < 100*time.Millisecond || c.Hold > 4800*time.Millisecond),
		"WX_HOLD", "%s: 0, or 100ms to 4.8s", c.Hold)
	fault(c.HoldTries < 1 || c.HoldTries > wechatTries, "WX_HOLD_TRIES", "%d: 1 to %d", c.HoldTries, wechatTries)
	fault(c.MaxHolds < 1, "WX_MAX_HOLDS", "%d: at least 1; WX_HOLD=0 holds nothing", c.MaxHolds)
	fault(c.MaxHeldBytes < maxBody, "WX_MAX_HELD_BYTES", "%d: at least %d, the largest callback", c.MaxHeldBytes, maxBody)
	if c.MediaFetch {
		fault(c.FetchWithin < 100*time.Millisecond || c.FetchWithin > maxFetch, "WX_MEDIA_FETCH_WITHIN", "%s: 100ms to %s", c.FetchWithin, maxFetch)
		fault(c.Hold != 0 && c.FetchWithin >= c.Hold, "WX_MEDIA_FETCH_WITHIN", "%s: shorter than WX_HOLD, %s, or no time is left to reply", c.FetchWithin, c.Hold)
	}
	for _, kind := range c.HoldKinds {
		fault(!isKind(kind), "WX_HOLD_KINDS", "%q: kinds are written like text and event_click, with commas and no blanks between them", kind)
	}
	if c.FallbackText != "" {
		var bad *callback.ReplyError
		fault(errors.As(callback.Text{Content: c.FallbackText}.Check(), &bad), "WX_FALLBACK_TEXT", "%s", problem(bad))
	}
	return errors.Join(errs...)
}

// isKind says whether a subject could end in name.
func isKind(name string) bool {
	if event, ok := strings.CutPrefix(name, "event_"); ok {
		return name == callback.KindName("event", event)
	}
	return name == callback.KindName(name, "")
}

func problem(bad *callback.ReplyError) string {
	if bad == nil {
		return ""
	}
	return bad.Problem
}

// hold is how long a try is held in truth: what is left after it is for the
// closing and the way to WeChat.
func (c Config) hold() time.Duration { return min(c.Hold, closeBy) }

// discard is the logger of those who gave none.
func discard(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
