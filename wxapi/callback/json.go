package callback

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// jsonReader builds the tree of a JSON document, in its order and with its numbers as they are
// written: an id read into a float64 would be another id.
type jsonReader struct {
	decoder  *json.Decoder
	elements int
}

func readJSON(text string) (node, *ParseError) {
	r := jsonReader{decoder: json.NewDecoder(strings.NewReader(text))}
	r.decoder.UseNumber()
	root, err := r.value("xml", 0)
	if err != nil {
		return node{}, err
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		return node{}, unreadable("trailing", "more after the end of the document")
	}
	return root, nil
}

func (r *jsonReader) value(name string, depth int) (node, *ParseError) {
	r.elements++
	if r.elements > maxElements {
		return node{}, unreadable("elements", "more than %d values", maxElements)
	}
	token, err := r.decoder.Token()
	if err != nil {
		return node{}, unreadable("malformed", "not JSON at byte %d", r.decoder.InputOffset())
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, unreadable("depth", "more than %d levels", maxDepth)
		}
		if t == '[' {
			return r.array(name, depth+1)
		}
		return r.object(name, depth+1)
	case string:
		return node{name: name, text: cleanText(t)}, nil
	case json.Number:
		return node{name: name, kind: literal, text: t.String()}, nil
	case bool:
		if t {
			return node{name: name, kind: literal, text: "true"}, nil
		}
		return node{name: name, kind: literal, text: "false"}, nil
	default:
		return node{name: name, kind: literal, text: "null"}, nil
	}
}

func (r *jsonReader) object(name string, depth int) (node, *ParseError) {
	n := node{name: name, kind: branch}
	seen := map[string]bool{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return node{}, unreadable("malformed", "not JSON at byte %d", r.decoder.InputOffset())
		}
		key = cleanText(key)
		if seen[key] {
			return node{}, unreadable("duplicate", "a name is there twice in one object")
		}
		seen[key] = true
		kid, bad := r.value(key, depth)
		if bad != nil {
			return node{}, bad
		}
		n.kids = append(n.kids, kid)
	}
	return n, r.end()
}

func (r *jsonReader) array(name string, depth int) (node, *ParseError) {
	n := node{name: name, kind: list}
	for r.decoder.More() {
		kid, err := r.value(name, depth)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
	}
	return n, r.end()
}

func (r *jsonReader) end() *ParseError {
	if _, err := r.decoder.Token(); err != nil {
		return unreadable("malformed", "not JSON at byte %d", r.decoder.InputOffset())
	}
	return nil
}
