package wxapi

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// CallAPI reaches an API for which there is no verb yet. The access token is
// added as usual; the host can't be chosen.
//
// An answer counts as success with errcode 0 or, since not every API gives
// one, when it is a JSON object with anything in it. What the call does is not
// known, so one whose answer got lost is not repeated, be it a GET or not.
//
// https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
var CallAPI = define[CallAPIRequest, CallAPIResponse](Row{
	Name: "call_api", Proof: []string{AnyKey},
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html",
	checks: checkCallAPI, aim: aimCallAPI,
})

// CallAPIRequest is the request as WeChat documents it. Path begins with a
// slash (/cgi-bin/comment/list) and has no query; Query has strings, numbers
// and booleans. Body is the JSON object of a POST.
type CallAPIRequest struct {
	Method string         `json:"method" wx:"required,one=GET|POST"`
	Path   string         `json:"path" wx:"required,max=200"`
	Query  map[string]any `json:"query,omitempty"`
	Body   any            `json:"body,omitempty"`
}

// CallAPIResponse is WeChat's answer.
type CallAPIResponse map[string]json.RawMessage

// plainPath has no host, dots, empty parts, escapes or query.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_-]+)+$`)

// credentialPaths issue credentials, carry them, or reset them. What comes of
// them must not rest in a stream, and a token fetched past the client would
// end the one in use.
var credentialPaths = []string{
	"/cgi-bin/token", "/cgi-bin/stable_token", "/cgi-bin/ticket/*", "/cgi-bin/component/*", "/cgi-bin/clear_quota/v2",
	"/sns/*", "/wxa/checksession", "/wxa/resetusersessionkey",
}

func checkCallAPI(in *object) *RequestError {
	if !plainPath.MatchString(in.text("path")) {
		return refuse("path", "must be a path such as /cgi-bin/comment/list: letters, digits, _ and - between slashes, no host and no query")
	}
	if v, _ := in.get("query"); v != nil {
		query, isObject := v.(*object)
		if !isObject {
			return refuse("query", "must be an object")
		}
		for _, m := range query.members {
			if _, ok := scalar(m.value); !ok {
				return refuse(join("query", m.key), "must be a string, number or boolean: it becomes part of the URL")
			}
			if isCredential(m.key) {
				return refuse(join("query", m.key), "comes from the configuration and must not be in the data")
			}
		}
	}
	v, _ := in.get("body")
	body, isObject := v.(*object)
	switch {
	case v == nil:
		return nil
	case !isObject:
		return refuse("body", "must be an object")
	case in.text("method") == http.MethodGet:
		return refuse("body", "is not for a GET")
	}
	for _, m := range body.members {
		if isCredential(m.key) {
			return refuse(join("body", m.key), "comes from the configuration and must not be in the data")
		}
	}
	return nil
}

// isCredential: an appid is none; some APIs want one.
func isCredential(key string) bool {
	return slices.Contains([]string{"access_token", "secret", "appsecret"}, strings.ToLower(key))
}

// aimCallAPI makes the row that the data describes.
func aimCallAPI(c *Client, verb *Row, in *object) (*Row, *object, *RequestError) {
	path := in.text("path")
	if !allowed(path, c.config.CallAPIAllow) {
		return nil, nil, refuse("path", "is not allowed: the configuration lets through %s, and what carries credentials only by its whole name",
			strings.Join(c.config.CallAPIAllow, ", "))
	}
	row := *verb
	row.Method, row.Path, row.Body, row.Fixed = in.text("method"), path, Query, map[string]string{}
	if v, _ := in.get("query"); v != nil {
		for _, m := range v.(*object).members {
			row.Fixed[m.key], _ = scalar(m.value)
		}
	}
	data := &object{}
	if row.Method == http.MethodPost {
		row.Body = JSON
		if v, _ := in.get("body"); v != nil {
			data = v.(*object)
		}
	}
	return &row, data, nil
}

// allowed is whether one of the patterns fits the path: the path itself, or
// its beginning and a *. WeChat's server may not mind the case, so nor do we.
func allowed(path string, patterns []string) bool {
	path = strings.ToLower(path)
	fits := func(pattern string) bool {
		beginning, open := strings.CutSuffix(strings.ToLower(pattern), "*")
		return path == beginning || open && strings.HasPrefix(path, beginning)
	}
	exactly := func(pattern string) bool { return strings.ToLower(pattern) == path }
	if slices.ContainsFunc(credentialPaths, fits) {
		return slices.ContainsFunc(patterns, exactly)
	}
	return slices.ContainsFunc(patterns, fits)
}
