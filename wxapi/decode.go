package wxapi

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// decode fills a response type from the answer of a call.
func decode(answer []byte, into any) error {
	o, err := parse(answer, keep, func(string) {})
	if err != nil {
		return err
	}
	(&fitting{}).value("", o, reflect.TypeOf(into).Elem())
	return json.Unmarshal(encode(o), into)
}

func keep(s string) string { return s }

// fitting brings an answer into the form of a row's Response, by which its
// schema describes it. WeChat writes some numbers as strings and back again
// (menuid is "208379533" from one API and 208396938 from another), an empty
// list as {} or "", a list of one as the one. Keys that the type does not know
// stay as they are, and an ID becomes text, in which no digit is lost.
//
// A value that cannot be meant is left out, and its path noted.
type fitting struct{ lost []string }

// value is v in the form of t, or not there at all: a null says no more.
func (f *fitting) value(path string, v any, t reflect.Type) (fit any, there bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if v == nil && t.Kind() != reflect.Interface {
		return nil, false
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return v, true
	}
	switch t.Kind() {
	case reflect.Struct:
		return f.object(path, v, t)
	case reflect.Map:
		return f.entries(path, v, t)
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return f.list(path, v, t)
		}
		t = reflect.TypeFor[string]() // base64
	case reflect.Interface:
		return v, true
	}
	text, ok := scalar(v)
	if !ok {
		return f.lose(path)
	}
	return f.scalar(path, v, text, t.Kind())
}

func (f *fitting) lose(path string) (any, bool) {
	f.lost = append(f.lost, path)
	return nil, false
}

func (f *fitting) scalar(path string, v any, text string, kind reflect.Kind) (any, bool) {
	_, isBool := v.(bool)
	switch kind {
	case reflect.String:
		return text, true
	case reflect.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b, true
		}
	case reflect.Float64:
		if number := json.Number(strings.TrimSpace(text)); !isBool && isNumber(number) {
			return number, true
		}
	default:
		if isBool {
			text = map[string]string{"true": "1", "false": "0"}[text]
		}
		if number, ok := wholeNumber(strings.TrimSpace(text)); ok {
			return number, true
		}
	}
	if text == "" {
		return nil, false // a string's way to say nothing
	}
	return f.lose(path)
}

func isNumber(n json.Number) bool {
	_, err := n.Float64()
	return err == nil && json.Valid([]byte(n))
}

// wholeNumber is an int64 however it is written: 5, "5", 5.0, 5e0.
func wholeNumber(text string) (json.Number, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return json.Number(strconv.FormatInt(n, 10)), true
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return "", false
	}
	return json.Number(strconv.FormatInt(int64(x), 10)), true
}

func (f *fitting) object(path string, v any, t reflect.Type) (any, bool) {
	o, ok := v.(*object)
	if !ok {
		if list, isList := v.([]any); v == "" || isList && len(list) == 0 {
			return nil, false // nothing, in a language that has one word for lists and objects
		}
		return f.lose(path)
	}
	types := fieldTypes(t)
	f.members(path, o, func(key string) reflect.Type { return types[key] })
	return o, true
}

// knownTypes keeps what fieldTypes has found out.
var knownTypes sync.Map

// fieldTypes are the types of a struct's fields by their names in JSON.
func fieldTypes(t reflect.Type) map[string]reflect.Type {
	if known, ok := knownTypes.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	types := make(map[string]reflect.Type, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		types[name] = t.Field(i).Type
	}
	knownTypes.Store(t, types)
	return types
}

func (f *fitting) entries(path string, v any, t reflect.Type) (any, bool) {
	o, ok := v.(*object)
	if !ok {
		return f.lose(path)
	}
	f.members(path, o, func(string) reflect.Type { return t.Elem() })
	return o, true
}

// members fits those values of an object that have a type.
func (f *fitting) members(path string, o *object, of func(key string) reflect.Type) {
	kept := o.members[:0]
	for _, m := range o.members {
		there := true
		if t := of(m.key); t != nil {
			m.value, there = f.value(join(path, m.key), m.value, t)
		}
		if there {
			kept = append(kept, m)
		}
	}
	o.members = kept
}

func (f *fitting) list(path string, v any, t reflect.Type) (any, bool) {
	list, ok := v.([]any)
	switch one, isObject := v.(*object); {
	case ok:
	case v == "", isObject && len(one.members) == 0:
		return []any{}, true
	case isObject:
		list = []any{one}
	default:
		return f.lose(path)
	}
	fit := []any{}
	for i, element := range list {
		if element, there := f.value(fmt.Sprintf("%s[%d]", path, i), element, t.Elem()); there {
			fit = append(fit, element)
		}
	}
	return fit, true
}
