package callback_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestJSONPushes: whatever way a JSON push writes a message (numbers as strings, ids as numbers, one
// of a list in an array or alone, true for "true"), it is the event of the XML push.
func TestJSONPushes(t *testing.T) {
	digits := regexp.MustCompile(`^(0|[1-9]\d*)$`)
	ways := map[string]func(callback.Field, any) any{
		"as it is": func(_ callback.Field, value any) any { return value },
		"numbers as strings": func(_ callback.Field, value any) any {
			if number, ok := value.(json.Number); ok {
				return number.String()
			}
			return value
		},
		"ids as numbers": func(f callback.Field, value any) any {
			if text, ok := value.(string); ok && f.Type == callback.TypeID && digits.MatchString(text) {
				return json.Number(text)
			}
			return value
		},
		"booleans": func(f callback.Field, value any) any {
			if f.Type != "" && (value == "true" || value == "false") {
				return value == "true"
			}
			return value
		},
		"null for nothing": func(f callback.Field, value any) any {
			if f.Type != "" && value == "" {
				return nil
			}
			return value
		},
	}
	for name, document := range samples(t) {
		m, err := callback.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := callback.LookupKind(m.Kind)
		data := numbered(t, m.JSON())
		for way, write := range ways {
			push, err := json.Marshal(rewritten(data, kind.Fields, callback.Field{}, write))
			if err != nil {
				t.Fatal(err)
			}
			again, err := callback.Parse(push)
			if err != nil {
				t.Errorf("%s, %s: %v in %s", name, way, err, push)
				continue
			}
			if !reflect.DeepEqual(numbered(t, again.JSON()), data) {
				t.Errorf("%s, %s: %s, want %s", name, way, again.JSON(), m.JSON())
			}
			if again.Kind != m.Kind || m.MsgID != "" && again.ID() != m.ID() {
				t.Errorf("%s, %s: kind %s and id %s", name, way, again.Kind, again.ID())
			}
		}
		inArrays, err := json.Marshal(rewritten(data, kind.Fields, callback.Field{}, func(f callback.Field, value any) any {
			if _, several := value.([]any); f.Repeated && !several {
				return []any{value}
			}
			return value
		}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := callback.Parse(inArrays)
		if err != nil {
			t.Errorf("%s in arrays: %v", name, err)
			continue
		}
		if _, listed := callback.LookupKind(m.Kind); listed && !reflect.DeepEqual(decoded(t, again), decoded(t, m)) {
			t.Errorf("%s in arrays: %s", name, again.JSON())
		}
	}
}

// rewritten is JSON with each value put through a function, with the field that it is, if it is one.
func rewritten(value any, fields []callback.Field, f callback.Field, write func(callback.Field, any) any) any {
	switch v := value.(type) {
	case map[string]any:
		changed := map[string]any{}
		for name, inner := range v {
			one, _ := fieldAt(fields, []string{name})
			changed[name] = rewritten(inner, one.Fields, one, write)
		}
		return write(f, changed)
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = rewritten(item, fields, callback.Field{}, write)
		}
		return write(f, items)
	}
	return write(f, value)
}
