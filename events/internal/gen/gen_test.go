package gen

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

// What the YAML says is what the JSON says, for strings that YAML has uses for.
func TestYAML(t *testing.T) {
	t.Parallel()
	var o object
	for i, s := range []string{
		"plain", "two words", "关注", "a: b", "a:b", "https://x/y?z=1#a", "urn:wxbridge:x:1", "#", "a #b", "-", "- a", "a -b", "true", "No", "null",
		"1", "1.0.0", "1e3", "0x1f", "~", "a~", "@a", "`a`", "'a'", `"a"`, "a'b", "{a}", "[a]", "a, b", "a,", "&a", "*a", "!a", "|", ">", "%a", "?", "? a",
		" a", "a ", "a\tb", "a\nb", "a\n\n  b", " a\nb", "a\nb\n", "a \nb", "\n", "a\u2028b", "\ufeffa", "a\\b", "$ref", "./a.json", "a:", ":a", "=", "<<", "2026-07-01", "y",
	} {
		o = append(o, member{"k" + string(rune('a'+i%26)) + string(rune('a'+i/26)), s}, member{s + "!", list(s, s)})
	}
	o = append(o,
		member{"list", []any{obj("a", "1", "b", list("x")), 3, true, nil, 1.5}},
		member{"deep", obj("in", obj("list", []any{obj("c", obj("d", "e"))}))},
		member{"empty", object{}},
	)
	text, err := o.yamlFile("# head\n")
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	file, err := o.file()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again any
	if err := json.Unmarshal(back, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, want) {
		t.Errorf("%v, want %v\n%s", again, want, text)
	}
}

func TestEnglish(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ comment, name, want string }{
		{"Group is a set of\nfollowers.\n", "Group", "A set of followers."},
		{"GetGroups lists the groups; see [Client.AllUsers].\n\nhttps://example.com/x\n", "GetGroups", "Lists the groups; see Client.AllUsers."},
		{"MarkTry: one more.\n", "MarkTry", "One more."},
		{"bytes\n", "Size", "Bytes"},
		{"", "X", ""},
		{"One.\n\nTwo\nlines.\n", "X", "One.\n\nTwo lines."},
	} {
		if got := english(c.comment, c.name); got != c.want {
			t.Errorf("%q: %q, want %q", c.comment, got, c.want)
		}
	}
}

// A constant that is added to package events is in the contract without a word
// in this package; what only begins with the same letters is not.
func TestConstantsAreFollowed(t *testing.T) {
	t.Parallel()
	d, err := readDocs(fstest.MapFS{"events/outcome.go": {Data: []byte(`package events

type Branch string

const Outcomes Branch = "outcome"

const (
	// OutcomeReplied: it was answered.
	OutcomeReplied = "replied"
	// OutcomeLateSent says that a reply came too late
	// and went out; see [NewLate].
	OutcomeLateSent = "late_sent"
	OutcomeSilent = "silent"
	outcomeSecret = "secret"
)
`)}}, "events")
	if err != nil {
		t.Fatal(err)
	}
	text, err := compact(d.oneOf("Outcome"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"description":"- replied: It was answered.\n- late_sent: Says that a reply came too late and went out; see NewLate.","type":"string","enum":["replied","late_sent","silent"]}`
	if string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
}

// A word of a tag that nobody has translated must not be lost in silence.
func TestTagsAreTranslated(t *testing.T) {
	t.Parallel()
	type request struct {
		Kind string   `json:"kind" wx:"required,switch"`
		A    *string  `json:"a" wx:"case,max=9"`
		B    []string `json:"b" wx:"case,openid,items=3"`
		C    int64    `json:"c,omitempty" wx:"id"`
		D    string   `json:"d,omitempty" wx:"one=x|y"`
		E    int      `json:"e" wx:"required,one=1|2"`
		F    string   `json:"f" wx:"required,runes=4"`
	}
	o, err := types{docs: &docs{}, purpose: sent}.of(reflect.TypeFor[request]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := compact(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"kind":{"type":"string","enum":["a","b"]}`, `"maxLength":9`, `"items":{"type":"string","pattern":"^[A-Za-z0-9_-]{1,64}$"},"maxItems":3`,
		`"c":{"type":["integer","string"],"pattern":"^[+-]?[0-9]{1,19}$"}`, `"d":{"type":"string","enum":["x","y",""]}`,
		`"e":{"type":"integer","enum":[1,2]}`, `"f":{"type":"string","maxLength":4,"minLength":1}`, `"required":["kind","e","f"]`,
		`{"if":{"properties":{"kind":{"const":"a"}},"required":["kind"]},"then":{"required":["a"]}}`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	type mistake struct {
		A string `json:"a" wx:"colour=red"`
	}
	if _, err := (types{docs: &docs{}, purpose: sent}).of(reflect.TypeFor[mistake]()); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("%v", err)
	}
}
