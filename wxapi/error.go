package wxapi

import (
	"fmt"
	"log/slog"
	"regexp"
)

// Error is WeChat's refusal: the request arrived and was not executed.
type Error struct {
	Verb  string // "get_access_token" when the token itself was refused
	Code  int    // errcode
	Msg   string // errmsg without its rid; tokens and OpenIDs are masked
	RID   string // the request id WeChat's support asks for; "" when there was none
	Class Class  // what to do about it
}

func (e *Error) Error() string {
	s := fmt.Sprintf("wxapi: %s: WeChat refused with %d %q", e.Verb, e.Code, e.Msg)
	if e.RID != "" {
		s += " rid " + e.RID
	}
	return s + " (" + string(e.Class) + "): " + Help(e.Code)
}

// LogValue gives a log the parts instead of the sentence.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("verb", e.Verb), slog.Int("errcode", e.Code),
		slog.String("errmsg", e.Msg), slog.String("rid", e.RID), slog.String("class", string(e.Class)))
}

// RequestError is a refusal by our own checks: nothing was sent.
type RequestError struct {
	Verb    string
	Path    string // JSON path of the offending field; "" for the data as a whole
	Problem string
}

func (e *RequestError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("wxapi: %s: %s", e.Verb, e.Problem)
	}
	return fmt.Sprintf("wxapi: %s: %s: %s", e.Verb, e.Path, e.Problem)
}

// TransportError is a failure of the network, on our side or on the way.
type TransportError struct {
	Verb string // "get_access_token" when the call itself was never begun

	// Written is true when any byte of the request may have reached WeChat, so
	// that nobody can know whether it was executed. False is certain.
	Written bool

	Err error // the cause; it holds neither a URL nor a token
}

func (e *TransportError) Error() string {
	if e.Written {
		return fmt.Sprintf("wxapi: %s: no answer to a request that may have arrived: %v", e.Verb, e.Err)
	}
	return fmt.Sprintf("wxapi: %s: nothing was sent: %v", e.Verb, e.Err)
}

func (e *TransportError) Unwrap() error { return e.Err }

// AnswerError is an answer that proves nothing: the request was written, but
// what came back has neither an errcode nor a key that only success has.
type AnswerError struct {
	Verb    string
	Status  int    // of HTTP
	Reason  string // what was wrong with the answer
	Excerpt string // its beginning, masked; "" of JSON, which is people's data
}

func (e *AnswerError) Error() string {
	s := fmt.Sprintf("wxapi: %s: the answer (HTTP %d) proves nothing: %s", e.Verb, e.Status, e.Reason)
	if e.Excerpt != "" {
		s += fmt.Sprintf(": %q", e.Excerpt)
	}
	return s
}

// ridPattern finds the request id that WeChat appends to errmsg
// ("invalid appid rid: 61725984-6126f6f9-040f19c4"), or the hint of older
// answers ("hint: [abc]").
var ridPattern = regexp.MustCompile(`[, ]*(?:rid: ?([0-9A-Za-z]{8}-[0-9A-Za-z]{8}-[0-9A-Za-z]{8})|hint: ?\[([^\]]{1,64})\])`)

// splitRID separates errmsg from the request id in it.
func splitRID(errmsg string) (msg, rid string) {
	m := ridPattern.FindStringSubmatch(errmsg)
	if m == nil {
		return errmsg, ""
	}
	return ridPattern.ReplaceAllString(errmsg, ""), m[1] + m[2]
}
