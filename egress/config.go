package egress

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/wxbridge/wxbridge/events/bus"
)

// Config is what an operator may choose about the calls to WeChat.
type Config struct {
	APIURL     string `envconfig:"WX_API_URL" default:"https://api.weixin.qq.com" desc:"WeChat's API"`
	MPURL      string `envconfig:"WX_MP_URL" default:"https://mp.weixin.qq.com" desc:"WeChat's pages: the picture of a QR code"`
	MaxCommand int    `envconfig:"WX_MAX_COMMAND" default:"524288" desc:"bytes that a command may have"`
	Strict     bool   `envconfig:"WX_STRICT" default:"false" desc:"reject fields that the verb does not know"`
	Late       string `envconfig:"WX_LATE" default:"custom" desc:"late replies: custom sends them as custom messages, drop refuses them"`
	// Rate is by verb, for call_api also by path, or * for all together.
	Rate      []string `envconfig:"WX_RATE" desc:"how often commands may call WeChat: send_custom_message=20/s,*=100/s; s, m, h or d; no limit"`
	TokenCall bool     `envconfig:"WX_TOKEN_CALL" default:"false" desc:"give the access token to whoever asks wx.call.get_access_token"`
	// CallAPIAllow is what wxapi.Config of the same name says.
	CallAPIAllow []string `envconfig:"WX_CALL_API_ALLOW" desc:"paths that call_api reaches, /a/b or /a/*; all but those of credentials"`
}

// What becomes of a reply that no callback could carry any more.
const (
	lateCustom = "custom"
	lateDrop   = "drop"
)

// Validate returns every fault of the settings, each naming its variable.
func (c Config) Validate() error {
	var errs []error
	for field, value := range map[string]string{"WX_API_URL": c.APIURL, "WX_MP_URL": c.MPURL} {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, &bus.FieldError{Field: field, Problem: fmt.Sprintf("%q is not an http or https address", value)})
		}
	}
	if c.MaxCommand < 1<<10 || c.MaxCommand > 1<<20 {
		errs = append(errs, &bus.FieldError{Field: "WX_MAX_COMMAND", Problem: fmt.Sprintf("%d: 1024 to 1048576, NATS's own limit for a message", c.MaxCommand)})
	}
	if c.Late != lateCustom && c.Late != lateDrop {
		errs = append(errs, &bus.FieldError{Field: "WX_LATE", Problem: fmt.Sprintf("%q: custom or drop", c.Late)})
	}
	limited := map[string]bool{}
	for _, part := range c.Rate {
		name, _, err := parseRate(part)
		if err == nil && limited[name] {
			err = fmt.Errorf("%s stands there twice", name)
		}
		if limited[name] = true; err != nil {
			errs = append(errs, &bus.FieldError{Field: "WX_RATE", Problem: err.Error()})
		}
	}
	for _, pattern := range c.CallAPIAllow {
		if whole := strings.TrimSuffix(pattern, "*"); pattern != "*" && !strings.HasPrefix(whole, "/") || strings.Contains(whole, "*") {
			errs = append(errs, &bus.FieldError{Field: "WX_CALL_API_ALLOW", Problem: fmt.Sprintf("%q is no path such as /cgi-bin/comment/list or /cgi-bin/comment/*", pattern)})
		}
	}
	return errors.Join(errs...)
}
