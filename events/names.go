package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// uniqueNames refuses JSON in which a name stands twice in one object, also in
// another case: encoding/json would take the last, others take the first. It is
// valid JSON already.
func uniqueNames(data []byte) (err error) {
	inside := func(value json.RawMessage) bool {
		err = uniqueNames(value)
		return err == nil
	}
	data = bytes.TrimSpace(data)
	switch data[0] {
	case '[':
		eachElement(data, inside)
	case '{':
		seen := map[string]bool{}
		eachMember(data, func(name string, value json.RawMessage) bool {
			fold := folded(name)
			if seen[fold] {
				err = fmt.Errorf("the name %s stands twice", shown([]byte(name)))
				return false
			}
			seen[fold] = true
			return inside(value)
		})
	}
	return err
}

// folded is equal for names that encoding/json takes for the same.
func folded(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToUpper(name) // of all forms of an ASCII letter the smallest
	}
	return strings.Map(func(r rune) rune {
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		return smallest
	}, name)
}
