package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// beyond is what a schema cannot tell about an invalid reply, by the rule's
// words: it sees values and not bytes, and its \S is any of Go's regexp.
var beyond = regexp.MustCompile(`stands twice$|^empty: to let the follower go|^text\.content is missing$`)

// The schema of a reply and events.ParseReply agree, over the cases by which
// the rule itself is tested.
func TestReplyAgrees(t *testing.T) {
	t.Parallel()
	r := compile(t)
	compared := 0
	for _, file := range []string{"valid", "invalid"} {
		var cases []struct {
			Name    string        `json:"name"`
			Headers events.Header `json:"headers"`
			Body    string        `json:"body"`
		}
		if err := json.Unmarshal(read(t, "events/testdata/replies/"+file+".json"), &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			data, ok := replyData(c.Headers, c.Body)
			if !ok {
				continue
			}
			compared++
			_, err := events.ParseReply(nil, []byte(c.Body))
			fits := r.check(t, "reply", data)
			if err != nil && fits == nil && beyond.MatchString(err.Error()) {
				continue
			}
			if (err == nil) != (fits == nil) {
				t.Errorf("%s: the rule says %v, the schema %v, of %s", c.Name, err, fits, data)
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d cases were compared", compared)
	}
}

// replyData is the data of a message as JSON, if it has such.
func replyData(h events.Header, body string) (data []byte, ok bool) {
	e, isEvent, err := events.Decode(h, []byte(body))
	switch {
	case err != nil || len(h) > 0:
		return nil, false
	case isEvent && strings.HasPrefix(e.Type(), "com.qq.weixin.mp."):
		return nil, false // its type may be refused
	case isEvent:
		return e.Data(), json.Valid(e.Data())
	case strings.HasPrefix(strings.TrimSpace(body), "{"):
		return []byte(body), json.Valid([]byte(body))
	}
	text, err := json.Marshal(body)
	return text, err == nil
}

// A request that a verb's schema refuses, its row refuses too: nobody is told
// to mend what WeChat would have taken. (A row may refuse more than a schema
// can say.)
func TestCommandsAgree(t *testing.T) {
	t.Parallel()
	r := compile(t)
	refused := 0
	for _, row := range wxapi.Verbs() {
		request := read(t, "wxapi/testdata/verbs/"+row.Name+"/request.json")
		if _, err := row.Check(request); err != nil {
			t.Errorf("%s: the sample is refused: %v", row.Name, err)
		}
		for _, bad := range spoilt(value(t, request)) {
			data := encode(t, bad)
			err := r["cmd."+row.Name][0].Validate(value(t, data))
			if err == nil || strings.Contains(fmt.Sprintf("%#v", err), "/additionalProperties/") {
				continue // rows pass maps on as they are
			}
			refused++
			if _, taken := row.Check(data); taken == nil {
				t.Errorf("%s: the row takes %s, the schema says %v", row.Name, data, err)
			}
		}
	}
	if refused < 10*len(wxapi.Verbs()) {
		t.Errorf("only %d of the requests were wrong", refused)
	}
}

// spoilt are copies of a value, each with one fault somewhere.
func spoilt(v any) []any {
	others := []any{map[string]any{"x": 1}, json.Number("7"), "no such thing, " + strings.Repeat("长", 700), true, []any{}, ""}
	switch v := v.(type) {
	case map[string]any:
		var all []any
		for key, inner := range v {
			less := maps.Clone(v)
			delete(less, key)
			all = append(all, less)
			for _, bad := range append(spoilt(inner), others...) {
				changed := maps.Clone(v)
				changed[key] = bad
				all = append(all, changed)
			}
		}
		for _, key := range []string{"appid", "secret", "access_token"} {
			more := maps.Clone(v)
			more[key] = "SECRET"
			all = append(all, more)
		}
		return all
	case []any:
		if len(v) == 0 {
			return nil
		}
		var all []any
		for _, bad := range append(spoilt(v[0]), others...) {
			all = append(all, append([]any{bad}, v[1:]...))
		}
		return append(all, slices.Repeat(v[:1], 1001))
	}
	return nil
}
