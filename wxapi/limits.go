package wxapi

import (
	"net/url"
	"strconv"
)

// The checks here are parts of rows' own ones, for limits that a tag can't name.

// all makes several checks one; the first problem counts.
func all(checks ...func(in *object) *RequestError) func(in *object) *RequestError {
	return func(in *object) *RequestError {
		for _, check := range checks {
			if problem := check(in); problem != nil {
				return problem
			}
		}
		return nil
	}
}

// whole is the number at key, 0 when there is none.
func (o *object) whole(key string) int64 {
	v, _ := o.get(key)
	text, _ := scalar(v)
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// within checks that a number, if there is one, lies between two others.
func within(key string, low, high int64) func(in *object) *RequestError {
	return func(in *object) *RequestError {
		v, _ := in.get(key)
		if n := in.whole(key); digits(v) && (n < low || n > high) {
			return refuse(key, "is %d, it must be %d to %d", n, low, high)
		}
		return nil
	}
}

// page is the check of what lists page by page: offset from 0, count 1 to 20.
var page = all(within("offset", 0, 1<<53), within("count", 1, 20))

// articlePlace is the check of an article's place in a message that has up to 8
// of them, where the first is 0.
var articlePlace = within("index", 0, 7)

// notReserved checks that a group or tag, which is the object at key, is none of
// those that every account has: 0 to 2 can neither be renamed nor deleted.
func notReserved(key string) func(in *object) *RequestError {
	return func(in *object) *RequestError {
		v, _ := in.get(key)
		if n := v.(*object).whole("id"); n < 3 {
			return refuse(key+".id", "is %d, but 0 to 2 are WeChat's own; it must be 3 or more", n)
		}
		return nil
	}
}

// wholeAddress checks that a text is an address on the web.
func wholeAddress(key string) func(in *object) *RequestError {
	return func(in *object) *RequestError {
		u, err := url.Parse(in.text(key))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return refuse(key, "must be a whole address: http://… or https://…")
		}
		return nil
	}
}
