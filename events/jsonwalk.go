package events

import (
	"bytes"
	"encoding/json"
)

// What is read here is valid JSON already: encoding/json has said so.

// eachMember calls f with the members of an object in their order, until f says no.
func eachMember(object []byte, f func(name string, value json.RawMessage) bool) bool {
	for at := skipBlanks(object, 1); object[at] != '}'; {
		end := skipValue(object, at)
		name := textOf(object[at:end])
		at = skipBlanks(object, skipBlanks(object, end)+len(":"))
		end = skipValue(object, at)
		if !f(name, object[at:end:end]) {
			return false
		}
		at = skipComma(object, end)
	}
	return true
}

// eachElement calls f with the elements of an array in their order, until f says no.
func eachElement(array []byte, f func(value json.RawMessage) bool) bool {
	for at := skipBlanks(array, 1); array[at] != ']'; {
		end := skipValue(array, at)
		if !f(array[at:end:end]) {
			return false
		}
		at = skipComma(array, end)
	}
	return true
}

// memberOf is the value under a name in an object, nil if there is none; of
// several the last, as encoding/json has it.
func memberOf(object json.RawMessage, name string) (found json.RawMessage) {
	if len(object) == 0 || object[0] != '{' {
		return nil
	}
	eachMember(object, func(n string, value json.RawMessage) bool {
		if n == name {
			found = value
		}
		return true
	})
	return found
}

// textOf is what a JSON string says.
func textOf(quoted []byte) (text string) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	_ = json.Unmarshal(quoted, &text) // it is valid
	return text
}

// skipComma goes from behind a value to the next one, or to the end of what holds it.
func skipComma(s []byte, at int) int {
	at = skipBlanks(s, at)
	if s[at] == ',' {
		at = skipBlanks(s, at+1)
	}
	return at
}

func skipBlanks(s []byte, at int) int {
	for s[at] == ' ' || s[at] == '\t' || s[at] == '\n' || s[at] == '\r' {
		at++
	}
	return at
}

// skipValue is where the value ends that begins at a place.
func skipValue(s []byte, at int) (end int) {
	switch s[at] {
	case '"':
		return skipString(s, at)
	case '{', '[':
		for depth := 0; ; at++ {
			switch s[at] {
			case '"':
				at = skipString(s, at) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return at + 1
				}
			}
		}
	default:
		if length := bytes.IndexAny(s[at:], ",}] \t\n\r"); length >= 0 {
			return at + length
		}
		return len(s)
	}
}

func skipString(s []byte, at int) (end int) {
	for at++; s[at] != '"'; at++ {
		if s[at] == '\\' {
			at++
		}
	}
	return at + 1
}
