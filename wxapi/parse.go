package wxapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// errNotObject is what parse says about JSON that is something else.
var errNotObject = errors.New("not a JSON object")

// errNotJSON is what the parser says about what is no JSON; the standard scanner
// then says what is wrong.
var errNotJSON = errors.New("not JSON")

// maxDepth is far more than any API of WeChat nests.
const maxDepth = 100

// manyMembers is from when on a key that stands twice is looked for in a map.
const manyMembers = 16

// parse reads exactly one JSON object. Every string goes through clean;
// repeated is told the path of each key that stands twice in one object.
//
// The parser accepts what encoding/json accepts, in one pass and without a
// token's detours; a fuzz test holds the two against each other.
func parse(data []byte, clean func(string) string, repeated func(path string)) (*object, error) {
	p := &parser{data: data, clean: clean, repeated: repeated}
	v, err := p.value()
	if err == nil {
		p.blanks()
		if p.at < len(p.data) {
			err = errNotJSON
		}
	}
	if err != nil {
		if told := json.Unmarshal(data, new(json.RawMessage)); told != nil {
			err = told
		}
		return nil, err
	}
	o, ok := v.(*object)
	if !ok {
		return nil, errNotObject
	}
	return o, nil
}

type parser struct {
	data     []byte
	at       int
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

func (p *parser) blanks() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next is the next byte that is no blank, 0 at the end.
func (p *parser) next() byte {
	p.blanks()
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

func (p *parser) value() (any, error) {
	switch c := p.next(); c {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.text()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

func (p *parser) word(word string) error {
	if end := p.at + len(word); end > len(p.data) || string(p.data[p.at:end]) != word {
		return errNotJSON
	}
	p.at += len(word)
	return nil
}

// more goes on to the next element of an object or list, or past its end.
func (p *parser) more(first bool, end byte) (bool, error) {
	switch c := p.next(); {
	case c == end:
		p.at++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		p.at++
		return true, nil
	}
	return false, errNotJSON
}

func (p *parser) object() (any, error) {
	p.at++
	o := &object{}
	var seen map[string]bool // of an object with many members
	for first := true; ; first = false {
		more, err := p.more(first, '}')
		if err != nil || !more {
			return o, err
		}
		if p.next() != '"' {
			return nil, errNotJSON
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if seen == nil && len(o.members) == manyMembers {
			seen = o.keys()
		}
		if seen[key] || seen == nil && o.has(key) {
			p.repeated(join(p.path(), key))
		}
		if seen != nil {
			seen[key] = true
		}
		if p.next() != ':' {
			return nil, errNotJSON
		}
		p.at++
		v, err := p.below(step{key: key})
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{key, v})
	}
}

func (p *parser) array() (any, error) {
	p.at++
	list := []any{}
	for first := true; ; first = false {
		more, err := p.more(first, ']')
		if err != nil || !more {
			return list, err
		}
		v, err := p.below(step{index: len(list)})
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// text reads a string. What has escapes, or bytes that are no UTF-8, is left to
// encoding/json.
func (p *parser) text() (string, error) {
	begin, plain, ascii := p.at, true, true
	for p.at++; p.at < len(p.data); p.at++ {
		switch c := p.data[p.at]; {
		case c == '"':
			p.at++
			raw := p.data[begin:p.at]
			if plain && (ascii || utf8.Valid(raw)) {
				return p.clean(string(raw[1 : len(raw)-1])), nil
			}
			var text string
			if err := json.Unmarshal(raw, &text); err != nil {
				return "", err
			}
			return p.clean(text), nil
		case c == '\\':
			plain = false
			p.at++
		case c < ' ':
			return "", errNotJSON
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", errNotJSON
}

func (p *parser) number() (any, error) {
	begin := p.at
	if p.at < len(p.data) && p.data[p.at] == '-' {
		p.at++
	}
	if whole := p.at; p.digits() == 0 || p.data[whole] == '0' && p.at > whole+1 {
		return nil, errNotJSON
	}
	if p.at < len(p.data) && p.data[p.at] == '.' {
		p.at++
		if p.digits() == 0 {
			return nil, errNotJSON
		}
	}
	if p.at < len(p.data) && (p.data[p.at] == 'e' || p.data[p.at] == 'E') {
		p.at++
		if p.at < len(p.data) && (p.data[p.at] == '+' || p.data[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return nil, errNotJSON
		}
	}
	return json.Number(p.data[begin:p.at]), nil
}

func (p *parser) digits() (n int) {
	for p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '9' {
		p.at++
		n++
	}
	return n
}
