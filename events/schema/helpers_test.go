package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wxbridge/wxbridge/events/schema"
)

// module is the repository's folder.
var module = os.DirFS("../..")

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := fs.ReadFile(module, path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// value reads JSON as the validator wants it.
func value(t testing.TB, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// rules are the compiled schemas by name, as JSON Schema 2020-12 and as
// draft-07, which is what AsyncAPI takes them for.
type rules map[string][2]*jsonschema.Schema

func compile(t testing.TB) rules {
	t.Helper()
	compiled.once.Do(func() { compiled.rules = compileAll(t) })
	return compiled.rules
}

// compiled is what all tests share.
var compiled struct {
	once  sync.Once
	rules rules
}

func compileAll(t testing.TB) rules {
	t.Helper()
	modern, old := jsonschema.NewCompiler(), jsonschema.NewCompiler()
	old.DefaultDraft(jsonschema.Draft7)
	for _, name := range schema.Names() {
		file, _ := schema.JSON(name)
		body, _ := value(t, file).(map[string]any)
		if err := modern.AddResource("urn:wxbridge:"+name+":1", body); err != nil {
			t.Fatal(err)
		}
		plain, _ := value(t, file).(map[string]any)
		delete(plain, "$schema")
		delete(plain, "$id")
		if err := old.AddResource("file:///"+name+".json", plain); err != nil {
			t.Fatal(err)
		}
	}
	all := rules{}
	for _, name := range schema.Names() {
		one, err := modern.Compile("urn:wxbridge:" + name + ":1")
		if err != nil {
			t.Fatal(err)
		}
		other, err := old.Compile("file:///" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		all[name] = [2]*jsonschema.Schema{one, other}
	}
	return all
}

// check is what a schema says of data; both drafts must say the same.
func (r rules) check(t testing.TB, name string, data []byte) error {
	t.Helper()
	of, ok := r[name]
	if !ok {
		t.Fatalf("no schema %s", name)
	}
	v := value(t, data)
	err := of[0].Validate(v)
	if old := of[1].Validate(v); (err == nil) != (old == nil) {
		t.Errorf("%s: 2020-12 says %v, draft-07 %v, of %s", name, err, old, data)
	}
	return err
}

// holds expects data to fit.
func (r rules) holds(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := r.check(t, name, data); err != nil {
		t.Errorf("%s: %v\n%s", name, err, data)
	}
}

// named reads the name of a schema from a dataschema.
func named(t testing.TB, dataschema string) string {
	t.Helper()
	name, ok := strings.CutPrefix(dataschema, "urn:wxbridge:")
	name, versioned := strings.CutSuffix(name, ":1")
	if !ok || !versioned {
		t.Errorf("dataschema %q", dataschema)
	}
	for _, shared := range []string{"outcome.", "dlq."} {
		if strings.HasPrefix(name, shared) {
			name = strings.TrimSuffix(shared, ".")
		}
	}
	return name
}

// encode is v as JSON.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
