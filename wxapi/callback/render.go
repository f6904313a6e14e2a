package callback

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// JSON returns the message as the data of its event: WeChat's own element names, in the document's
// order. CreateTime, counts and coordinates are numbers; ids and all that this package doesn't know
// are strings; elements with elements inside are objects, and repeated ones arrays. Nothing is left
// out, and <, > and & are not escaped. An event that was pushed as JSON has the data of its XML form.
func (m *Message) JSON() []byte {
	var out bytes.Buffer
	out.Grow(512) // what a message of a follower needs
	writeObject(&out, m.root.kids)
	return out.Bytes()
}

// writeObject writes kids as an object, repeated names as one array at the first one's place.
func writeObject(out *bytes.Buffer, kids []node) {
	if distinct(kids) {
		writeMembers(out, kids)
		return
	}
	same := map[string][]int{}
	for i, k := range kids {
		same[k.name] = append(same[k.name], i)
	}
	out.WriteByte('{')
	for i, k := range kids {
		places := same[k.name]
		if places[0] != i {
			continue
		}
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, k.name)
		out.WriteByte(':')
		if len(places) == 1 {
			writeValue(out, k)
			continue
		}
		all := make([]node, len(places))
		for j, place := range places {
			all[j] = kids[place]
		}
		writeArray(out, all)
	}
	out.WriteByte('}')
}

// writeMembers writes kids as an object; no name is there twice.
func writeMembers(out *bytes.Buffer, kids []node) {
	out.WriteByte('{')
	for i, k := range kids {
		if i > 0 {
			out.WriteByte(',')
		}
		writeString(out, k.name)
		out.WriteByte(':')
		writeValue(out, k)
	}
	out.WriteByte('}')
}

func writeArray(out *bytes.Buffer, items []node) {
	out.WriteByte('[')
	for i, item := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		writeValue(out, item)
	}
	out.WriteByte(']')
}

func writeValue(out *bytes.Buffer, n node) {
	f := known[n.name]
	switch value := strings.TrimSpace(n.text); {
	case n.kind == branch:
		writeObject(out, n.kids)
	case n.kind == list:
		writeArray(out, n.kids)
	case f.Type == TypeObject && (value == "" || n.kind == literal && value == "null"):
		out.WriteString("{}")
	case f.Type == TypeInteger && isInteger(value), f.Type == TypeNumber && isNumber(value):
		out.WriteString(value)
	case f.Type == TypeID:
		writeString(out, value)
	case n.kind == literal && f.Type != "" && value == "null": // in XML it is an empty element
		writeString(out, "")
	case n.kind == literal && f.Type == "" && (isNumber(value) || value == "true" || value == "false" || value == "null"):
		out.WriteString(value)
	default:
		writeString(out, n.text)
	}
}

// writeString writes a JSON string without HTML's escapes.
func writeString(out *bytes.Buffer, s string) {
	if isPlainJSON(s) {
		out.WriteByte('"')
		out.WriteString(s)
		out.WriteByte('"')
		return
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s)       // a string always encodes
	out.Truncate(out.Len() - 1) // the newline that Encode adds
}

// isPlainJSON reports whether s stands in JSON as it is. Of most strings it is so, and the encoder is
// slow. It escapes U+2028 and U+2029 too, for JavaScript's sake.
func isPlainJSON(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\':
			return false
		case c == 0xE2 && (strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029")):
			return false
		}
	}
	return utf8.ValidString(s)
}

// isInteger takes what every JSON reader takes for the same number: up to 15 digits, as written in JSON.
func isInteger(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s == "0" || s != "" && len(s) <= 15 && s[0] != '0' && only(s, isDigit)
}

// isNumber takes integers and decimal fractions of at most 15 digits after the point, without an exponent.
func isNumber(s string) bool {
	whole, fraction, ok := strings.Cut(s, ".")
	if !ok {
		return isInteger(s)
	}
	return (isInteger(whole) || whole == "-0") &&
		fraction != "" && len(whole)+len(fraction) <= 20 && only(fraction, isDigit)
}
