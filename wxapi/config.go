package wxapi

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is the account and how to reach WeChat. Only AppID and AppSecret have
// no default. It prints without the AppSecret.
type Config struct {
	AppID     string // "wx" and 16 hexadecimal digits
	AppSecret string // 32 hexadecimal digits

	APIURL string // where the API is; also the place for a simulator. Default https://api.weixin.qq.com
	MPURL  string // where pictures of QR codes are. Default https://mp.weixin.qq.com

	// Transport does the exchanges. It must send one request for each it is
	// given: an *http.Transport over HTTP/1.1 does, since the client's requests
	// can't be replayed. Default: an own one with limits to each phase, TLS 1.2.
	Transport http.RoundTripper
	// Wrap puts a layer such as tracing around the transport. What it sees of a
	// request has no credentials: those are added below it. Default none
	Wrap func(http.RoundTripper) http.RoundTripper

	// CallAPIAllow are the paths that call_api reaches: whole ones, or a
	// beginning and a *, such as /cgi-bin/comment/*. Those that issue, carry or
	// reset credentials have to be named whole. Default: *, all others
	CallAPIAllow []string

	Tokens TokenStore // shared by all replicas. Default: this client's memory
	Media  MediaStore // for datarefs and downloads. Default none: downloads are answered as base64
	Recent Recent     // of all replicas: temporary media of late, which need not travel twice. Default none

	Timeout       time.Duration // for one request, its answer read. Default 10s
	UploadTimeout time.Duration // the same with a file in it, either way. Default 60s
	MaxAnswer     int64         // bytes of a JSON answer. Default 4 MiB
	MaxDownload   int64         // bytes of a file. Default 64 MiB

	Now    func() time.Time // Default time.Now
	Logger *slog.Logger     // refreshes of the token, failures of its store. Default: none
}

func (c Config) withDefaults() Config {
	c.APIURL = cmp.Or(c.APIURL, "https://api.weixin.qq.com")
	c.MPURL = cmp.Or(c.MPURL, "https://mp.weixin.qq.com")
	c.Timeout = cmp.Or(c.Timeout, 10*time.Second)
	c.UploadTimeout = cmp.Or(c.UploadTimeout, time.Minute)
	c.MaxAnswer = cmp.Or(c.MaxAnswer, 4<<20)
	c.MaxDownload = cmp.Or(c.MaxDownload, 64<<20)
	if c.CallAPIAllow == nil {
		c.CallAPIAllow = []string{"*"}
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.Tokens == nil {
		c.Tokens = &memoryStore{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Format prints the configuration without the secret, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "wxapi.Config(%s at %s)", c.AppID, c.APIURL)
}

// LogValue keeps the secret out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("appid", c.AppID), slog.String("api_url", c.APIURL))
}

// baseURL reads one of the two URLs. The error does not repeat the value,
// which might have a password in it.
func baseURL(name, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is not a URL", name)
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("%s must be http://… or https://…", name)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("%s must be a host and at most a path", name)
	}
	if u.Path == "" {
		u.Path = "/" // JoinPath makes a relative path of none
	}
	return u, nil
}

// New checks the configuration, all of it, and calls nobody.
func New(config Config) (*Client, error) {
	own := config.Transport == nil && config.Wrap == nil
	config = config.withDefaults()
	api, err1 := baseURL("APIURL", config.APIURL)
	mp, err2 := baseURL("MPURL", config.MPURL)
	errs := []error{err1, err2}
	if config.AppID == "" {
		errs = append(errs, errors.New("AppID is missing"))
	}
	if config.AppSecret == "" {
		errs = append(errs, errors.New("AppSecret is missing"))
	}
	if min(config.Timeout, config.UploadTimeout) < 0 || min(config.MaxAnswer, config.MaxDownload) < 0 {
		errs = append(errs, errors.New("a limit is negative"))
	}
	for _, pattern := range config.CallAPIAllow {
		if whole := strings.TrimSuffix(pattern, "*"); pattern != "*" && !strings.HasPrefix(whole, "/") || strings.Contains(whole, "*") {
			errs = append(errs, fmt.Errorf("CallAPIAllow: %q is no path such as /cgi-bin/comment/list or /cgi-bin/comment/*", pattern))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("wxapi: %w", err)
	}
	c := &Client{config: config, api: api, mp: mp, transport: credentials{config.Transport}, ownTransport: own}
	if config.Wrap != nil {
		c.transport = config.Wrap(c.transport)
	}
	c.tokens = newTokens(config, c.fetchToken)
	return c, nil
}
