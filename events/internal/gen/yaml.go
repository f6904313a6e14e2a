package gen

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// plain are the strings that mean themselves in YAML without quotes: a letter,
// and then nothing that YAML reads as its own.
var plain = regexp.MustCompile(`^(\./|\$)?\pL(?:(?:` + inner + `|:` + inner + `|[ -])*` + inner + `)?$`)

const inner = `[\pL\pN_./;()'+=<>*,…–?&~]`

// words of YAML 1.1 and 1.2 that are no strings.
var words = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n)$`)

// yamlFile writes an object as YAML in block style.
func (o object) yamlFile(head string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(head)
	if err := writeObject(&b, o, ""); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func writeObject(b *bytes.Buffer, o object, indent string) error {
	for _, m := range o {
		b.WriteString(indent + scalar(m.key) + ":")
		if err := writeValue(b, m.value, indent); err != nil {
			return fmt.Errorf("%s: %w", m.key, err)
		}
	}
	return nil
}

// writeValue writes what follows a key.
func writeValue(b *bytes.Buffer, v any, indent string) error {
	switch v := v.(type) {
	case object:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return nil
		}
		b.WriteString("\n")
		return writeObject(b, v, indent+"  ")
	case []any:
		b.WriteString("\n")
		return writeList(b, v, indent+"  ")
	case string:
		if strings.Contains(v, "\n") && foldable(v) {
			b.WriteString(" |-\n")
			for line := range strings.SplitSeq(v, "\n") {
				b.WriteString(strings.TrimRight(indent+"  "+line, " ") + "\n")
			}
			return nil
		}
		b.WriteString(" " + scalar(v) + "\n")
		return nil
	}
	text, err := compact(v)
	b.WriteString(" " + string(text) + "\n")
	return err
}

func writeList(b *bytes.Buffer, items []any, indent string) error {
	for _, item := range items {
		var one bytes.Buffer
		o, isObject := item.(object)
		if !isObject {
			if err := writeValue(&one, item, indent); err != nil {
				return err
			}
			b.WriteString(indent + "-" + one.String())
			continue
		}
		if err := writeObject(&one, o, indent+"  "); err != nil {
			return err
		}
		b.WriteString(indent + "- " + strings.TrimPrefix(one.String(), indent+"  "))
	}
	return nil
}

// foldable says whether a literal block can hold a text as it is.
func foldable(s string) bool {
	if strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") || strings.HasSuffix(s, "\n") {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if line != strings.TrimRight(line, " \t") || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' || r == '\ufeff' }) {
			return false
		}
	}
	return true
}

// scalar is a string as YAML: as it is, or as in JSON, which is YAML too.
func scalar(s string) string {
	if plain.MatchString(s) && !words.MatchString(s) {
		return s
	}
	quoted, err := compact(s)
	if err != nil {
		return `""` // a string always encodes
	}
	return string(quoted)
}
