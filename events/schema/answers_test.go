package schema_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// response is what a result carries of WeChat's answer to a verb.
func response(t testing.TB, row *wxapi.Row, request, answer []byte) []byte {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/stable_token") {
			_, _ = w.Write([]byte(`{"access_token":"82_token","expires_in":7200}`))
			return
		}
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	client, err := wxapi.New(wxapi.Config{AppID: "wx0123456789abcdef", AppSecret: "secret", APIURL: server.URL, MPURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	result, err := client.CallJSON(t.Context(), row, request)
	if err != nil || len(result.Warnings) > 0 {
		t.Errorf("%s: %v, %v", row.Name, err, result.Warnings)
	}
	return result.Response
}

// However WeChat writes what it answers, a result's response fits its schema.
func TestOddAnswersFit(t *testing.T) {
	t.Parallel()
	r := compile(t)
	for _, row := range wxapi.Verbs() {
		folder := "wxapi/testdata/verbs/" + row.Name + "/"
		answer := read(t, folder+"answer.json")
		if row.Body == wxapi.Local || row.Body == wxapi.Download {
			continue // the client's own answer, or a file
		}
		for _, odd := range []func(any) any{textual, numeric} {
			form := encode(t, each(value(t, answer), odd))
			result := events.Result{Outcome: events.ResultDone, Attempts: 1, Response: response(t, row, read(t, folder+"request.json"), form)}
			r.holds(t, "result."+row.Name, encode(t, result))
		}
	}
}

// each is a copy of a value with its scalars changed.
func each(v any, change func(any) any) any {
	switch v := v.(type) {
	case map[string]any:
		changed := map[string]any{}
		for key, inner := range v {
			changed[key] = each(inner, change)
		}
		return changed
	case []any:
		changed := []any{}
		for _, inner := range v {
			changed = append(changed, each(inner, change))
		}
		return changed
	}
	return change(v)
}

// textual writes numbers as strings.
func textual(v any) any {
	if n, isNumber := v.(json.Number); isNumber {
		return n.String()
	}
	return v
}

// numeric writes strings as numbers, where they are such.
func numeric(v any) any {
	if text, isText := v.(string); isText && text != "" && strings.Trim(text, "123456789") == "" {
		return json.Number(text)
	}
	return v
}
