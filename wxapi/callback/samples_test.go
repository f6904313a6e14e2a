package callback_test

import (
	"bytes"
	"encoding/json"
	"flag"
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
	kind, ok := callback.LookupKind(m.Kind)
	if !ok {
		return
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal(m.JSON(), &data); err != nil {
		t.Fatal(err)
	}
	for _, f := range kind.Fields {
		delete(data, f.Name)
	}
	delete(data, "List") // JSON pushes leave out the wrapper
	for name := range data {
		t.Errorf("the row of %s has no field %s", m.Kind, name)
	}
}
