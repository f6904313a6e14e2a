package gen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http" //nolint:depguard // it answers the client in WeChat's place; no program imports it
	"strings"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// resultSample is the result of a verb's sample: what the client makes of the
// answer beside it, since a response has the form of the row's type. There is
// none of a file.
func (s *source) resultSample(row *wxapi.Row) ([]any, error) {
	folder := "wxapi/testdata/verbs/" + row.Name + "/"
	request, err := fs.ReadFile(s.root, folder+"request.json")
	if err != nil || row.Body == wxapi.Download {
		return nil, nil //nolint:nilerr // a test of the rows asks for samples
	}
	answer, err := fs.ReadFile(s.root, folder+"answer.json")
	if err != nil && row.Body != wxapi.Local {
		return nil, nil // likewise
	}
	client, err := wxapi.New(wxapi.Config{
		AppID: "wx0123456789abcdef", AppSecret: "0123456789abcdef0123456789abcdef", Transport: canned(answer),
	})
	if err != nil {
		return nil, err
	}
	result, err := client.CallJSON(context.Background(), row, request)
	if err != nil {
		return nil, fmt.Errorf("the sample's answer: %w", err)
	}
	return []any{events.Result{Outcome: events.ResultDone, ErrMsg: "ok", Attempts: 1, ElapsedMS: 41, Response: result.Response}}, nil
}

// canned answers every request in WeChat's place, those for a token with one.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(c)
	if strings.HasSuffix(r.URL.Path, "/stable_token") {
		body = []byte(`{"access_token":"82_token","expires_in":7200}`)
	}
	if r.Body != nil {
		_ = r.Body.Close() // as a RoundTripper must
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}
