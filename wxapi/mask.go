package wxapi

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// mask knows the secrets of one call and takes them out of text that is meant
// for an error, a log or a result. Most calls never write such a text, so what a
// secret looks like in it is found out only then.
type mask []string

// shortest is from how many bytes on a secret is one: hiding "o" in a sentence
// hides the sentence and no secret.
const shortest = 5

const hidden = "***"

// opaque matches what looks like a token or an OpenID (28 characters) whether
// we know it or not. WeChat's rid is shorter, and no word is that long.
var opaque = regexp.MustCompile(`[A-Za-z0-9_-]{28,}`)

// address matches a URL to its end. A URL of ours may carry credentials that
// are not even ours to know, such as the signature in a video's.
var address = regexp.MustCompile(`https?://[^\s"]+`)

// with adds a secret, and leaves m as it is.
func (m mask) with(secret string) mask {
	if len(secret) < shortest {
		return m
	}
	return append(slices.Clip(m), secret)
}

// forms are all that the secrets may look like.
func (m mask) forms() []string {
	var forms []string
	for _, s := range m {
		quoted, _ := json.Marshal(s)
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`))
	}
	// The longest first, so that no secret survives as the rest of another.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(forms)
}

// text is s without secrets, on one line, at most limit bytes of it.
func (m mask) text(s string, limit int) string {
	if len(s) < shortest {
		return printable(s, limit)
	}
	for _, secret := range m.forms() {
		s = strings.ReplaceAll(s, secret, hidden)
	}
	return printable(opaque.ReplaceAllString(s, hidden), limit)
}

// printable makes a stranger's text fit for a log line: no control characters,
// so no forged lines and no terminal escapes, and at most limit bytes.
func printable(s string, limit int) string {
	if len(s) <= limit && !strings.ContainsFunc(s, odd) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xC0 == 0x80 { // not in the middle of a character
		limit--
	}
	return s[:limit] + "…"
}

// odd is what is not in a name or a word: printable looks at it more closely.
func odd(r rune) bool { return r <= ' ' || r > '~' }

// cause takes the URL out of a network error and keeps the reason, so that
// errors.Is and errors.As still find context.DeadlineExceeded or a *net.OpError.
func (m mask) cause(err error) error {
	for {
		wrapped, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = wrapped.Err
	}
	// What a caller's own transport writes into its errors is not in our hands.
	if clean := m.text(address.ReplaceAllString(err.Error(), hidden), 500); clean != printable(err.Error(), 500) {
		return errors.New(clean)
	}
	return err
}
