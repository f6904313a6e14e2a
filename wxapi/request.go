package wxapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is a call put into HTTP, ready to be tried more than once.
type request struct {
	method  string
	url     *url.URL // without credentials
	header  http.Header
	body    []byte
	timeout time.Duration

	// Set for each try:
	verb    string
	secret  secret // the credentials, part of the query
	secrets mask   // all that an error must not show
}

// request puts the data where the row wants it.
func (k *call) request(in *object) (*request, error) {
	r := &request{
		method: k.row.Method, url: k.endpoint(k.row.Path),
		header: http.Header{"User-Agent": {"wxbridge"}}, timeout: k.config.Timeout,
	}
	query := url.Values{}
	for name, value := range k.row.Fixed {
		query.Set(name, value)
	}
	if secrets := k.row.secretFields(); len(secrets) > 0 {
		in = in.without(secrets...) // they travel as credentials
	}
	rest := &object{members: make([]member, 0, len(in.members))}
	for _, m := range in.members {
		if !k.inQuery(m.key) {
			rest.members = append(rest.members, m)
			continue
		}
		value, ok := scalar(m.value)
		if !ok {
			return nil, &RequestError{
				Verb: k.row.Name, Path: m.key,
				Problem: "must be a string, number or boolean: it becomes part of the URL",
			}
		}
		if m.value != nil {
			query.Set(m.key, value)
		}
	}
	r.url.RawQuery = query.Encode()
	switch k.row.Body {
	case JSON:
		r.header.Set("Content-Type", "application/json")
		r.body = encode(rest)
	case PlainText:
		r.header.Set("Content-Type", "text/plain; charset=utf-8")
		r.body = []byte(rest.text(k.row.lastField()))
	case Upload:
		r.timeout = k.config.UploadTimeout
		return r, k.multipart(rest, in, r)
	case Download:
		r.timeout = k.config.UploadTimeout
		if k.row.Method == http.MethodPost {
			r.header.Set("Content-Type", "application/json")
			r.body = encode(rest)
		}
	}
	return r, nil
}

// endpoint is the URL of a path of the API.
func (c *Client) endpoint(path string) *url.URL {
	if c.api.Path != "/" || strings.ContainsFunc(path, func(r rune) bool { return (r < 'a' || r > 'z') && !strings.ContainsRune("/_-", r) }) || strings.Contains(path, "//") {
		return c.api.JoinPath(path)
	}
	u := *c.api
	u.Path = path
	return &u
}

func (k *call) inQuery(key string) bool {
	return k.row.Body == Query || k.row.Body == PlainText && key != k.row.lastField() || k.row.Body == Download && k.row.Method == http.MethodGet || slices.Contains(k.row.Query, key)
}

// scalar is how a value reads in a query or a form; a null is empty.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
