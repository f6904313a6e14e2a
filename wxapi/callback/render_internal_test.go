package callback

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzWriteString holds the short way of a plain string against the encoder.
func FuzzWriteString(f *testing.F) {
	for _, s := range []string{"", "hi", "你好", `a"b`, `a\b`, "a\nb", "\u2028", "x\u2029", "\xe2\x80", "a\x7fb", "<&>", "\xff", "\u2027“”…"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got, want bytes.Buffer
		writeString(&got, s)
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got.String()+"\n" != want.String() {
			t.Errorf("%q is written %s, and by the encoder %s", s, got.String(), want.String())
		}
	})
}
