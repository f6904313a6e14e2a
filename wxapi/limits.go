package wxapi

import (
	"encoding/json"
	"strconv"
)

// The checks here are parts of rows' own ones, for limits that a tag can't name.

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
		if n, ok := v.(json.Number); ok && (in.whole(key) < low || in.whole(key) > high) {
			return refuse(key, "is %s, it must be %d to %d", n, low, high)
		}
		return nil
	}
}

// page is the check of what lists page by page: offset from 0, count 1 to 20.
func page(in *object) *RequestError {
	if problem := within("offset", 0, 1<<53)(in); problem != nil {
		return problem
	}
	return within("count", 1, 20)(in)
}
