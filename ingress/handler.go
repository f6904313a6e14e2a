package ingress

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// maxBody bounds a callback. WeChat's are a few KiB, and compatible mode triples
// them; what comes of a larger one might not fit into a NATS message.
const maxBody = 256 << 10

// Server is an HTTP server with the limits that a port open to the internet needs.
func (i *Ingress) Server() *http.Server {
	return &http.Server{
		Handler:           i,
		ReadHeaderTimeout: wechatTimeout,
		ReadTimeout:       wechatTimeout,
		WriteTimeout:      silentFor + wechatTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(i.logger.Handler(), slog.LevelWarn),
	}
}

// ServeHTTP answers WeChat.
func (i *Ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	switch {
	case r.URL.Path != i.cfg.Path:
		i.refuse(w, r, http.StatusNotFound, "path", "")
	case r.Method == http.MethodGet:
		i.checkURL(w, r)
	case r.Method == http.MethodPost:
		i.post(w, r, arrived)
	default:
		w.Header().Set("Allow", "GET, POST")
		i.refuse(w, r, http.StatusMethodNotAllowed, "method", "")
	}
}

// checkURL answers the check that WeChat's console does when the settings are
// saved: 若确认此次 GET 请求来自微信服务器，请原样返回 echostr 参数内容
// (if the request is WeChat's, return echostr as it is).
func (i *Ingress) checkURL(w http.ResponseWriter, r *http.Request) {
	echo, err := i.account.VerifyURL(r.URL.RawQuery)
	if err != nil {
		i.refuseFor(w, r, err)
		return
	}
	writeText(w, []byte(echo))
}

func (i *Ingress) post(w http.ResponseWriter, r *http.Request, arrived time.Time) {
	if r.Header.Get("Content-Encoding") != "" {
		i.refuse(w, r, http.StatusUnsupportedMediaType, "content_encoding", "WeChat never compresses a callback")
		return
	}
	if r.ContentLength > maxBody {
		i.refuse(w, r, http.StatusRequestEntityTooLarge, "body_too_large", "")
		return
	}
	var body bytes.Buffer
	body.Grow(int(max(r.ContentLength, 0)) + bytes.MinRead) // -1 is unknown
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		i.refuse(w, r, http.StatusRequestEntityTooLarge, "body_too_large", "")
		return
	case err != nil:
		i.refuse(w, r, http.StatusBadRequest, "body_unread", "the request ended before its body did")
		return
	}
	envelope, err := i.account.Open(r.URL.RawQuery, body.Bytes())
	if err != nil {
		i.refuseFor(w, r, err)
		return
	}
	i.receive(w, r, arrived, body.Len(), envelope)
}

// refuseFor answers what the account would not open.
func (i *Ingress) refuseFor(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *callback.Refusal
	switch {
	case errors.As(err, &refusal):
		i.refuse(w, r, http.StatusForbidden, refusal.Reason, refusal.Detail)
	case errors.Is(err, callback.ErrNoEcho):
		i.refuse(w, r, http.StatusBadRequest, "echostr_missing", "")
	case errors.Is(err, callback.ErrEmptyBody):
		i.refuse(w, r, http.StatusBadRequest, "body_empty", "")
	default:
		i.refuse(w, r, http.StatusForbidden, "unreadable", "")
	}
}

// refuse answers a request that is not taken: one line in the log with the
// reason, and to the caller only the status, so that a stranger learns nothing.
func (i *Ingress) refuse(w http.ResponseWriter, r *http.Request, status int, reason, detail string) {
	i.observe.Refused(status, reason)
	i.logger.Warn("callback refused", "status", status, "reason", reason, "detail", detail,
		"method", r.Method, "remote", r.RemoteAddr)
	if status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close")
	}
	http.Error(w, http.StatusText(status), status)
}

// writeText writes a body that no browser may take for a page.
func writeText(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body) //nolint:gosec // nosniff, and an echostr was signed and is of a safe alphabet
}
