package callback

import (
	"strings"
	"unicode/utf8"
)

const byteOrderMark = "\uFEFF"

var utf8BOM = []byte(byteOrderMark)

// cleanText makes s what XML can carry, and changes nothing else. Followers do paste control
// characters (U+0002, U+001D, …), and WeChat does cut texts in the middle of a character; no XML
// reader takes either. Line ends become \n, as XML says.
func cleanText(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case legal(r):
			return r
		default:
			return -1
		}
	}, s)
}

func isClean(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c == '' || !legal(rune(c)) {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !legal(r) {
			return false
		}
		i += size
	}
	return true
}

// legal reports whether r is a Char of XML 1.0 (§2.2).
func legal(r rune) bool {
	return r >= 0x20 && r != 0xFFFE && r != 0xFFFF || r == '\t' || r == '\n' || r == '\r'
}
