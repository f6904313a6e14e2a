package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
)

// bindingCase is one message of testdata/binding: an event with attributes and
// data, a bare message, or an error.
type bindingCase struct {
	Name       string            `json:"name"`
	Headers    Header            `json:"headers"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
	Data       string            `json:"data"`
	DataBase64 []byte            `json:"data_base64"`
	Error      string            `json:"error"`
}

func readCases[T any](t testing.TB, path string) []T {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var cases []T
	if err := decoder.Decode(&cases); err != nil || len(cases) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return cases
}

func TestBinding(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"structured", "binary", "bare", "bad"} {
		for _, c := range readCases[bindingCase](t, "testdata/binding/"+file+".json") {
			t.Run(file+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				e, isEvent, err := Decode(c.Headers, []byte(c.Body))
				switch file {
				case "bare":
					if isEvent || err != nil {
						t.Fatalf("event %t, error %v", isEvent, err)
					}
					return
				case "bad":
					if !isEvent || err == nil || !strings.Contains(err.Error(), c.Error) {
						t.Fatalf("event %t, error %v, not about %q", isEvent, err, c.Error)
					}
					return
				}
				if !isEvent || err != nil {
					t.Fatalf("event %t, error %v", isEvent, err)
				}
				want := []byte(c.Data)
				if c.DataBase64 != nil {
					want = c.DataBase64
				}
				if got := attributes(t, e); !maps.Equal(got, c.Attributes) {
					t.Errorf("attributes %v instead of %v", got, c.Attributes)
				}
				if !bytes.Equal(e.Data(), want) {
					t.Errorf("data %q instead of %q", e.Data(), want)
				}
			})
		}
	}
}

// attributes gives every attribute as text, by the SDK's own readers and not
// by the code under test.
func attributes(t testing.TB, e cloudevents.Event) map[string]string {
	t.Helper()
	all := map[string]string{"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type()}
	for name, value := range map[string]string{"subject": e.Subject(), "datacontenttype": e.DataContentType(), "dataschema": e.DataSchema()} {
		if value != "" {
			all[name] = value
		}
	}
	if !e.Time().IsZero() {
		all["time"] = e.Time().Format(time.RFC3339Nano)
	}
	for name, value := range e.Extensions() {
		text, err := types.Format(value)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	return all
}

func TestBothModesRoundTrip(t *testing.T) {
	t.Parallel()
	property := func(seed uint64) bool {
		e := randomEvent(rand.New(rand.NewPCG(seed, 0)))
		for mode, encode := range map[string]func(cloudevents.Event) (Header, []byte, error){
			"structured": EncodeStructured, "binary": EncodeBinary,
		} {
			header, body, err := encode(e)
			if err != nil {
				t.Errorf("%s: %v of %s", mode, err, e)
				return false
			}
			for _, values := range header {
				if len(values) != 1 || strings.ContainsFunc(values[0], func(r rune) bool { return r <= ' ' || r > '~' }) {
					t.Errorf("%s: header value %q", mode, values)
					return false
				}
			}
			got, isEvent, err := Decode(header, body)
			if err != nil || !isEvent || !maps.Equal(attributes(t, got), attributes(t, e)) || !bytes.Equal(got.Data(), e.Data()) {
				t.Errorf("%s: %v\n%s\n%s", mode, err, e, got)
				return false
			}
		}
		return true
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 2000}); err != nil {
		t.Error(err)
	}
}

func randomEvent(r *rand.Rand) cloudevents.Event {
	text := func() string {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			b.WriteString([]string{"a", "Z", "9", " ", "\"", "%", "%25", "%zz", "关", "🦀", "<", "\\", "\t", "\u007f"}[r.IntN(14)])
		}
		return "x" + b.String() + "x" // the SDK trims white space off some attributes
	}
	e := cloudevents.New()
	e.SetID(text())
	e.SetSource(fmt.Sprintf("//host/%d", r.IntN(100)))
	e.SetType(text())
	if r.IntN(2) == 0 {
		e.SetSubject(text())
	}
	if r.IntN(2) == 0 {
		e.SetTime(time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC())
	}
	if r.IntN(2) == 0 {
		e.SetDataSchema("urn:wxbridge:x:1")
	}
	for name, value := range map[string]any{"a": text(), "b": int32(r.IntN(99)), "c": true, "d": time.Unix(1, 0).UTC(), "e": []byte{0, 1}} {
		if r.IntN(2) == 0 {
			e.SetExtension(name, value)
		}
	}
	switch r.IntN(4) {
	case 0:
		e.SetDataContentType("application/json; charset=utf-8")
		e.DataEncoded, _ = json.Marshal(map[string]string{"k": text()})
	case 1:
		e.SetDataContentType("text/plain")
		e.DataEncoded = []byte(text())
	case 2:
		e.SetDataContentType("application/octet-stream")
		e.DataEncoded = []byte{0xff, byte(r.IntN(256))}
	}
	return e
}

func TestPercentEncoding(t *testing.T) {
	t.Parallel()
	e := cloudevents.New()
	e.SetID("1")
	e.SetSource("/s")
	e.SetType("t")
	e.SetSubject("关注 a%b")
	header, _, err := EncodeBinary(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := header["ce-subject"]; !slices.Equal(got, []string{"%E5%85%B3%E6%B3%A8%20a%25b"}) {
		t.Errorf("ce-subject: %q", got)
	}
	if err := quick.CheckEqual(func(s string) string { return percentDecode(percentEncode(s)) },
		func(s string) string { return s }, nil); err != nil {
		t.Error(err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*cloudevents.Event){
		"no id":             func(e *cloudevents.Event) { e.SetID("") },
		"data that no JSON": func(e *cloudevents.Event) { e.DataEncoded = []byte("{") },
		"data of no UTF-8":  func(e *cloudevents.Event) { e.DataEncoded = []byte("\"\xff\"") },
		"data of no bytes":  func(e *cloudevents.Event) { e.DataEncoded = []byte{} },
	} {
		e := cloudevents.New()
		e.SetID("1")
		e.SetSource("/s")
		e.SetType("t")
		spoil(&e)
		if _, body, err := EncodeStructured(e); err == nil {
			t.Errorf("%s: %s", name, body)
		}
	}
}
