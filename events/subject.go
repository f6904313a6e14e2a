package events

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Branch is the first token after the prefix: what a message on the subject is.
type Branch string

// The branches of the subject tree.
const (
	Inbound  Branch = "inbound"
	Replies  Branch = "reply"
	Marks    Branch = "mark"
	Outcomes Branch = "outcome"
	Cmd      Branch = "cmd"
	Results  Branch = "result"
	DLQ      Branch = "dlq"
	Call     Branch = "call"
)

// typePrefix begins the CloudEvents type of everything the bridge publishes.
const typePrefix = "com.qq.weixin.mp."

// Prefix is an account's place on the bus, "wx" by default. Dots are allowed
// between tokens, so that wx.shop and wx.news are reached together as
// wx.*.inbound.*.
type Prefix string

var prefixPattern = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`)

// Validate says what is wrong with a prefix that NATS or the stream names
// could not carry.
func (p Prefix) Validate() error {
	if p == "" {
		return errors.New("must not be empty")
	}
	if len(p) > 64 {
		return errors.New("must be at most 64 characters")
	}
	if !prefixPattern.MatchString(string(p)) {
		return fmt.Errorf("%q: only tokens of [a-z0-9_] with single dots between them", string(p))
	}
	return nil
}

// Subject is the subject of name on a branch, e.g. wx.inbound.text. The name
// "*" gives the filter for the whole branch.
func (p Prefix) Subject(b Branch, name string) string {
	return string(p) + "." + string(b) + "." + name
}

// SplitSubject takes a subject of any prefix apart, for those who subscribe to
// several accounts at once.
func SplitSubject(subject string) (p Prefix, b Branch, name string, ok bool) {
	rest, name, _ := cutLast(subject)
	prefix, branch, ok := cutLast(rest)
	p = Prefix(prefix)
	if !ok || name == "" || branch == "" || p.Validate() != nil {
		return "", "", "", false
	}
	return p, Branch(branch), name, true
}

// cutLast cuts before the last token.
func cutLast(subject string) (before, token string, found bool) {
	at := strings.LastIndexByte(subject, '.')
	if at < 0 {
		return "", subject, false
	}
	return subject[:at], subject[at+1:], true
}

// Split takes a subject of this prefix apart; ok is false for any other. The
// empty prefix stands for all of them.
func (p Prefix) Split(subject string) (b Branch, name string, ok bool) {
	if p == "" {
		_, b, name, ok = SplitSubject(subject)
		return b, name, ok
	}
	rest, found := strings.CutPrefix(subject, string(p)+".")
	if !found {
		return "", "", false
	}
	branch, name, found := strings.Cut(rest, ".")
	if !found || name == "" || strings.Contains(name, ".") {
		return "", "", false
	}
	return Branch(branch), name, true
}

// Resource names a stream or bucket of this prefix: WX_INBOUND, WX_SHOP_CMD.
func (p Prefix) Resource(name string) string {
	return strings.ToUpper(strings.ReplaceAll(string(p), ".", "_")) + "_" + name
}

// Type is the CloudEvents type of what is published on a branch under name. A
// reply's and a marker's name is a key, which is no type, so it is left out.
func Type(b Branch, name string) string {
	switch b {
	case Replies, Marks:
		return typePrefix + string(b)
	default:
		return typePrefix + string(b) + "." + name
	}
}

// Schema is the dataschema of what is published on a branch under name. All
// outcomes have one, and so have all dead letters, and the inbound events of the
// kinds that [callback.Kinds] doesn't list.
func Schema(b Branch, name string) string {
	general := b == Outcomes || b == DLQ
	if b == Inbound {
		_, listed := callback.LookupKind(name)
		general = !listed
	}
	if general {
		return "urn:wxbridge:" + string(b) + ":1"
	}
	return "urn:wxbridge:" + strings.TrimPrefix(Type(b, name), typePrefix) + ":1"
}

// checkType refuses a type of ours on a subject that says something else: the
// subject decides what a message is, and such an event went to the wrong place.
// Any other type is the sender's own and not looked at.
func checkType(b Branch, name, eventType string) error {
	if strings.HasPrefix(eventType, typePrefix) && eventType != Type(b, name) {
		return fmt.Errorf("type %q does not belong on this subject, which carries %q: leave the type out or mend the subject", eventType, Type(b, name))
	}
	return nil
}
