package wxapi

import (
	"encoding/json"
	"reflect"
	"strings"
)

// decode fills a response type from WeChat's answer. WeChat writes some
// numbers as strings and back again (menuid is "208379533" from one API and
// 208396938 from another), so either is accepted for either.
func decode(answer []byte, into any) error {
	o, err := parse(answer, keep, func(string) {})
	if err != nil {
		return err
	}
	return json.Unmarshal(encode(align(o, reflect.TypeOf(into).Elem())), into)
}

func keep(s string) string { return s }

// align turns strings into numbers and numbers into strings where t wants them
// so; what fits neither way is left for json.Unmarshal to complain about.
func align(v any, t reflect.Type) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case json.Number:
		if t.Kind() == reflect.String {
			return v.String()
		}
	case string:
		isNumber := t.Kind() == reflect.Int || t.Kind() == reflect.Int64 || t.Kind() == reflect.Float64
		if isNumber && json.Valid([]byte(v)) {
			return json.Number(v)
		}
	case []any:
		if t.Kind() == reflect.Slice {
			for i := range v {
				v[i] = align(v[i], t.Elem())
			}
		}
	case *object:
		if t.Kind() == reflect.Struct {
			types := map[string]reflect.Type{}
			for i := range t.NumField() {
				name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
				types[name] = t.Field(i).Type
			}
			for i, m := range v.members {
				if of := types[m.key]; of != nil {
					v.members[i].value = align(m.value, of)
				}
			}
		}
	}
	return v
}
