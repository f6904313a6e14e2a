package wxapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// tokenRow is what errors call the fetching of a token, and the kind of
// credential by which its errcodes are classified.
var tokenRow = &Row{Name: "get_access_token", Auth: AppSecret, Proof: []string{"access_token"}}

// WeChat documents 7200 seconds, and that at least 300 are left.
const minLife, maxLife = 60, 7200

// AccessToken returns the account's token, for those who call WeChat without
// this client. refused is one that WeChat has refused them, "" for none: it is
// compared with the token in use, and only if that is the same a new one is
// asked for. Others' calls go on with the token, so nobody may ask WeChat for
// one of their own by force.
//
// The error is a [*Error] of the verb get_access_token, or a [*TransportError].
func (c *Client) AccessToken(ctx context.Context, refused string) (Token, error) {
	if refused == "" {
		return c.tokens.get(ctx)
	}
	return c.tokens.replace(ctx, Token{Value: refused})
}

// fetchToken asks WeChat for the account's token. It is never forced: a forced
// token ends the old one at once, 20 times a day at most.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html
func (c *Client) fetchToken(ctx context.Context) (Token, error) {
	ctx, cancel := withTimeout(ctx, c.config.Timeout)
	defer cancel()
	secrets := mask{}.with(c.config.AppSecret)
	asked := c.config.Now() // before the exchange, so that our idea of its end is the earlier one
	resp, err := c.attempt(ctx, &request{
		method: http.MethodPost, url: c.api.JoinPath("/cgi-bin/stable_token"),
		header: http.Header{"User-Agent": {"wxbridge"}, "Content-Type": {"application/json"}},
		body: encode(&object{members: []member{
			{"grant_type", "client_credential"},
			{"appid", c.config.AppID},
			{"secret", c.config.AppSecret},
			{"force_refresh", false},
		}}),
		verb: tokenRow.Name, secrets: secrets,
	})
	if err != nil {
		return Token{}, notBegun(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(&limited{resp.Body, c.config.MaxAnswer})
	if err != nil {
		return Token{}, notBegun(secrets.cause(err))
	}
	answer, _, err := judge(tokenRow, resp.StatusCode, body, secrets)
	if err != nil {
		return Token{}, notBegun(err)
	}
	value := answer.text("access_token")
	if value == "" {
		return Token{}, notBegun(errors.New("WeChat answered without an access_token"))
	}
	return Token{Value: value, Expires: asked.Add(lifetime(answer))}, nil
}

// notBegun turns a failure of the token's exchange into one of the call that
// needed the token: that was not begun, so it is safe to send. WeChat's
// refusal stays what it is.
func notBegun(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if lost, ok := errors.AsType[*TransportError](err); ok {
		err = lost.Err
	} else if doubtful, ok := errors.AsType[*AnswerError](err); ok {
		// Without its type: callers take that for an unknown outcome of the call.
		err = errors.New(doubtful.Error())
	}
	return &TransportError{Verb: tokenRow.Name, Err: err}
}

// lifetime reads expires_in, a number or a string of seconds, and doesn't
// believe impossible ones.
func lifetime(answer *object) time.Duration {
	v, _ := answer.get("expires_in")
	text, _ := scalar(v)
	seconds, err := strconv.ParseFloat(text, 64)
	if _, isBool := v.(bool); err != nil || isBool {
		seconds = 0
	}
	return time.Duration(min(max(seconds, minLife), maxLife)) * time.Second
}
