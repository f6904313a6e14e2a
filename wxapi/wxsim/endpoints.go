package wxsim

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/wxbridge/wxbridge/wxapi"
)

// endpoint is one API of WeChat's: a method at a path, and what it does.
//
// A stateful one is registered in the init function of the file that has its state. Every row of [wxapi.Verbs] that no
// such file speaks for is answered by default: its credentials and its body are checked, and the answer has the
// shape that the row promises.
type endpoint struct {
	name   string // the verb's, where it is one
	method string
	path   string
	auth   auth
	body   body
	row    *wxapi.Row
	// run carries the call out. It is called with the platform's lock held, after the checks that all APIs share.
	run func(p *Platform, x *exchange) answer
}

// auth is what an endpoint checks before anything else.
type auth int

const (
	authAccount auth = iota // the account's access_token
	authSecret              // appid and secret in the query
	authAppID               // appid in the query
	authCaller              // an access_token that isn't the account's: it must be there
	authNone                // the endpoint checks for itself
)

// body is what an endpoint is sent.
type body int

const (
	bodyNone body = iota
	bodyJSON      // a JSON object
	bodyFile      // multipart/form-data
)

var statefuls []*endpoint

// stateful registers an endpoint. It panics on a mistake, as that is in our source and every test would meet it.
func stateful(e endpoint) {
	for _, other := range statefuls {
		if other.method == e.method && other.path == e.path {
			panic("wxsim: two endpoints at " + e.method + " " + e.path) //nolint:forbidigo // start-up: our own source is wrong
		}
	}
	statefuls = append(statefuls, &e)
}

// endpoints is the whole API by path, then by method.
type endpoints map[string]map[string]*endpoint

// allEndpoints joins the stateful endpoints and the rows, once: neither changes after the program has started.
var allEndpoints = sync.OnceValue(func() endpoints {
	all := endpoints{}
	add := func(e *endpoint) {
		if all[e.path] == nil {
			all[e.path] = map[string]*endpoint{}
		}
		if all[e.path][e.method] == nil {
			all[e.path][e.method] = e
		}
	}
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Local || row.Path == "" {
			continue // the client answers those itself, or they go wherever their data says
		}
		e := byDefault(row)
		if i := slices.IndexFunc(statefuls, func(s *endpoint) bool { return s.path == row.Path && s.method == row.Method }); i >= 0 {
			e.run = statefuls[i].run
		}
		add(e)
	}
	for _, e := range statefuls {
		add(e)
	}
	return all
})

// names lists what the APIs are called, sorted.
func (all endpoints) names() []string {
	names := map[string]bool{}
	for _, methods := range all {
		for _, e := range methods {
			names[e.name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// knows tells whether an API is called name.
func (p *Platform) knows(name string) bool {
	return slices.Contains(allEndpoints().names(), name)
}

// find returns the endpoint for a call, or the errcode that the call earns by its path or its method.
func (all endpoints) find(method, path string) (*endpoint, int) {
	methods := all[path]
	if e := methods[method]; e != nil {
		return e, 0
	}
	switch {
	case methods["POST"] != nil:
		return methods["POST"], 43002
	case methods["GET"] != nil:
		return methods["GET"], 43001
	}
	return nil, 40066
}

// admit makes the checks that all APIs share and returns 0 or the errcode. The caller holds the lock.
func (p *Platform) admit(e *endpoint, x *exchange) int {
	if code := p.authenticate(e.auth, x); code != 0 {
		return code
	}
	if code := p.quotas.take(e.name, x.now); code != 0 {
		return code
	}
	if e.body != bodyJSON {
		return 0
	}
	body := bytes.TrimSpace(x.body)
	switch {
	case len(body) == 0:
		return 44002
	case body[0] != '{' || !json.Valid(body):
		return 47001
	}
	return 0
}

func (p *Platform) authenticate(kind auth, x *exchange) int {
	query := x.query
	switch kind {
	case authAccount:
		return p.tokenErrcode(query.Get("access_token"), x.now)
	case authSecret:
		return p.app(query.Get("appid"), or(query.Get("secret"), query.Get("appsecret"))) // clear_quota/v2 calls it so
	case authAppID:
		return p.app(query.Get("appid"), p.cfg.AppSecret)
	case authCaller:
		if query.Get("access_token") == "" {
			return 41001
		}
	}
	return 0
}

// byDefault makes a row's endpoint out of the row alone.
func byDefault(row *wxapi.Row) *endpoint {
	e := &endpoint{name: row.Name, method: row.Method, path: row.Path, row: row}
	switch row.Auth {
	case wxapi.AppSecret:
		e.auth = authSecret
	case wxapi.AppID:
		e.auth = authAppID
	case wxapi.CallerToken:
		e.auth = authCaller
	}
	switch {
	case row.Body == wxapi.Upload:
		e.body = bodyFile
	case row.Body == wxapi.JSON, row.Body == wxapi.Download && row.Method == http.MethodPost:
		e.body = bodyJSON
	}
	e.run = func(*Platform, *exchange) answer { return defaultAnswer(row) }
	return e
}

// defaultAnswer is a made-up good answer in the shape of the row's Response, with every key that the row takes
// for proof.
func defaultAnswer(row *wxapi.Row) answer {
	if row.Body == wxapi.Download {
		return answer{contentType: "image/png", disposition: `attachment; filename="sim.png"`, body: pixel}
	}
	made, _ := example(row.Response, 0).(map[string]any)
	if made == nil {
		made = map[string]any{}
	}
	anything := len(row.Proof) == 0
	for _, key := range row.Proof {
		if key == wxapi.AnyKey || key == wxapi.NoKey {
			anything = true
		} else if _, ok := made[key]; !ok {
			made[key] = "sim"
		}
	}
	if _, proven := made["errcode"]; proven || anything {
		made["errcode"], made["errmsg"] = 0, "ok"
	}
	return object(made)
}
