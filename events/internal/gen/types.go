package gen

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// purpose is what a Go type describes, which decides how much of it is promised.
type purpose int

const (
	sent      purpose = iota // a request: what the wx tags ask for
	answered                 // WeChat's answer: whatever it leaves out is left out
	published                // our own: what has no omitempty is always there
	lenient                  // read by encoding/json, to which a null is nothing
)

// types makes schemas of Go types, with the comments of their source.
type types struct {
	docs    *docs
	purpose purpose
	// instead has what stands in the place of a field, by type and field.
	instead map[string]object
}

// of is the schema of a type, without its description.
func (g types) of(t reflect.Type) (object, error) {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return object{}, nil
	case t == reflect.TypeFor[json.Number]():
		return g.kind("number"), nil
	case t == reflect.TypeFor[time.Time]():
		return obj("description", "RFC 3339.").with(g.kind("string")), nil // format means something else in each draft
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.String:
		return g.kind("string"), nil
	case reflect.Bool:
		return g.kind("boolean"), nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return g.kind("integer"), nil
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return append(g.kind("integer"), member{"minimum", 0}), nil
	case reflect.Float32, reflect.Float64:
		return g.kind("number"), nil
	case reflect.Interface:
		return object{}, nil
	case reflect.Map:
		items, err := g.of(t.Elem())
		return append(g.kind("object"), obj("additionalProperties", items)...), err
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return append(g.kind("string"), member{"contentEncoding", "base64"}), nil
		}
		items, err := g.described(t.Elem())
		return append(g.kind("array"), obj("items", items)...), err
	case reflect.Struct:
		return g.structure(t)
	}
	return nil, fmt.Errorf("no schema for %s", t)
}

func (g types) kind(name string) object {
	if g.purpose == lenient {
		return object{{"type", list(name, "null")}}
	}
	return object{{"type", name}}
}

// described is the schema of a type with its description in front.
func (g types) described(t reflect.Type) (object, error) {
	s, err := g.of(t)
	return obj("description", g.about(t)).with(s), err
}

// about is the comment of a named type of ours.
func (g types) about(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return g.docs.text[path.Base(t.PkgPath())+"."+t.Name()]
}

// structure is the schema of a struct.
func (g types) structure(t reflect.Type) (object, error) {
	s := &fields{}
	if err := g.collect(t, s); err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	o := append(g.kind("object"), obj("properties", s.properties, "required", s.required)...)
	if g.purpose == sent && t == reflect.TypeFor[wxapi.Media]() {
		o = o.plus("oneOf", []any{obj("required", list("base64")), obj("required", list("dataref"))})
	}
	if s.choice != "" {
		o = o.plus("allOf", s.branches())
	}
	return o, nil
}

// openID is what wxapi takes for one.
const openID = `^[A-Za-z0-9_-]{1,64}$`

// fields is what collect finds in a struct.
type fields struct {
	properties object
	required   []any
	choice     string   // the field that names one of the variants
	variants   []string // their fields
}

func (g types) collect(t reflect.Type, into *fields) error {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			if err := g.collect(f.Type, into); err != nil {
				return err
			}
			continue
		}
		if tag == "-" || !f.IsExported() {
			continue
		}
		about := g.docs.text[path.Base(t.PkgPath())+"."+t.Name()+"."+f.Name]
		s, given := g.instead[t.Name()+"."+tag]
		if !given {
			var err error
			if s, err = g.of(f.Type); err != nil {
				return err
			}
			s = obj("description", g.about(f.Type)).with(s)
		}
		if more, ok := s.get("description").(string); ok {
			about, s = paragraphs(about, more), s.without("description")
		}
		if g.purpose == sent {
			var err error
			if s, about, err = into.constrain(tag, f.Tag.Get("wx"), s, about); err != nil {
				return fmt.Errorf("%s: %w", tag, err)
			}
		}
		if g.purpose == published && !strings.Contains(options, "omit") {
			into.required = append(into.required, tag)
		}
		into.properties = append(into.properties, member{tag, obj("description", about).with(s)})
	}
	if into.choice != "" {
		for i, p := range into.properties {
			if p.key == into.choice {
				into.properties[i].value = p.value.(object).with(obj("enum", list(into.variants...)))
			}
		}
	}
	return nil
}

// constrain adds what the words of a field's wx tag ask for; see wxapi.Row.
func (s *fields) constrain(name, tag string, schema object, about string) (limited object, described string, err error) {
	if tag == "" {
		return schema, about, nil
	}
	kind := schema.get("type")
	required, enum := false, false
	for word := range strings.SplitSeq(tag, ",") {
		key, value, _ := strings.Cut(word, "=")
		number, isNumber := strconv.Atoi(value)
		switch {
		case key == "required":
			required = true
			s.required = append(s.required, name)
		case key == "switch":
			s.choice, enum = name, true
		case key == "case":
			s.variants = append(s.variants, name)
		case key == "openid" && kind == "array": // it says what the entries are
			schema = schema.replace("items", obj("type", "string", "pattern", openID))
		case key == "openid":
			schema = schema.plus("pattern", openID)
		case key == "id" && kind == "integer": // JavaScript has no 64-bit numbers
			schema = schema.replace("type", list("integer", "string")).with(obj("pattern", `^[+-]?[0-9]{1,19}$`))
		case key == "id":
			schema = schema.replace("type", list("string", "integer"))
		case key == "one":
			schema = schema.plus("enum", enumOf(kind, value))
			enum = true
		case key == "max" && isNumber == nil:
			// A character has at least one byte, so this much a schema can say.
			schema = schema.plus("maxLength", number)
			about = paragraphs(about, fmt.Sprintf("At most %d bytes of UTF-8; maxLength counts characters.", number))
		case key == "runes" && isNumber == nil:
			schema = schema.plus("maxLength", number)
		case key == "items" && isNumber == nil:
			schema = schema.plus("maxItems", number)
		default:
			return nil, "", fmt.Errorf("the word %q of a wx tag has no translation into JSON Schema", word)
		}
	}
	if !required {
		schema = schema.orEmpty()
	}
	switch {
	case required && kind == "string" && !enum && schema.get("pattern") == nil:
		schema = schema.plus("minLength", 1)
	case required && kind == "array":
		schema = schema.plus("minItems", 1)
	}
	if s.choice == name && !required {
		s.choice = "" // not checked by the row either
	}
	return schema, about, nil
}

// orEmpty lets a text that may be left out be empty too, which means the same.
func (o object) orEmpty() object {
	if o.get("pattern") == openID {
		return o.replace("pattern", strings.Replace(openID, "{1,", "{0,", 1))
	}
	if values, ok := o.get("enum").([]any); ok && o.get("type") == "string" {
		return o.replace("enum", append(values, ""))
	}
	return o
}

// enumOf are the values of one=a|b.
func enumOf(kind any, words string) []any {
	var values []any
	for word := range strings.SplitSeq(words, "|") {
		if n, err := strconv.Atoi(word); err == nil && kind != "string" {
			values = append(values, n)
			continue
		}
		values = append(values, word)
	}
	return values
}

// branches say that the object that a switch names must be there.
func (s *fields) branches() []any {
	var all []any
	for _, v := range s.variants {
		all = append(all, when(s.choice, v, obj("required", list(v))))
	}
	return all
}

// when makes a schema hold if a field has a value.
func when(field, value string, then object) object {
	return obj(
		"if", obj("properties", obj(field, obj("const", value)), "required", list(field)),
		"then", then,
	)
}
