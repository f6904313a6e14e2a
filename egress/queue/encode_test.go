package queue

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"
)

// A claim is written as its tags say.
func TestClaimIsWrittenAsItsTagsSay(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 700, time.FixedZone("UTC+8", 8*60*60))
	for _, claim := range []Claim{
		{},
		{State: Sending, Sequence: math.MaxUint64, Owner: "me", Epoch: 3, Verb: "send_custom_message", Hash: "abc", FirstSent: at},
		{State: Waiting, Attempts: 3, Spent: 2, Backoff: 1, Doubt: true, NotBefore: at.UTC(), Verb: "ä \"\\\n\x7f<&>\u2028\xff"},
		{State: Done, Result: json.RawMessage(`{"a":"<&>"}`), Letter: json.RawMessage(`{"b":[1,2]}`)},
	} {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(claim); err != nil {
			t.Fatal(err)
		}
		if got := claim.appendTo(nil); !bytes.Equal(got, bytes.TrimSpace(want.Bytes())) {
			t.Errorf("%s\nwant %s", got, want.Bytes())
		}
	}
}
