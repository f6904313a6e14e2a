package schema_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// What the simulator answers to every verb's sample fits the schema of its
// result, whether it says yes or no.
func TestSimulatorAnswers(t *testing.T) {
	t.Parallel()
	r := compile(t)
	quiet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("success")) }))
	t.Cleanup(quiet.Close)
	sim, err := wxsim.New(wxsim.Config{
		AppID: "wx0123456789abcdef", AppSecret: "0123456789abcdef0123456789abcdef", Token: "token", Callback: quiet.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	client, err := wxapi.New(wxapi.Config{
		AppID: "wx0123456789abcdef", AppSecret: "0123456789abcdef0123456789abcdef", APIURL: server.URL, MPURL: server.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Push(t.Context(), follower, json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil {
		t.Fatal(err)
	}
	known, done := memory{}, map[string]bool{}
	rows := inOrder(wxapi.Verbs())
	for _, row := range slices.Concat(rows, rows) { // the second time with the ids of the first
		for n := range 12 {
			request := known.fill("", n, value(t, read(t, "wxapi/testdata/verbs/"+row.Name+"/request.json")))
			result := events.Result{Outcome: events.ResultDone, Attempts: 1}
			answer, err := client.CallJSON(t.Context(), row, encode(t, request))
			var refused *wxapi.Error
			if errors.As(err, &refused) {
				result.Outcome, result.ErrCode, result.Class = events.ResultRejected, refused.Code, string(refused.Class)
			} else if err != nil {
				t.Errorf("%s: %v", row.Name, err)
				break
			}
			result.ErrMsg, result.RID, result.Response, result.Warnings = answer.ErrMsg, answer.RID, answer.Response, answer.Warnings
			r.holds(t, "result."+row.Name, encode(t, result))
			if err == nil {
				done[row.Name] = true
				known.keep("", value(t, answer.Response))
				break
			}
		}
	}
	if all := len(rows); len(done) < all*2/3 {
		t.Errorf("the simulator said yes to %d of %d verbs", len(done), all)
	}
}

const follower = "oFollowerFollowerFollower_01"

// inOrder puts what makes things first and what deletes them last.
func inOrder(rows []*wxapi.Row) []*wxapi.Row {
	place := func(row *wxapi.Row) int {
		for i, beginning := range []string{"upload_", "add_", "create_", "invite_", "send_", "publish_", "get_", "update_", "", "unpublish_", "delete_"} {
			if beginning != "" && strings.HasPrefix(row.Name, beginning) {
				return i
			}
		}
		return 8
	}
	return slices.SortedStableFunc(slices.Values(rows), func(a, b *wxapi.Row) int { return place(a) - place(b) })
}

// memory has the ids of the simulator's answers by their names, for the
// requests that come after.
type memory map[string][]any

// keep remembers the scalars of an answer; an id by the name of its object too.
func (m memory) keep(name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if key == "id" {
				m.keep(name+"id", inner)
				continue
			}
			m.keep(key, inner)
		}
	case []any:
		for _, inner := range v {
			m.keep(name, inner)
		}
	default:
		m[name] = append(m[name], v)
	}
}

// files are the beginnings of such, for the samples' made-up ones.
var files = map[string][]byte{
	".jpg": []byte("\xff\xd8\xff\xd9"), ".png": []byte("\x89PNG\r\n\x1a\n"),
	".mp4": []byte("\x00\x00\x00\x14ftypisom"), ".amr": []byte("#!AMR\n"), ".mp3": []byte("ID3"),
}

// fill puts what is known into a sample, of several the n-th, and our follower
// for all others.
func (m memory) fill(name string, n int, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if file, ok := v["filename"].(string); ok {
			m["base64"] = []any{files[path.Ext(file)]}
		}
		for key, inner := range v {
			if key == "id" {
				key = name + key
			}
			filled := m.fill(key, n, inner)
			if _, there := v[key]; !there {
				key = "id"
			}
			v[key] = filled
		}
	case []any:
		for i := range v {
			v[i] = m.fill(name, n, v[i])
		}
	case string, json.Number:
		ids := m[name]
		switch {
		case strings.HasSuffix(name, "openid") || name == "touser" || name == "openid_list":
			return follower
		case len(ids) > 0 && (strings.HasSuffix(strings.TrimSuffix(name, "_list"), "id") || name == "base64" || name == "short_key"):
			return ids[n%len(ids)]
		}
	}
	return v
}
