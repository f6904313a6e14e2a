package wxsim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
)

// CheckURL does what the console does when the server configuration is saved: a signed GET with an echostr that
// must come back as it is. nil means that WeChat would take the URL.
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
func (p *Platform) CheckURL(ctx context.Context) error {
	to := p.callbackURL()
	if to == "" {
		return ErrNoCallback
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.cfg.Timeout, fmt.Errorf("no answer within %v", p.cfg.Timeout))
	defer cancel()
	echostr := newEcho()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, withQuery(to, p.account.NewURLCheck(echostr, p.clock.wall())), nil)
	if err != nil {
		return fmt.Errorf("wxsim: URL check: %w", cause(ctx, err))
	}
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("wxsim: URL check: %w", cause(ctx, err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("wxsim: URL check: %w", cause(ctx, err))
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("wxsim: URL check: HTTP status %d is not 200: is the token the same on both sides?", resp.StatusCode)
	case string(body) != echostr:
		return errors.New("wxsim: URL check: the answer is not exactly the echostr")
	}
	return nil
}

// newEcho makes an echostr of 19 digits.
func newEcho() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000_000_000_000))
	if err != nil {
		panic("wxsim: " + err.Error()) //nolint:forbidigo // crypto/rand ends the program before it fails
	}
	return fmt.Sprintf("1%018d", n)
}
