package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// object is a JSON object in the order in which it is to be read. Its values
// are objects, lists ([]any), strings, numbers and booleans.
type object []member

type member struct {
	key   string
	value any
}

// obj makes an object of keys and values in turn; an empty value is left out
// with its key.
func obj(pairs ...any) object {
	var o object
	for i := 0; i+1 < len(pairs); i += 2 {
		o = o.plus(pairs[i].(string), pairs[i+1])
	}
	return o
}

// plus is the object with a value at the end, unless that is empty.
func (o object) plus(key string, value any) object {
	switch v := value.(type) {
	case nil:
		return o
	case string:
		if v == "" {
			return o
		}
	case object:
		if len(v) == 0 {
			return o
		}
	case []any:
		if len(v) == 0 {
			return o
		}
	}
	return append(slices.Clip(o), member{key, value})
}

// get is the value of a key, nil without.
func (o object) get(key string) any {
	if i := slices.IndexFunc(o, func(m member) bool { return m.key == key }); i >= 0 {
		return o[i].value
	}
	return nil
}

// without is a copy that lacks a key.
func (o object) without(key string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return m.key == key })
}

// with is a copy with more at the end; what is there already stands as it is.
func (o object) with(more object) object {
	joined := slices.Clone(o)
	for _, m := range more {
		if joined.get(m.key) == nil {
			joined = append(joined, m)
		}
	}
	return joined
}

// replace is a copy with another value in the same place.
func (o object) replace(key string, value any) object {
	changed := slices.Clone(o)
	for i, m := range changed {
		if m.key == key {
			changed[i].value = value
		}
	}
	return changed
}

// list makes a list of strings.
func list(items ...string) []any {
	var all []any
	for _, item := range items {
		all = append(all, item)
	}
	return all
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := compact(m.key)
		if err != nil {
			return nil, err
		}
		value, err := compact(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// compact is json.Marshal without HTML escapes: these files are read by people.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// file is the JSON of a file.
func (o object) file() ([]byte, error) {
	whole, err := compact(o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, whole, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
