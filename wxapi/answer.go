package wxapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxErrMsg  = 500 // bytes of WeChat's errmsg that are kept
	maxExcerpt = 200 // bytes of a strange answer that an error shows
)

// errTooLarge ends the reading of an answer that does not.
var errTooLarge = errors.New("is too large")

// readAll reads an answer, as much of it as is allowed.
func (k *call) readAll(ctx context.Context, resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(&limited{resp.Body, k.config.MaxAnswer})
	if errors.Is(err, errTooLarge) {
		return nil, unproven(k.row, resp.StatusCode, "more than "+strconv.FormatInt(k.config.MaxAnswer, 10)+" bytes", body, k.secrets)
	}
	if err != nil {
		return nil, k.broken(ctx, err)
	}
	return body, nil
}

// broken is an answer that broke off: the request was written.
func (k *call) broken(ctx context.Context, err error) error {
	return (&request{verb: k.row.Name, secrets: k.secrets}).lost(ctx, true, err)
}

// limited reads n bytes and fails with errTooLarge on the next.
type limited struct {
	io.Reader
	n int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.n+1 {
		p = p[:l.n+1]
	}
	n, err := l.Reader.Read(p)
	if int64(n) > l.n {
		return int(l.n), errTooLarge
	}
	l.n -= int64(n)
	return n, err
}

// judge says what an answer means. Success needs a proof: errcode 0, or one of
// the row's keys. The HTTP status is 200 for refusals too, the Content-Type is
// often wrong, and {} or null or a gateway's page decode to "errcode 0" if one
// lets them; so none of that is believed.
//
// The answer is returned with success and with WeChat's refusal, in the form of
// the row's Response; lost are the paths of what has no place in that.
func judge(row *Row, status int, body []byte, secrets mask) (answer *object, lost []string, err error) {
	doubtful := func(reason string) (*object, []string, error) {
		return nil, nil, unproven(row, status, reason, body, secrets)
	}
	answer, reason := readAnswer(body)
	if reason != "" {
		return doubtful(reason)
	}
	code, given, err := errcode(answer)
	if err != nil {
		return doubtful(err.Error())
	}
	if given {
		answer.set("errcode", json.Number(strconv.Itoa(code)))
	}
	proof := proven(answer, row.Proof)
	if row.Response != nil {
		fit := fitting{}
		fit.value("", answer, row.Response)
		lost = fit.lost
		proof = proof && proven(answer, row.Proof) // what was left out proves nothing
	}
	if class := Classify(row, code); class != ClassOK {
		errmsg := secrets.text(answer.text("errmsg"), maxErrMsg)
		answer.set("errmsg", errmsg)
		msg, rid := splitRID(errmsg)
		return answer, lost, &Error{Verb: row.Name, Code: code, Msg: msg, RID: rid, Class: class}
	}
	switch {
	case status < 200 || status > 299:
		return doubtful("no success by its HTTP status")
	case !given && !proof:
		return doubtful("it has neither an errcode nor " + strings.Join(append([]string{"another proof of success"}, row.Proof...), ", "))
	}
	return answer, lost, nil
}

// readAnswer reads one JSON object, as tolerantly as can be without guessing.
func readAnswer(body []byte) (answer *object, problem string) {
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\uFEFF")))
	if len(body) == 0 {
		return nil, "it is empty"
	}
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	twice := false
	repeated := func(path string) { twice = twice || path == "errcode" }
	answer, err := parse(body, keep, repeated)
	if err != nil && !json.Valid(body) {
		// Nicknames came with raw control characters in them.
		body = bytes.Map(func(r rune) rune {
			if r < 0x20 {
				return ' '
			}
			return r
		}, body)
		twice = false
		answer, err = parse(body, keep, repeated)
	}
	switch {
	case errors.Is(err, errNotObject):
		return nil, "it is no JSON object"
	case err != nil:
		return nil, "it is no JSON, or not all of it"
	case twice:
		return nil, "errcode stands twice"
	}
	return answer, ""
}

// errcode accepts a number or a string (mocks and gateways rewrite it). What
// can't be read is not taken for 0.
func errcode(answer *object) (code int, given bool, err error) {
	v, ok := answer.get("errcode")
	if !ok {
		return 0, false, nil
	}
	text, ok := scalar(v)
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 32); ok && err == nil && strconv.FormatInt(n, 10) == text {
		return int(n), true, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !json.Valid([]byte(text)) || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return 0, true, fmt.Errorf("its errcode can't be read")
	}
	return int(f), true, nil
}

// proven is whether one of the keys is there and says something.
func proven(answer *object, keys []string) bool {
	for _, key := range keys {
		if key == NoKey || key == AnyKey && len(answer.members) > 0 {
			return true
		}
		v, ok := answer.get(key)
		if o, isObject := v.(*object); ok && v != nil && v != "" && (!isObject || len(o.members) > 0) {
			return true
		}
	}
	return false
}

func unproven(row *Row, status int, reason string, body []byte, secrets mask) *AnswerError {
	strange := &AnswerError{Verb: row.Name, Status: status, Reason: reason}
	if start := bytes.TrimLeft(body, "\ufeff \t\r\n"); len(start) > 0 && start[0] != '{' && start[0] != '[' {
		// A gateway's page. What begins as JSON is data: a nickname, what somebody
		// wrote; and errors are logged. Masked before it is cut: half a secret would
		// not be recognised.
		strange.Excerpt = secrets.text(string(body[:min(len(body), 64<<10)]), maxExcerpt)
	}
	return strange
}
