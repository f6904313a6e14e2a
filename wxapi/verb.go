package wxapi

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Row is a verb as a value: all that the client, the bus, the simulator and
// the documentation need to know about one API of WeChat.
type Row struct {
	Name   string // snake case, verb first: send_custom_message
	Method string // GET or POST
	Path   string // below Config.APIURL, with a leading slash
	Auth   Auth
	Body   BodyKind

	Query  []string          // data fields that travel in the query of a POST
	Secret []string          // data fields that are credentials, beside a caller's token: in the query, and in no error
	Fixed  map[string]string // query values that are always the same
	Lane   string            // data field with the OpenID; "" means calls are not ordered

	// CallOnly marks a verb that carries credentials in or out: it is answered
	// at once and must never rest in a stream.
	CallOnly bool

	Retry   RetryClass
	Key     string        // Keyed: the data field by which WeChat knows a repeated call
	KeyLife time.Duration // Keyed: how long WeChat remembers it, from the first call

	// Proof are keys of an answer that prove success when it has no errcode;
	// AnyKey means that there is a key at all, NoKey that there need not be one.
	Proof   []string
	Classes map[int]Class // where this verb's errcodes mean something else than in the table
	Doc     string        // WeChat's page

	// Request and Response are the Go types, set by define. Beside json, the
	// fields of a request may have a tag wx with words separated by commas:
	// required, openid, id (a number or its digits), max=N (bytes), runes=N, items=N (at most), one=a|b|c,
	// switch (the value names the sibling, marked case, that must be present).
	Request, Response reflect.Type

	// Where a row differs from its like.
	secretName string // AppSecret: what the query calls it; "" means secret
	longJSON   bool   // Download: the answer may also be JSON, of any length
	temporary  bool   // Upload, Download: of temporary media, whose answer holds for as long as they live

	shape   *shape                                               // of Request
	checks  func(in *object) *RequestError                       // what tags cannot say
	amend   func(c *Client, in *object)                          // adds what comes from the configuration
	local   func(c *Client, in *object) (*object, *RequestError) // Local: the answer
	attach  func(in *object) mediaRule                           // Upload: what the file may be
	improve func(answer *object)                                 // last touch to a good answer

	// aim makes of the data the row that is then called, and its data. Such a
	// verb has neither method nor path of its own.
	aim func(c *Client, verb *Row, in *object) (*Row, *object, *RequestError)
}

// Words that [Row.Proof] may have in place of a key.
const (
	AnyKey = "*"
	NoKey  = "{}"
)

// Auth says whose credentials a verb needs.
type Auth int

// The kinds of credential.
const (
	AccountToken Auth = iota // the account's access_token, kept by the client
	AppSecret                // appid and secret
	AppID                    // appid alone
	CallerToken              // an access_token that is part of the data
)

func (a Auth) String() string {
	return [...]string{"account token", "app secret", "appid", "caller's token"}[a]
}

// BodyKind says how the data travels.
type BodyKind int

// The ways of the data.
const (
	JSON      BodyKind = iota // as the JSON body
	Query                     // all of it in the query
	Upload                    // as multipart/form-data with a file
	Download                  // all of it in the query, and the answer is a file
	Local                     // not at all: the client itself knows the answer
	PlainText                 // the last field as plain text, all others in the query
)

func (b BodyKind) String() string {
	return [...]string{"json", "query", "upload", "download", "local", "text"}[b]
}

// RetryClass says what may be done when nobody knows whether WeChat executed
// a call. The zero value is the careful one.
type RetryClass int

// What sending again does.
const (
	Unsafe RetryClass = iota // sending again might do it twice
	Read                     // sending again changes nothing
	Keyed                    // WeChat knows the repetition by Row.Key, for Row.KeyLife
)

func (r RetryClass) String() string {
	return [...]string{"unsafe", "read", "keyed"}[r]
}

// secretFields are the fields of the data that nobody may see.
func (r *Row) secretFields() []string {
	if r.Auth == CallerToken {
		return append([]string{"access_token"}, r.Secret...)
	}
	return r.Secret
}

// lastField is what a row with a PlainText body sends as its body.
func (r *Row) lastField() string {
	if r.shape == nil || len(r.shape.fields) == 0 {
		return ""
	}
	return r.shape.fields[len(r.shape.fields)-1].name
}

// Summary is the first sentence of the verb's documentation.
func (r *Row) Summary() string { return summaries[r.Name] }

// Verb is a row together with its Go types.
type Verb[Req, Res any] struct{ *Row }

// Call does what the client's method of the same name does; a nil req is an
// empty one. The errors are those of [Client.CallJSON].
func (v Verb[Req, Res]) Call(ctx context.Context, c *Client, req *Req) (*Res, error) {
	data := []byte("{}")
	if req != nil {
		var err error
		if data, err = json.Marshal(req); err != nil {
			return nil, &RequestError{Verb: v.Name, Problem: err.Error()}
		}
	}
	result, err := c.CallJSON(ctx, v.Row, data)
	if err != nil {
		return nil, err
	}
	res := new(Res)
	if err := decode(result.Response, res); err != nil {
		return nil, fmt.Errorf("wxapi: %s was executed, but its answer does not fit %T: %w", v.Name, res, err)
	}
	return res, nil
}

// registry holds every row by name. It is filled while package variables are
// initialised and never changed afterwards, so it needs no lock.
var registry = map[string]*Row{}

// define registers a row and ties its types to it.
func define[Req, Res any](row Row) Verb[Req, Res] {
	row.Request, row.Response = reflect.TypeFor[Req](), reflect.TypeFor[Res]()
	return Verb[Req, Res]{register(&row)}
}

// register panics on a row that cannot work or is there already: such a
// mistake is in our source, is the same in every process, and the first test
// of any program finds it, while an error would have nobody to go to.
func register(row *Row) *Row {
	switch {
	case row.Name == "" || row.Doc == "":
		panic(fmt.Sprintf("wxapi: row %q lacks a name or a link to WeChat's page", row.Name))
	case registry[row.Name] != nil:
		panic(fmt.Sprintf("wxapi: %s is defined twice", row.Name))
	case row.Body == Local && row.local == nil, row.Body == Upload && row.attach == nil:
		panic(fmt.Sprintf("wxapi: %s lacks the function of its kind of body", row.Name))
	case row.Body != Local && row.aim == nil && (row.Method == "" || row.Path == ""):
		panic(fmt.Sprintf("wxapi: %s lacks its method or path", row.Name))
	}
	row.shape = shapeOf(row.Request)
	registry[row.Name] = row
	return row
}

// Verbs lists all rows by name. They are shared: read them only.
func Verbs() []*Row {
	rows := make([]*Row, 0, len(registry))
	for _, name := range slices.Sorted(maps.Keys(registry)) {
		rows = append(rows, registry[name])
	}
	return rows
}

// Lookup finds a row by its exact name.
func Lookup(name string) (*Row, bool) {
	row, ok := registry[name]
	return row, ok
}
