package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// uniqueNames refuses JSON in which a name stands twice in one object, also in
// another case: encoding/json would take the last, others take the first.
func uniqueNames(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []map[string]bool // names seen of each open object, nil for an array
	isName := false
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, isText := token.(string)
		switch {
		case isName && isText:
			names := open[len(open)-1]
			if names[folded(name)] {
				return fmt.Errorf("the name %s stands twice", shown([]byte(name)))
			}
			names[folded(name)] = true
			isName = false
			continue
		case token == json.Delim('{'):
			open = append(open, map[string]bool{})
		case token == json.Delim('['):
			open = append(open, nil)
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
		}
		isName = len(open) > 0 && open[len(open)-1] != nil
	}
}

// folded is equal for names that encoding/json takes for the same.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		return smallest
	}, name)
}
