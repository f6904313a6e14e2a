package callback

import (
	"errors"
	"fmt"
)

// Config is one account's callback settings, as on the console's 服务器配置 (server configuration)
// page.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
type Config struct {
	// AppID is the account's AppID (wx and 16 hex digits). Every encrypted body ends with it.
	AppID string

	// Token is the 令牌 that both sides sign with.
	Token string

	// TokenPrevious is also accepted in requests, while the console is being changed. Default: none.
	TokenPrevious string

	// AESKey is the EncodingAESKey, 43 characters. When it is set, only encrypted requests are
	// accepted; without it, only plaintext ones. Default: none.
	AESKey string

	// AESKeyPrevious also opens requests. Default: none.
	AESKeyPrevious string
}

// String hides the secrets, so that a Config may be logged.
func (c Config) String() string { return fmt.Sprintf("callback.Config{AppID: %q}", c.AppID) }

// GoString hides the secrets from %#v as well.
func (c Config) GoString() string { return c.String() }

// ConfigError says what is wrong with one field of a [Config]. It never holds the value.
type ConfigError struct {
	Field   string // a field of Config, e.g. "AESKey"
	Problem string // e.g. "must be 43 characters, has 42"
}

func (e *ConfigError) Error() string { return "callback: " + e.Field + " " + e.Problem }

// Account verifies, opens and seals what one account and WeChat send each other. It is immutable
// and safe for concurrent use. Make one with [New].
type Account struct {
	appID  string
	tokens []string // the current one, then the previous one
	keys   []Key    // likewise; none in plaintext mode
}

// New checks c and returns its account. The error joins one [*ConfigError] for every wrong field.
func New(c Config) (*Account, error) {
	var errs []error
	wrong := func(field, problem string) { errs = append(errs, &ConfigError{field, problem}) }

	switch {
	case c.AppID == "":
		wrong("AppID", "is missing")
	case len(c.AppID) > 64 || !only(c.AppID, isWord):
		wrong("AppID", "must be letters and digits: is there a blank or a newline in it?")
	}
	if c.Token == "" {
		wrong("Token", "is missing")
	}
	a := &Account{appID: c.AppID}
	for _, t := range []struct{ field, value string }{{"Token", c.Token}, {"TokenPrevious", c.TokenPrevious}} {
		switch {
		case t.value == "":
		case len(t.value) > 128 || !only(t.value, isGraphic):
			wrong(t.field, "must be 3 to 32 letters and digits: is there a blank or a newline in it?")
		default:
			a.tokens = append(a.tokens, t.value)
		}
	}
	for _, k := range []struct{ field, value string }{{"AESKey", c.AESKey}, {"AESKeyPrevious", c.AESKeyPrevious}} {
		if k.value == "" {
			continue
		}
		key, err := ParseKey(k.value)
		if err != nil {
			wrong(k.field, err.Error())
			continue
		}
		a.keys = append(a.keys, key)
	}
	// A previous key alone would silently be a mode of its own.
	if c.AESKey == "" && c.AESKeyPrevious != "" {
		wrong("AESKeyPrevious", "is set without AESKey")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return a, nil
}

// Encrypted reports whether the account accepts encrypted requests only (an AES key is configured)
// or plaintext ones only.
func (a *Account) Encrypted() bool { return len(a.keys) > 0 }

// AppID returns the account's AppID.
func (a *Account) AppID() string { return a.appID }

// String hides the secrets, so that an Account may be logged.
func (a *Account) String() string { return fmt.Sprintf("callback.Account{AppID: %q}", a.appID) }

// GoString hides the secrets from %#v as well.
func (a *Account) GoString() string { return a.String() }

// only reports whether every byte of s is ok.
func only(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool   { return '0' <= c && c <= '9' }
func isGraphic(c byte) bool { return '!' <= c && c <= '~' }
func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-'
}
