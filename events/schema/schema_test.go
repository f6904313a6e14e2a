package schema_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/internal/gen"
	"github.com/wxbridge/wxbridge/events/schema"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// The files are what the generator writes of today's rows, types and comments.
func TestFilesAreFresh(t *testing.T) {
	t.Parallel()
	want, err := gen.Files(module)
	if err != nil {
		t.Fatal(err)
	}
	again, err := gen.Files(module)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		have, err := os.ReadFile(name)
		switch {
		case err != nil:
			t.Errorf("%v: run go generate ./events", err)
		case !bytes.Equal(have, want[name]):
			t.Errorf("%s is stale: run go generate ./events", name)
		case !bytes.Equal(want[name], again[name]):
			t.Errorf("%s is another one each time", name)
		}
	}
	var there []string
	for _, pattern := range []string{"*.json", "*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		there = append(there, found...)
	}
	for _, name := range there {
		if want[name] == nil {
			t.Errorf("%s is nobody's: run go generate ./events", name)
		}
	}
}

// Every kind, verb and result has a schema, under the name that its events carry.
func TestNames(t *testing.T) {
	t.Parallel()
	want := []string{"inbound", "reply", "mark", "outcome", "dlq"}
	for _, k := range callback.Kinds() {
		want = append(want, named(t, events.Schema(events.Inbound, k.Name)))
	}
	for _, row := range wxapi.Verbs() {
		want = append(want, named(t, events.Schema(events.Cmd, row.Name)), named(t, events.Schema(events.Results, row.Name)))
	}
	for _, call := range events.OwnCalls() {
		want = append(want, "call."+call.Name, "answer."+call.Name)
	}
	slices.Sort(want)
	have := schema.Names()
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("%v, want %v", have, want)
	}
	for _, name := range []string{"inbound.text", "outcome.text", "dlq.send_custom_message"} {
		if _, ok := schema.JSON(name); !ok {
			t.Errorf("no %s", name)
		}
	}
	for _, name := range []string{"", "inbound.sticker", "../schema", "inbound.text.json", "asyncapi"} {
		if _, ok := schema.JSON(name); ok {
			t.Errorf("there is a %q", name)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"text": "inbound.text", "send_custom_message": "cmd.send_custom_message result.send_custom_message",
		"result.text": "inbound.text", "inbound.txt": "inbound.text", "cmd.send_custom_mesage": "cmd.send_custom_message",
		"outcme": "outcome", "": "", ".": "", "x": "", "inbound.event_invented_tomorrow": "", strings.Repeat("reply", 40): "",
	} {
		if got := strings.Join(schema.Nearest(name), " "); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Each schema has an example, and every example fits it.
func TestExamples(t *testing.T) {
	t.Parallel()
	r := compile(t)
	var walk func(v any) (found []any)
	walk = func(v any) (found []any) {
		switch v := v.(type) {
		case map[string]any:
			examples, _ := v["examples"].([]any)
			found = append(found, examples...)
			for _, alternative := range []string{"oneOf", "allOf"} {
				found = append(found, walk(v[alternative])...)
			}
		case []any:
			for _, inner := range v {
				found = append(found, walk(inner)...)
			}
		}
		return found
	}
	for _, name := range schema.Names() {
		file, _ := schema.JSON(name)
		examples := walk(value(t, file))
		for _, one := range examples {
			r.holds(t, name, encode(t, one))
		}
		row, isVerb := wxapi.Lookup(strings.TrimPrefix(name, "result."))
		withoutAnswer := isVerb && (row.Body == wxapi.Download || row.Body == wxapi.Local)
		if len(examples) == 0 && !withoutAnswer {
			t.Errorf("%s has no example", name)
		}
	}
}

// keywords mean the same in JSON Schema 2020-12 and draft-07, and in AsyncAPI.
var keywords = []string{
	"$schema", "$id", "$comment", "title", "description", "examples", "type", "properties", "required", "items",
	"additionalProperties", "propertyNames", "enum", "const", "pattern", "minLength", "maxLength", "minItems", "maxItems",
	"minimum", "contentEncoding", "allOf", "anyOf", "oneOf", "not", "if", "then",
}

// Each schema stands alone, says what it is, and uses the common keywords only.
func TestSchemasArePortable(t *testing.T) {
	t.Parallel()
	compile(t)
	for _, name := range schema.Names() {
		file, _ := schema.JSON(name)
		body, _ := value(t, file).(map[string]any)
		if body["$id"] != "urn:wxbridge:"+name+":1" || body["title"] != name || body["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s: head %v %v", name, body["$id"], body["title"])
		}
		if text, _ := body["description"].(string); len(text) < 20 {
			t.Errorf("%s: described as %q", name, text)
		}
		portable(t, name, body)
	}
}

func portable(t *testing.T, at string, v any) {
	t.Helper()
	s, ok := v.(map[string]any)
	if !ok {
		t.Errorf("%s: %v is no schema", at, v)
		return
	}
	for key, inner := range s {
		if !slices.Contains(keywords, key) {
			t.Errorf("%s: keyword %s", at, key)
		}
		switch key {
		case "properties":
			for field, one := range inner.(map[string]any) {
				portable(t, at+"."+field, one)
			}
		case "items", "additionalProperties", "propertyNames", "not", "if", "then":
			portable(t, at+" "+key, inner)
		case "allOf", "anyOf", "oneOf":
			for _, one := range inner.([]any) {
				portable(t, at+" "+key, one)
			}
		case "description":
			if strings.TrimSpace(inner.(string)) != inner {
				t.Errorf("%s: description %q", at, inner)
			}
		}
	}
}
