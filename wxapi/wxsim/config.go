package wxsim

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Config is the account that the simulator plays, and the numbers that WeChat sets.
type Config struct {
	AppID     string
	AppSecret string
	Token     string // of the callback
	AESKey    string // EncodingAESKey, 43 characters; empty = the account has none and pushes plaintext

	// OriginalID is the account's 原始ID, ToUserName of every push. Default: gh_ and 12 digits made from AppID.
	OriginalID string
	// Mode is how pushes are sent. Default: safe when AESKey is set, else plain.
	Mode callback.Mode
	// Callback is the URL pushed to, for example http://127.0.0.1:8080/wx; see also [Platform.SetCallback].
	Callback string

	// Timeout is how long one try of a push may take, from connect to the answer's last byte. Default 5 s.
	Timeout time.Duration
	// Tries is how often a push is delivered in all. Default 3.
	Tries int
	// RetryEvery is the time from the start of one try to the start of the next; a try that took longer is
	// followed at once. Default: Timeout; negative = every try follows at once.
	RetryEvery time.Duration

	// How many custom messages a follower's action allows, and for how long.
	MessageWindow Window // says something: default 5 in 48 h
	MenuWindow    Window // taps a menu (click, scancode_push, scancode_waitmsg): default 3 in 1 min
	FollowWindow  Window // follows: default 3 in 1 min
	ScanWindow    Window // scans a QR code: default 3 in 1 min

	// Templates are ids of message templates that the account has from the start; others come by the API.
	Templates []string

	PageSize  int           // OpenIDs in one answer of user/get and other lists; default 10000
	MaxGroups int           // groups and tags that an account may make, together; default 100
	MediaLife time.Duration // how long temporary media live; default 3 days
	// Limits are calls per minute and day by verb, in addition to those of the token endpoints.
	Limits map[string]Limit

	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Wait waits for d or until ctx ends, whose error it returns. It spaces tries and delays slow answers.
	// Default: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Transport carries pushes. Default: one of the platform's own, without proxy.
	Transport http.RoundTripper
	// Logger gets one line for each push and for each API call that failed, without OpenIDs, texts and
	// secrets. Default: none.
	Logger *slog.Logger
}

// Window is how many custom messages an action allows, and for how long after it.
type Window struct {
	Count int
	For   time.Duration
}

func (cfg *Config) setDefaults() {
	if cfg.Mode == "" {
		cfg.Mode = callback.ModePlain
		if cfg.AESKey != "" {
			cfg.Mode = callback.ModeSafe
		}
	}
	if cfg.OriginalID == "" {
		sum := sha1.Sum([]byte(cfg.AppID))
		cfg.OriginalID = "gh_" + hex.EncodeToString(sum[:6])
	}
	fill(&cfg.Timeout, 5*time.Second)
	fill(&cfg.Tries, 3)
	fill(&cfg.RetryEvery, cfg.Timeout)
	fill(&cfg.MessageWindow, Window{5, 48 * time.Hour})
	fill(&cfg.MenuWindow, Window{3, time.Minute})
	fill(&cfg.FollowWindow, Window{3, time.Minute})
	fill(&cfg.ScanWindow, Window{3, time.Minute})
	fill(&cfg.PageSize, 10_000)
	fill(&cfg.MaxGroups, 100)
	fill(&cfg.MediaLife, 3*24*time.Hour)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = sleep
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Transport == nil {
		// Many pushes at a time to one host is what a simulator does; a proxy between it and a laptop's
		// port is never meant.
		cfg.Transport = &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 30 * time.Second}
	}
}

// check finds what [callback.New] doesn't know of. No error holds a secret.
func (cfg *Config) check() error {
	var errs []error
	if cfg.AppSecret == "" {
		errs = append(errs, errors.New("wxsim: AppSecret is missing: any made-up one will do"))
	}
	switch cfg.Mode {
	case callback.ModePlain:
	case callback.ModeCompatible, callback.ModeSafe:
		if cfg.AESKey == "" {
			errs = append(errs, fmt.Errorf("wxsim: Mode %s needs an AESKey: any 43 letters and digits will do", cfg.Mode))
		}
	default:
		errs = append(errs, fmt.Errorf("wxsim: no Mode %q: use plain, compatible or safe", string(cfg.Mode)))
	}
	return errors.Join(append(errs, checkLimits(cfg.Limits), checkCallback(cfg.Callback))...)
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func checkCallback(to string) error {
	if to == "" {
		return nil
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("wxsim: Callback is no http or https URL such as http://127.0.0.1:8080/wx")
	}
	return nil
}
