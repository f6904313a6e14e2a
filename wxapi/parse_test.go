package wxapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// byTokens reads JSON as parse does, by way of encoding/json.
func byTokens(data []byte) (any, []string, error) {
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var repeated []string
	var value func(depth int) (any, error)
	value = func(depth int) (any, error) {
		if depth > maxDepth {
			return nil, fmt.Errorf("nested more than %d levels deep", maxDepth)
		}
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch token {
		case json.Delim('{'):
			o, seen := &object{}, map[string]bool{}
			for d.More() {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				if seen[key.(string)] {
					repeated = append(repeated, key.(string))
				}
				seen[key.(string)] = true
				v, err := value(depth + 1)
				if err != nil {
					return nil, err
				}
				o.members = append(o.members, member{key.(string), v})
			}
			_, err = d.Token()
			return o, err
		case json.Delim('['):
			list := []any{}
			for d.More() {
				v, err := value(depth + 1)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err = d.Token()
			return list, err
		}
		return token, nil
	}
	v, err := value(0)
	if _, isObject := v.(*object); err == nil && !isObject {
		err = errNotObject
	}
	return v, repeated, err
}

// FuzzParse: the parser reads what encoding/json reads, and refuses the rest in
// its words.
func FuzzParse(f *testing.F) {
	for _, data := range []string{
		`{}`, ` { "a" : [ 1 , -0.5e+3, "x", {"b":null} ] } `, `{"a":1,"a":2}`, `[]`, `null`, ``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`,
		`{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":1E-2}`, `{"a":+1}`, `{"a":0}`, `{"a":-0}`, `{"a":00}`,
		`{"a":tru}`, `{"a":true}`, `{"a":false}`, `{"a":nul}`, `{"a":truex}`, `{"a":"\u4f60\ud83d\ude00\ud83d \n\"\\"}`, `{"a":"\x"}`, `{"a":"\u12"}`,
		"{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", "{\"\xff\":1}", "{\"a\":\"你好\"}", `{"a":"\`, `{"a":"`, `{} x`, `{}{}`, "\ufeff{}", "{\"a\":\"\x7f\"}", `{"a":1 "b":2}`, `{1:2}`,
		`{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`, `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, `{"a":` + strings.Repeat("[", 200),
		"{" + strings.TrimSuffix(strings.Repeat(`"k":1,`, 20), ",") + "}",
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":0,"k":1,"l":2,"m":3,"n":4,"o":5,"p":6,"q":7,"a":8,"q":9}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, wantRepeated, wantErr := byTokens(data)
		repeated := 0
		got, err := parse(data, keep, func(string) { repeated++ })
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%q: %v, want %v", data, err, wantErr)
		}
		if err == nil && (!reflect.DeepEqual(any(got), want) || repeated != len(wantRepeated)) {
			t.Fatalf("%q: %#v, want %#v; repeated %d, want %q", data, got, want, repeated, wantRepeated)
		}
	})
}
