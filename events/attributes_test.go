package events

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// FuzzAttributesJSON holds the short way of writing attributes against the SDK's.
func FuzzAttributesJSON(f *testing.F) {
	f.Add("id", "//x", "t", "s", "v", int64(0))
	f.Add("a\"b", "//x/你好", "\u2028", "\x01", `\`, int64(1_700_000_000_123_456_789))
	f.Fuzz(func(t *testing.T, id, source, typ, subject, value string, at int64) {
		e := cloudevents.New()
		e.SetID(id)
		e.SetSource(source)
		e.SetType(typ)
		e.SetSubject(subject)
		e.SetDataContentType(cloudevents.ApplicationJSON)
		e.SetDataSchema("urn:x:1")
		e.SetTime(time.Unix(0, at).UTC())
		e.SetExtension("wxb", value)
		e.SetExtension("wxa", id)
		if e.Validate() != nil {
			return
		}
		got, err := attributesJSON(e, 0)
		if err != nil {
			t.Fatal(err)
		}
		want, err := e.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if a, b := members(t, got), members(t, want); !reflect.DeepEqual(a, b) {
			t.Errorf("%s\nthe SDK writes\n%s", got, want)
		}
	})
}

func members(t *testing.T, object []byte) (all map[string]any) {
	t.Helper()
	if err := json.Unmarshal(object, &all); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return all
}
