package wxsim

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"time"
)

// Call is one API call that the simulator received.
type Call struct {
	N       int             `json:"n"` // counts from 1, also over calls no longer kept
	Time    time.Time       `json:"time"`
	Verb    string          `json:"verb"` // "" for a path the simulator doesn't know
	Method  string          `json:"method"`
	Path    string          `json:"path"`
	Query   url.Values      `json:"query"`           // credentials' values are replaced by "…"
	Body    json.RawMessage `json:"body"`            // JSON as received, without credentials; anything else as a JSON string; null for none
	ErrCode int             `json:"errcode"`         // what was answered, or would have been without a fault
	Fault   FaultKind       `json:"fault,omitempty"` // the fault that struck it
}

// What is kept of calls is bounded, as a simulator may run for weeks.
const (
	callsKept    = 100_000
	callBytes    = 64 << 20 // of bodies, over all calls
	callBodyKept = 64 << 10 // of one body
)

const hidden = "…"

// credentials are the fields whose values never leave the simulator: not in calls, not in logs.
var credentials = []string{"access_token", "secret", "appsecret", "refresh_token", "code"}

// callLog keeps the latest calls. The platform's lock guards it.
type callLog struct {
	calls []Call
	n     int
	bytes int
}

func (l *callLog) add(c Call) {
	l.n++
	c.N = l.n
	l.calls = append(l.calls, c)
	l.bytes += len(c.Body)
	if len(l.calls) <= callsKept && l.bytes <= callBytes {
		return
	}
	// Dropping half at a time keeps this cheap: the rest is moved once in a long while.
	l.calls = slices.Clone(l.calls[(len(l.calls)+1)/2:])
	l.bytes = 0
	for _, c := range l.calls {
		l.bytes += len(c.Body)
	}
}

// Calls lists the API calls received, oldest first.
func (p *Platform) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call{}, p.calls.calls...)
}

// ClearCalls forgets the calls received; [Call.N] counts on.
func (p *Platform) ClearCalls() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls.calls, p.calls.bytes = nil, 0
}

// maskQuery replaces the values of credentials.
func maskQuery(q url.Values) url.Values {
	masked := url.Values{}
	for name, values := range q {
		if slices.Contains(credentials, name) {
			values = []string{hidden}
		}
		masked[name] = slices.Clone(values)
	}
	return masked
}

// keepBody turns a request's body into what a Call shows of it.
func keepBody(body []byte) json.RawMessage {
	switch {
	case len(body) == 0:
		return json.RawMessage("null")
	case len(body) <= callBodyKept && json.Valid(body):
		return maskBody(body)
	}
	cut := bytes.ToValidUTF8(body[:min(len(body), callBodyKept)], []byte("\uFFFD"))
	return encode(string(cut))
}

// maskBody hides top-level credentials (stable_token has its secret there). Everything else stays byte for
// byte, so that a test can see how a client escaped it.
func maskBody(body []byte) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return slices.Clone(body)
	}
	masked := false
	for _, name := range credentials {
		if _, ok := fields[name]; ok {
			fields[name] = encode(hidden)
			masked = true
		}
	}
	if !masked {
		return slices.Clone(body)
	}
	return encode(fields)
}

// encode writes JSON as WeChat does: UTF-8 as it is, nothing escaped that need not be.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		// Only values of this package get here; one that can't be encoded is a bug to be seen in a test.
		panic("wxsim: " + err.Error()) //nolint:forbidigo // see above
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
