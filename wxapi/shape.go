package wxapi

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// shape is what a Go type says about the JSON that fits it. It is made once
// from the type and its tags, and the checks then run on the data as it is,
// so that fields we do not know survive.
type shape struct {
	kind   reflect.Kind // String, Bool, Int64, Float64, Slice, Struct; Interface fits all
	elem   *shape       // of a Slice
	fields []field      // of a Struct
	cases  []string     // of a Struct: the fields one of which a switch field selects

	required, openid, id, choice, variant bool

	bytes, runes, items int      // at most; 0 means no limit
	oneOf               []string // the only values
}

type field struct {
	name string
	*shape
}

func (s *shape) field(name string) (*shape, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f.shape, true
		}
	}
	return nil, false
}

// shapeOf panics on a type or tag it does not know: like a row that is there
// twice, that is a mistake in our source.
func shapeOf(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[ID]() {
		return &shape{kind: reflect.Int64, id: true}
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Interface:
		return &shape{kind: t.Kind()}
	case reflect.Int, reflect.Int64:
		return &shape{kind: reflect.Int64}
	case reflect.Float64:
		return &shape{kind: reflect.Float64}
	case reflect.Map:
		return &shape{kind: reflect.Interface}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 { // base64 in JSON
			return &shape{kind: reflect.String}
		}
		return &shape{kind: reflect.Slice, elem: shapeOf(t.Elem())}
	case reflect.Struct:
		s := &shape{kind: reflect.Struct}
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				panic(fmt.Sprintf("wxapi: %s.%s has no json tag", t, f.Name))
			}
			of := shapeOf(f.Type)
			of.read(f.Tag.Get("wx"))
			s.fields = append(s.fields, field{name, of})
			if of.variant {
				s.cases = append(s.cases, name)
			}
		}
		return s
	}
	panic(fmt.Sprintf("wxapi: %s in a request", t))
}

// read takes the words of a wx tag.
func (s *shape) read(tag string) {
	if tag == "" {
		return
	}
	for word := range strings.SplitSeq(tag, ",") {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "required":
			s.required = true
		case "openid": // of a list, it says what its entries are
			s.openid = true
			if s.elem != nil {
				s.elem.openid = true
			}
		case "id":
			s.id = true
		case "switch":
			s.choice = true
		case "case":
			s.variant = true
		case "max":
			s.bytes = number(value)
		case "runes":
			s.runes = number(value)
		case "items":
			s.items = number(value)
		case "one":
			s.oneOf = strings.Split(value, "|")
		default:
			panic("wxapi: unknown word in a wx tag: " + word)
		}
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("wxapi: no number in a wx tag: " + s)
	}
	return n
}
