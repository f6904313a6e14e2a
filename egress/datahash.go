package egress

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// dataHash is equal for data that are equal as JSON values: the order of names,
// blanks and escapes do not matter. Of numbers the digits count.
func dataHash(data []byte) string {
	if json.Valid(data) {
		c := canon{rest: data}
		data = c.value(make([]byte, 0, len(data)))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// canon writes valid JSON in the one form that is equal for equal values.
type canon struct{ rest []byte }

func (c *canon) skip() {
	for len(c.rest) > 0 && (c.rest[0] == ' ' || c.rest[0] == '\t' || c.rest[0] == '\n' || c.rest[0] == '\r') {
		c.rest = c.rest[1:]
	}
}

// value appends the next value.
func (c *canon) value(to []byte) []byte {
	c.skip()
	switch c.rest[0] {
	case '{':
		return c.object(to)
	case '[':
		return c.array(to)
	case '"':
		return c.text(to)
	}
	n := bytes.IndexAny(c.rest, ",]} \t\r\n")
	if n < 0 {
		n = len(c.rest)
	}
	to = append(to, c.rest[:n]...)
	c.rest = c.rest[n:]
	return to
}

// more takes a comma, or the end of an object or array.
func (c *canon) more() bool {
	c.skip()
	last := c.rest[0]
	c.rest = c.rest[1:]
	return last == ','
}

// begin takes the beginning of an object or array, and its end if it is empty.
func (c *canon) begin(end byte) (empty bool) {
	c.rest = c.rest[1:]
	c.skip()
	if empty = c.rest[0] == end; empty {
		c.rest = c.rest[1:]
	}
	return empty
}

func (c *canon) array(to []byte) []byte {
	to = append(to, '[')
	for more := !c.begin(']'); more; more = c.more() {
		to = append(c.value(to), ',')
	}
	return append(to, ']')
}

func (c *canon) object(to []byte) []byte {
	to = append(to, '{')
	begin := len(to)
	members := make([][]byte, 0, 8)
	for more := !c.begin('}'); more; more = c.more() {
		at := len(to)
		c.skip()
		to = append(c.text(to), ':')
		c.skip()
		c.rest = c.rest[1:] // the colon
		to = append(c.value(to), ',')
		members = append(members, to[at:])
	}
	if !slices.IsSortedFunc(members, bytes.Compare) {
		slices.SortFunc(members, bytes.Compare)
		to = append(to[:begin], bytes.Join(members, nil)...)
	}
	return append(to, '}')
}

// text appends a string without escapes that it need not have.
func (c *canon) text(to []byte) []byte {
	end, plain := 1, true
	for c.rest[end] != '"' {
		if c.rest[end] == '\\' {
			plain = false
			end++
		}
		end++
	}
	raw := c.rest[:end+1]
	c.rest = c.rest[end+1:]
	if plain {
		return append(to, raw...)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return append(to, raw...)
	}
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) != nil {
		return append(to, raw...)
	}
	return append(to, separators.Replace(strings.TrimSuffix(canonical.String(), "\n"))...)
}

// separators are the two characters that the encoder escapes and nobody else does.
var separators = strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029")
