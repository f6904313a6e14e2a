package wxapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// object is a JSON object in the order it was written. Its values are string,
// json.Number (so that a 64-bit id stays exact), bool, nil, []any and *object.
type object struct{ members []member }

type member struct {
	key   string
	value any
}

func (o *object) get(key string) (any, bool) {
	for _, m := range o.members {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

// text is the string at key, "" when there is none.
func (o *object) text(key string) string {
	v, _ := o.get(key)
	s, _ := v.(string)
	return s
}

func (o *object) set(key string, value any) {
	for i, m := range o.members {
		if m.key == key {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{key, value})
}

// without is a copy that lacks the given keys.
func (o *object) without(keys ...string) *object {
	rest := &object{}
next:
	for _, m := range o.members {
		for _, key := range keys {
			if m.key == key {
				continue next
			}
		}
		rest.members = append(rest.members, m)
	}
	return rest
}

// errNotObject is what parse says about JSON that is something else.
var errNotObject = errors.New("not a JSON object")

// maxDepth is far more than any API of WeChat nests.
const maxDepth = 100

// parse reads exactly one JSON object. Every string goes through clean;
// repeated is told the path of each key that stands twice in one object.
func parse(data []byte, clean func(string) string, repeated func(path string)) (*object, error) {
	// The standard scanner first: the token reader below is laxer than it.
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return nil, err
	}
	p := &parser{Decoder: json.NewDecoder(bytes.NewReader(data)), clean: clean, repeated: repeated}
	p.UseNumber()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, errNotObject
	}
	return o, nil
}

type parser struct {
	*json.Decoder
	clean    func(string) string
	repeated func(path string)
	trail    []step // where in the document it is
}

// step is a key of an object or, without one, a place in a list.
type step struct {
	key   string
	index int
}

func (p *parser) path() (path string) {
	for _, s := range p.trail {
		if s.key == "" {
			path += fmt.Sprintf("[%d]", s.index)
		} else {
			path = join(path, s.key)
		}
	}
	return path
}

// below reads the value one step further down.
func (p *parser) below(s step) (any, error) {
	if len(p.trail) == maxDepth {
		return nil, fmt.Errorf("nested more than %d levels deep", maxDepth)
	}
	p.trail = append(p.trail, s)
	v, err := p.value()
	p.trail = p.trail[:len(p.trail)-1]
	return v, err
}

func (p *parser) value() (any, error) {
	token, err := p.Token()
	if err != nil {
		return nil, noEOF(err)
	}
	switch token := token.(type) {
	case string:
		return p.clean(token), nil
	case json.Delim:
		if token == '{' {
			return p.object()
		}
		return p.array()
	}
	return token, nil
}

func (p *parser) object() (any, error) {
	o, seen := &object{}, map[string]bool{}
	for p.More() {
		token, err := p.Token()
		if err != nil {
			return nil, noEOF(err)
		}
		key := p.clean(token.(string)) // the scanner has seen to the type
		if seen[key] {
			p.repeated(join(p.path(), key))
		}
		seen[key] = true
		v, err := p.below(step{key: key})
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{key, v})
	}
	_, err := p.Token()
	return o, noEOF(err)
}

func (p *parser) array() (any, error) {
	list := []any{}
	for p.More() {
		v, err := p.below(step{index: len(list)})
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := p.Token()
	return list, noEOF(err)
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// join appends a key to a JSON path. A key comes from a stranger and ends up
// in errors, so it is kept short and printable.
func join(path, key string) string {
	key = printable(key, 60)
	if path == "" {
		return key
	}
	return path + "." + key
}
