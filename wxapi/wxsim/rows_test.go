package wxsim

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

func newOf(t reflect.Type) any { return reflect.New(t).Interface() }

// speaksFor tells whether a file with state answers for the row.
func speaksFor(row *wxapi.Row) bool {
	return slices.ContainsFunc(statefuls, func(e *endpoint) bool { return e.path == row.Path && e.method == row.Method })
}

// requests are examples for rows whose own checks want more than their types tell.
var requests = map[string]string{}

// exampleRequest makes data that the row's own checks accept, out of its request type where that can be done.
func exampleRequest(t *testing.T, row *wxapi.Row) []byte {
	t.Helper()
	if data, ok := requests[row.Name]; ok {
		return []byte(data)
	}
	made := fillRequest(row.Request)
	if row.Auth == wxapi.CallerToken {
		made["access_token"] = "a-callers-token"
	}
	data := encode(made)
	if _, err := row.Check(data); err == nil {
		return data
	}
	// The row's own checks want more than its type tells: take WeChat's example.
	data, err := os.ReadFile(filepath.Join("..", "testdata", "verbs", row.Name, "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fillRequest fills in what the wx tags ask for.
func fillRequest(t reflect.Type) map[string]any {
	made := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		tag := strings.Split(f.Tag.Get("wx"), ",")
		if f.Anonymous && name == "" {
			for key, value := range fillRequest(f.Type) {
				made[key] = value
			}
			continue
		}
		switch {
		case slices.Contains(tag, "openid") && f.Type.Kind() == reflect.Slice:
			made[name] = []string{alice}
		case slices.Contains(tag, "openid"):
			made[name] = alice
		case slices.Contains(tag, "switch"):
			made[name] = "text"
		case slices.Contains(tag, "case") && name == "text", slices.Contains(tag, "required"):
			made[name] = fillValue(f.Type, tag)
		}
	}
	return made
}

func fillValue(t reflect.Type, tag []string) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[wxapi.Media]() {
		return map[string]any{"base64": base64.StdEncoding.EncodeToString(samples["image"])}
	}
	for _, word := range tag {
		if one, ok := strings.CutPrefix(word, "one="); ok {
			first, _, _ := strings.Cut(one, "|")
			if n, err := strconv.Atoi(first); err == nil && t.Kind() != reflect.String {
				return n
			}
			return first
		}
	}
	switch t.Kind() {
	case reflect.Struct:
		return fillRequest(t)
	case reflect.Slice:
		return []any{fillValue(t.Elem(), nil)}
	case reflect.String:
		return "M"
	case reflect.Map, reflect.Interface:
		return map[string]any{}
	case reflect.Bool:
		return true
	}
	return json.Number("1")
}
