package events

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// A result is written the same by either way.
func TestEncodeResult(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 4, 5, 6, 700, time.FixedZone("UTC+8", 8*60*60))
	command := Command{ID: "c-1", Verb: "send_custom_message", PartitionKey: "oAnna"}
	traced := command
	traced.Trace = Trace{"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b,c=d"}
	odd := Command{ID: `ä "1" <&>`, Verb: "x-y", PartitionKey: "ä"}
	done := Result{Outcome: ResultDone, ErrMsg: "ok", Attempts: 1, ElapsedMS: 41, Response: json.RawMessage(`{"errcode":0,"errmsg":"ok","a":"你好 <&>\u2028"}`)}
	plain := 0
	for _, c := range []Command{command, traced, odd, {ID: "1", Verb: "_"}, {ID: " x y ", Verb: "get_groups"}, {ID: "1", Verb: "a b"}} {
		for _, r := range []Result{
			done,
			{},
			{Outcome: ResultRejected, ErrCode: 45015, ErrMsg: "response out of time limit", RID: "5f-1", Class: "user", Response: json.RawMessage("{}")},
			{Outcome: ResultDone, ResponseRef: "nats-object://WX_MEDIA/response-1", Response: json.RawMessage(` { "a" : 1 } `)},
			{Outcome: ResultFailed, ErrMsg: "ä \"\n", Warnings: []string{"colour"}},
			{Outcome: ResultDone, Response: json.RawMessage(`{`)},
			{Outcome: ResultDone, ErrMsg: "<ok>", Response: json.RawMessage("{\"a\":\"\xff\"}")},
		} {
			if plainResult("wx0123", c, c.ID+".res", at, r) {
				plain++
			}
			var want []byte
			event, wantErr := NewResult("wx0123", c, c.ID+".res", at, r)
			if wantErr == nil {
				_, want, wantErr = EncodeStructured(event)
			}
			got, err := EncodeResult("wx0123", c, c.ID+".res", at, r)
			if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
				t.Errorf("%s, %v\nwant %s, %v", got, err, want, wantErr)
			}
		}
	}
	if plain < 9 {
		t.Errorf("%d of the results are plain", plain)
	}
}

func TestTextMember(t *testing.T) {
	t.Parallel()
	for object, want := range map[string]string{
		`{"a":"x","b":{"a":"y"}}`: "x", `{"b":1}`: "", `{"a":1}`: "", `{"a":null}`: "", `{"a":"1","a":"2"}`: "2", `{"a":"\u4f60\n"}`: "你\n",
		`{"\u0061":"x"}`: "x", ``: "", `[]`: "", `"a"`: "", `{"a":"x"`: "", "{\"a\":\"\xff\"}": "", `{}`: "",
	} {
		if got := TextMember([]byte(object), "a"); got != want {
			t.Errorf("%s: %q, want %q", object, got, want)
		}
	}
}
