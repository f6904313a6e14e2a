package wxsim

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// exchange is one API call as an endpoint sees it.
type exchange struct {
	row    *wxapi.Row // nil for an endpoint that is no verb
	method string
	path   string
	base   string // "http://host:port", where the caller reached the simulator
	remote string // the caller's IP
	query  url.Values
	header http.Header
	body   []byte
	parsed *parsedFile
	after  []announcement // what is pushed once the call is answered
	now    time.Time      // for what ages
	wall   time.Time      // for what is shown
}

// decode reads the JSON body into v; the answer to a body that doesn't fit is WeChat's 47001.
func (x *exchange) decode(v any) (answer, bool) {
	if err := json.Unmarshal(x.body, v); err != nil {
		return failure(47001), false
	}
	return answer{}, true
}

// answer is what an endpoint answers.
type answer struct {
	errcode     int // for the call log; it stands in body too
	rid         string
	status      int // 0 = 200, which is what WeChat answers in nearly all cases
	contentType string
	disposition string
	body        []byte
}

// contentJSON is WeChat's own spelling: "encoding", not "charset".
const contentJSON = "application/json; encoding=utf-8"

// ok is the answer of an API that has nothing to tell.
func ok() answer {
	return object(map[string]any{"errcode": 0, "errmsg": "ok"})
}

func object(v any) answer {
	return answer{contentType: contentJSON, body: append(encode(v), '\n')}
}

// failure is WeChat's answer to a mistake: HTTP 200, the code, its text and a fresh request id.
func failure(code int) answer {
	return failureText(code, errmsg(code))
}

func failureText(code int, msg string) answer {
	rid := newRID()
	a := object(struct {
		ErrCode int    `json:"errcode"`
		ErrMsg  string `json:"errmsg"`
	}{code, msg + " rid: " + rid})
	a.errcode, a.rid = code, rid
	return a
}

// newRID makes a request id, <8 hex>-<8 hex>-<8 hex>.
func newRID() string {
	var b [12]byte
	rand.Read(b[:])
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:16] + "-" + s[16:]
}

func (a answer) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.disposition != "" {
		h.Set("Content-disposition", a.disposition)
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(a.body) // a caller who hung up is no concern of ours
}
