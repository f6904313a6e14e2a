package wxapi

import (
	"maps"
	"slices"
)

// Class says what to do about an errcode.
type Class string

// The classes, in no order of severity.
const (
	ClassOK        Class = "ok"        // as good as success: WeChat has done it before
	ClassToken     Class = "token"     // the access token is old: compare, refresh, once more
	ClassBackoff   Class = "backoff"   // WeChat is busy: later, and later again
	ClassMinute    Class = "minute"    // this minute's quota is used up
	ClassQuota     Class = "quota"     // today's quota is used up, until 00:00 UTC+8
	ClassPermanent Class = "permanent" // never, with this request
	ClassUser      Class = "user"      // not to this follower, until they act again
	ClassConfig    Class = "config"    // an operator must change something; the account stands still
	ClassRight     Class = "right"     // the account lacks the right to this API; others work
	ClassBug       Class = "bug"       // the request is malformed
)

// Classes lists every class.
func Classes() []Class {
	return []Class{
		ClassOK, ClassToken, ClassBackoff, ClassMinute, ClassQuota,
		ClassPermanent, ClassUser, ClassConfig, ClassRight, ClassBug,
	}
}

// Code is one errcode of WeChat.
type Code struct {
	Code  int
	Msg   string // errmsg in WeChat's own words, misspellings included
	Class Class  // for verbs with the account's token
	Help  string // what to do, in one line
}

// Codes lists the errcodes we know, in order.
func Codes() []Code {
	list := make([]Code, 0, len(codes))
	for _, n := range slices.Sorted(maps.Keys(codes)) {
		list = append(list, codes[n])
	}
	return list
}

// Known finds an errcode in the table.
func Known(code int) (Code, bool) {
	c, ok := codes[code]
	return c, ok
}

// family is a range of errcodes that mean the same to a caller: not this way.
type family struct{ from, to int }

// families are checks of drafts and publishing, comments, templates of
// notifications, shake-around.
var families = []family{{53000, 53999}, {88000, 88010}, {200011, 200021}, {9001000, 9001099}}

// Classify is total: each errcode has exactly one class for each verb. The row
// speaks first, then the kind of credential, then the table. A code that is
// not in the table is ClassBackoff; a caller that retries should give up on
// one sooner, which [Known] tells.
//
// A nil row stands for a verb with the account's token.
func Classify(row *Row, code int) Class {
	if code == 0 {
		return ClassOK
	}
	class := ClassBackoff
	if known, ok := codes[code]; ok {
		class = known.Class
	} else if slices.ContainsFunc(families, func(f family) bool { return f.from <= code && code <= f.to }) {
		class = ClassPermanent
	} else if code/100 == 653 {
		class = ClassBug // the family of personalised menus
	}
	if row == nil {
		return class
	}
	if own, ok := row.Classes[code]; ok {
		return own
	}
	if class == ClassToken {
		return row.Auth.refused()
	}
	return class
}

// refused is what "invalid credential" means for this kind of credential: only
// the account's own token is ours to refresh.
func (a Auth) refused() Class {
	switch a {
	case AccountToken:
		return ClassToken
	case AppSecret:
		return ClassConfig // 40001 is also "AppSecret error"
	}
	return ClassPermanent // the caller's token, or a refresh_token
}

// Help says in one line what to do about an errcode.
func Help(code int) string {
	c, ok := codes[code]
	switch {
	case code == 0:
		return "nothing to do"
	case !ok:
		return "an errcode we do not know: look it up in WeChat's list, or by its rid"
	case c.Help != "":
		return c.Help
	}
	return classHelp[c.Class]
}

var classHelp = map[Class]string{
	ClassOK:        "nothing to do: WeChat has already done it",
	ClassToken:     "the access token is old; it is refreshed and the call repeated",
	ClassBackoff:   "WeChat is busy; try again later",
	ClassMinute:    "too many calls this minute; go on in the next",
	ClassQuota:     "today's quota is used up; it starts anew at 00:00 UTC+8",
	ClassPermanent: "this request can't succeed; change it",
	ClassUser:      "this follower can't be reached now",
	ClassConfig:    "an operator must act on the account's console at mp.weixin.qq.com",
	ClassRight:     "the account lacks the right to this API",
	ClassBug:       "the request is malformed; mend the program that sent it",
}
