package schema_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
