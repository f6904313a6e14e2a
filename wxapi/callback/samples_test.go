package callback_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"iter"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var update = flag.Bool("update", false, "write testdata/samples/*.json anew")

// samples returns every input of testdata/samples by its name: <kind>.xml, <kind>~<what is
// special>.xml or, for JSON pushes, <kind>~<what is special>.in.json.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		for _, ending := range []string{".xml", ".in.json"} {
			if name, ok := strings.CutSuffix(filepath.Base(file), ending); ok {
				all[name] = read(t, file)
			}
		}
	}
	return all
}

// TestSamples reads one document of each kind and compares its event's data with the .json file
// beside it.
func TestSamples(t *testing.T) {
	all := samples(t)
	for name, document := range all {
		t.Run(name, func(t *testing.T) {
			m, err := callback.Parse(document)
			if err != nil {
				t.Fatal(err)
			}
			if kind, _, _ := strings.Cut(name, "~"); m.Kind != kind {
				t.Errorf("kind %q, want %q", m.Kind, kind)
			}
			if m.Repaired != (name == "text~cdata") {
				t.Errorf("Repaired is %v", m.Repaired)
			}
			golden := "testdata/samples/" + name + ".json"
			data := append(m.JSON(), '\n')
			if *update {
				if err := os.WriteFile(golden, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, golden); !bytes.Equal(data, want) {
				t.Errorf("JSON = %swant %s", data, want)
			}
			backAndForth(t, m)
			listed(t, m)
		})
	}
	for _, k := range callback.Kinds() {
		if all[k.Name] == nil {
			t.Errorf("no sample of kind %s", k.Name)
		}
	}
}

// backAndForth makes a document of the message's data and expects the same message.
func backAndForth(t *testing.T, m *callback.Message) {
	t.Helper()
	document, err := callback.FormatXML(m.JSON())
	if err != nil {
		t.Fatal(err)
	}
	again, err := callback.Parse(document)
	if err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	if !bytes.Equal(again.JSON(), m.JSON()) {
		t.Errorf("came back as %s, was %s", again.JSON(), m.JSON())
	}
	if m.MsgID != "" && again.ID() != m.ID() {
		t.Errorf("came back as id %s, was %s", again.ID(), m.ID())
	}
}

// listed checks that the kind's row names every element of its sample.
func listed(t *testing.T, m *callback.Message) {
	t.Helper()
	if kind, ok := callback.LookupKind(m.Kind); ok {
		for path := range elementsOf(t, m.JSON()) {
			if _, ok := fieldAt(kind.Fields, strings.Split(path, ".")); !ok {
				t.Errorf("the row of %s has no field %s", m.Kind, path)
			}
		}
	}
}

// TestSamplesShowEachElement: an element that no sample of its kind has is a name that nobody checks.
func TestSamplesShowEachElement(t *testing.T) {
	seen := map[string]bool{} // kind and path
	for _, document := range samples(t) {
		m, err := callback.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		for path := range elementsOf(t, m.JSON()) {
			seen[m.Kind+" "+path] = true
		}
	}
	for _, k := range callback.Kinds() {
		for path := range pathsOf(k.Fields, "") {
			shownByText := (path == "MsgDataId" || path == "Idx") && k.Name != "text" // text~article, for all messages
			if !seen[k.Name+" "+path] && !shownByText {
				t.Errorf("no sample of %s has %s", k.Name, path)
			}
		}
	}
}

// TestSampleIDs: a retry has the id of the first try, and nothing else has it.
func TestSampleIDs(t *testing.T) {
	seen := map[string]string{}
	for name, document := range samples(t) {
		m, err := callback.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		again, err := callback.Parse(bytes.Clone(document))
		if err != nil || again.ID() != m.ID() {
			t.Errorf("%s: the retry is %v, %v", name, again, err)
		}
		if other, taken := seen[m.ID()]; taken {
			t.Errorf("%s and %s have the id %s", name, other, m.ID())
		}
		seen[m.ID()] = name
	}
}

// pathsOf yields the fields and the fields in them, with dots between the names.
func pathsOf(fields []callback.Field, before string) iter.Seq2[string, callback.Field] {
	return func(yield func(string, callback.Field) bool) {
		for _, f := range fields {
			if !yield(before+f.Name, f) {
				return
			}
			for path, inner := range pathsOf(f.Fields, before+f.Name+".") {
				if !yield(path, inner) {
					return
				}
			}
		}
	}
}

func fieldAt(fields []callback.Field, path []string) (callback.Field, bool) {
	for _, f := range fields {
		if f.Name == path[0] && len(path) == 1 {
			return f, true
		}
		if f.Name == path[0] {
			return fieldAt(f.Fields, path[1:])
		}
	}
	return callback.Field{}, false
}

// elementsOf returns the values of an event's data by the paths of their elements.
func elementsOf(t *testing.T, data []byte) map[string][]any {
	t.Helper()
	all := map[string][]any{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				walk(strings.TrimPrefix(path+"."+name, "."), inner)
			}
			if path != "" {
				all[path] = append(all[path], v)
			}
		case []any:
			for _, item := range v {
				walk(path, item)
			}
		default:
			all[path] = append(all[path], v)
		}
	}
	walk("", numbered(t, data))
	return all
}

// numbered reads JSON with its numbers as they are written.
func numbered(t *testing.T, data []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return value
}

// TestSampleTypes: every element of every sample is of the type that its row says. An id is a string
// however it is spelled, and no number is past what JavaScript can hold.
func TestSampleTypes(t *testing.T) {
	ids := map[string]bool{}
	for name, document := range samples(t) {
		m, err := callback.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := callback.LookupKind(m.Kind)
		for path, values := range elementsOf(t, m.JSON()) {
			f, known := fieldAt(kind.Fields, strings.Split(path, "."))
			for _, value := range values {
				number, isNumber := value.(json.Number)
				_, isText := value.(string)
				_, isObject := value.(map[string]any)
				if exact, err := number.Float64(); isNumber && (err != nil || math.Abs(exact) > 1<<53) {
					t.Errorf("%s: %s is the number %s", name, path, number)
				}
				if !known {
					continue
				}
				want := map[callback.FieldType]bool{
					callback.TypeText: isText, callback.TypeWord: isText, callback.TypeID: isText,
					callback.TypeInteger: isNumber, callback.TypeNumber: isNumber, callback.TypeObject: isObject,
				}
				if !want[f.Type] {
					t.Errorf("%s: %s is %v, its row says %s", name, path, value, f.Type)
				}
				if f.Type == callback.TypeID && value != "" {
					ids[f.Name] = true
				}
			}
		}
	}
	for _, spelling := range []string{"MsgId", "MsgID", "publish_id", "audit_id", "MenuId", "bizmsgmenuid"} {
		if !ids[spelling] {
			t.Errorf("no sample has an id %s", spelling)
		}
	}
}
