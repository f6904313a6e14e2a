package queue

import (
	"bytes"
	"encoding/json"
	"errors"
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
		if got := claim.encode(); !bytes.Equal(got, bytes.TrimSpace(want.Bytes())) {
			t.Errorf("%s\nwant %s", got, want.Bytes())
		}
	}
}

// What a stream says of a write, whichever server and however many replicas.
func TestAnswerOfTheStream(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]uint64{
		`{"stream":"KV_WX_CLAIM","seq":4711}`:                      4711,
		`{"stream":"KV_WX_CLAIM", "seq": 12, "domain":"hub"}`:      12,
		`{"stream":"KV_WX_CLAIM","domain":"error","seq":7,"x":[]}`: 7,
	} {
		if got, err := storedAt([]byte(answer)); got != want || err != nil {
			t.Errorf("%s: %d, %v", answer, got, err)
		}
	}
	for answer, conflict := range map[string]bool{
		`{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"KV_WX_CLAIM","seq":0}`:          true,
		`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"KV_WX_CLAIM","seq":0}`:             true,
		`{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"KV_WX_CLAIM","seq":0}`:          false,
		`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"},"stream":"x","seq":99}`: false,
		`{"stream":"KV_WX_CLAIM"}`:         false,
		`{"stream":"KV_WX_CLAIM","seq":0}`: false,
		`+OK`:                              false,
		``:                                 false,
	} {
		if got, err := storedAt([]byte(answer)); err == nil || errors.Is(err, ErrConflict) != conflict {
			t.Errorf("%s: %d, %v", answer, got, err)
		}
	}
}
