package wxsim

import (
	"encoding/json"
	"reflect"
	"strings"
)

// exampleDepth ends types that contain themselves, such as a menu's buttons.
const exampleDepth = 6

// example makes up a value that decodes into t: a 1, a "sim", one element of each list. A type that reads JSON
// in its own way is tried with each of them.
func example(t reflect.Type, depth int) any {
	if t == nil || depth > exampleDepth {
		return nil
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return firstThatDecodes(t)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return example(t.Elem(), depth)
	case reflect.Struct:
		made := map[string]any{}
		fields(t, depth, made)
		return made
	case reflect.Map:
		return map[string]any{}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return ""
		}
		if element := example(t.Elem(), depth+1); element != nil {
			return []any{element}
		}
		return []any{}
	case reflect.String:
		return "sim"
	case reflect.Bool:
		return true
	case reflect.Interface:
		return map[string]any{}
	default:
		return 1
	}
}

func fields(t reflect.Type, depth int, made map[string]any) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			if embedded := field.Type; embedded.Kind() == reflect.Struct {
				fields(embedded, depth, made)
			}
			continue
		}
		if !field.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if value := example(field.Type, depth+1); value != nil {
			made[name] = value
		}
	}
	// An answer that carries an errcode is a good one.
	if _, ok := made["errcode"]; ok {
		made["errcode"], made["errmsg"] = 0, "ok"
	}
}

func firstThatDecodes(t reflect.Type) any {
	for _, candidate := range []any{1, "1", "sim", map[string]any{}, []any{}, true} {
		if json.Unmarshal(encode(candidate), reflect.New(t).Interface()) == nil {
			return candidate
		}
	}
	return nil
}
