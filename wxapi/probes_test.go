package wxapi_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// steps are a path into JSON: keys, and places in lists.
type steps []any

func (s steps) String() string {
	path := ""
	for _, step := range s {
		if i, isPlace := step.(int); isPlace {
			path += "[" + strconv.Itoa(i) + "]"
			continue
		}
		path += "." + step.(string)
	}
	return strings.TrimPrefix(path, ".")
}

// tagged is a field of a request, wherever it is.
type tagged struct {
	reflect.StructField
	path steps
}

// word is the value of a word of its wx tag.
func (f tagged) word(name string) (value string, found bool) {
	for word := range strings.SplitSeq(f.Tag.Get("wx"), ",") {
		if key, value, _ := strings.Cut(word, "="); key == name {
			return value, true
		}
	}
	return "", false
}

func (f tagged) has(name string) bool {
	_, found := f.word(name)
	return found
}

func fieldsOf(t reflect.Type, at steps) (all []tagged) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := append(slices.Clone(at), name)
		all = append(all, tagged{f, path})
		inner := f.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Slice {
			inner, path = inner.Elem(), append(path, 0)
		}
		if inner.Kind() == reflect.Struct {
			all = append(all, fieldsOf(inner, path)...)
		}
	}
	return all
}

// objectsOf are the paths of the objects in data that a type describes.
func objectsOf(t reflect.Type, data any, at steps) (all []steps) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch data := data.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		all = append(all, at)
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			all = append(all, objectsOf(t.Field(i).Type, data[name], append(slices.Clone(at), name))...)
		}
	case []any:
		if t.Kind() == reflect.Slice && len(data) > 0 {
			all = objectsOf(t.Elem(), data[0], append(slices.Clone(at), 0))
		}
	}
	return all
}

// probe is a value for a field, and what must be said about it.
type probe struct {
	value   any
	problem string
	below   string // path below the field's own
	within  string // of a value that is at a limit: what must not be said
}

// gone is the value of a field that is left out.
type gone struct{}

func probesOf(f tagged, sample any) (all []probe) {
	add := func(problem string, values ...any) {
		for _, v := range values {
			all = append(all, probe{value: v, problem: problem})
		}
	}
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	isID := f.has("id")
	switch {
	case t == reflect.TypeFor[wxapi.ID]():
		add("must be a number", true, "1x", map[string]any{})
		add("must be a whole number", json.Number("1.5"))
	case t.Kind() == reflect.String && !isID, t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		add("must be a string", json.Number("7"), true, []any{}, map[string]any{})
	case t.Kind() == reflect.String:
		add("must be a string", true, map[string]any{}, json.Number("1.5"))
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		add("must be a number", true, "x", map[string]any{})
		add("must be a whole number", json.Number("1.5"), json.Number("9223372036854775808"))
	case t.Kind() == reflect.Bool:
		add("must be true or false", "true", json.Number("1"))
	case t.Kind() == reflect.Struct:
		add("must be an object", "x", json.Number("7"), []any{})
	case t.Kind() == reflect.Slice:
		add("must be a list", "x", map[string]any{})
		all = append(all, probe{value: []any{nil}, problem: "is null", below: "[0]"})
	}
	if f.has("required") && t.Kind() != reflect.Map {
		add("is missing", gone{}, nil)
		if t.Kind() == reflect.String && t != reflect.TypeFor[wxapi.ID]() {
			add("is empty", "")
		}
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			add("is empty", []any{})
		}
	}
	return append(all, limitProbes(f, t, sample)...)
}

// limitProbes go one beyond each limit of a field, and up to it.
func limitProbes(f tagged, t reflect.Type, sample any) (all []probe) {
	limit := func(word string, of func(n int) any) {
		if value, found := f.word(word); found {
			n, _ := strconv.Atoi(value)
			all = append(all, probe{value: of(n + 1), problem: "at most " + value}, probe{value: of(n), within: "at most " + value})
		}
	}
	limit("max", func(n int) any { return strings.Repeat("x", n) })
	limit("runes", func(n int) any { return strings.Repeat("好", n) })
	limit("items", func(n int) any {
		element := any("o")
		if list, _ := find(sample, f.path).([]any); len(list) > 0 {
			element = list[0]
		}
		return slices.Repeat([]any{element}, n)
	})
	if words, found := f.word("one"); found {
		wrong := any("no_such_value_of_any")
		if t.Kind() != reflect.String {
			wrong = json.Number("987654")
		}
		all = append(all, probe{value: wrong, problem: "is not known; known are " + strings.ReplaceAll(words, "|", ", ")})
	}
	switch {
	case f.has("openid") && t.Kind() == reflect.Slice:
		all = append(all, probe{value: []any{"a b"}, problem: "not an OpenID", below: "[0]"}, probe{value: []any{""}, problem: "is empty", below: "[0]"})
	case f.has("openid"):
		all = append(all, probe{value: "o&x=1", problem: "not an OpenID"}, probe{value: strings.Repeat("o", 65), problem: "not an OpenID"})
	}
	return all
}

// placed is a path with the places in the sample's lists where there is most of it.
func placed(path steps, sample any) steps {
	path = slices.Clone(path)
	for i, step := range path {
		list, _ := find(sample, path[:i]).([]any)
		if _, isPlace := step.(int); !isPlace {
			continue
		}
		for n := range list {
			path[i] = n
			if find(sample, path[:len(path)-1]) != nil {
				break
			}
			path[i] = 0
		}
	}
	return path
}

// find is what stands at a path, nil for nothing.
func find(data any, path steps) any {
	for _, step := range path {
		switch at := data.(type) {
		case map[string]any:
			key, _ := step.(string)
			data = at[key]
		case []any:
			i, isPlace := step.(int)
			if !isPlace || i >= len(at) {
				return nil
			}
			data = at[i]
		default:
			return nil
		}
	}
	return data
}

// with is a copy of data that has a value at a path; what is missing on the way is
// made.
func with(data any, path steps, value any) any {
	if len(path) == 0 {
		return value
	}
	if i, isPlace := path[0].(int); isPlace {
		list, _ := data.([]any)
		list = slices.Clone(list)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[i] = with(list[i], path[1:], value)
		return list
	}
	object := map[string]any{}
	if old, isObject := data.(map[string]any); isObject {
		object = maps.Clone(old)
	}
	key := path[0].(string)
	object[key] = with(object[key], path[1:], value)
	if object[key] == (gone{}) {
		delete(object, key)
	}
	return object
}

func decoded(t *testing.T, data []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(v, err)
	}
	return data
}
