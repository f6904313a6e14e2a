package ingress

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// try is one delivery of WeChat's of one message.
type try struct {
	envelope *callback.Envelope
	message  *callback.Message
	id       string // of the inbound event, and the key of its log
	kind     string
	arrived  time.Time // with the monotonic clock: every deadline counts from here
	number   int       // of WeChat's three
	size     int64     // of the body, in bytes
}

func (t *try) about() about { return about{t.id, t.kind, t.message.FromUserName} }

// receive takes an authentic document.
func (i *Ingress) receive(w http.ResponseWriter, r *http.Request, arrived time.Time, size int, envelope *callback.Envelope) {
	message, err := callback.Parse(envelope.Document)
	if err != nil {
		i.receiveRaw(w, r, envelope, err)
		return
	}
	t := &try{envelope: envelope, message: message, id: message.ID(), kind: message.Kind, arrived: arrived, size: int64(size)}
	var deadline time.Time
	held := i.holds(t.kind) && i.admit(t)
	if held {
		defer i.leave(t)
		deadline = arrived.Add(time.Duration(i.cfg.HoldTries-1)*wechatTimeout + i.cfg.hold())
	}
	e, err := events.NewInbound(i.names, i.account.AppID(), message, deadline, trace(r.Header))
	if err != nil {
		i.receiveRaw(w, r, envelope, err)
		return
	}
	i.fetch(r.Context(), t, &e)
	if held {
		i.hold(w, r, t, e)
		return
	}
	if _, ok := i.store(w, r, t, e, false); ok {
		writeText(w, []byte(callback.Success))
	}
}

var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// trace is the W3C trace context of a request. No signature covers the headers,
// so nothing that is no trace context gets into an event.
func trace(h http.Header) events.Trace {
	t := events.Trace{Parent: h.Get("Traceparent"), State: h.Get("Tracestate")}
	if !traceparent.MatchString(t.Parent) {
		return events.Trace{}
	}
	// At most 512 characters, printable (W3C trace context §3.3.1.5); else it is left out.
	if len(t.State) > 512 || strings.ContainsFunc(t.State, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.State = ""
	}
	return t
}

// rawLetters is the name under which callbacks are filed that cannot be read.
const rawLetters = "callback"

// receiveRaw keeps an authentic callback that cannot be read: it goes to the
// dead letters as it is and is answered success, because another try of WeChat
// would bring the same bytes, and to the follower the line that the service is
// out of order.
func (i *Ingress) receiveRaw(w http.ResponseWriter, r *http.Request, envelope *callback.Envelope, why error) {
	sum := sha256.Sum256(envelope.Document)
	id := "raw-" + hex.EncodeToString(sum[:16])
	letter, err := events.NewDeadLetter(rawLetters, id, events.Source(i.account.AppID()), "", time.Now(),
		events.DeadLetter{Reason: why.Error(), Class: events.ClassUnparsable}, envelope.Document)
	if err == nil {
		err = i.deadLetter(r.Context(), rawLetters, letter)
	}
	if err != nil {
		i.logger.Error("unreadable callback is not stored, WeChat is asked to try again", "event", id, "error", err)
		i.observe.Refused(http.StatusServiceUnavailable, "not_stored")
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	i.logger.Warn("callback cannot be read, kept as a dead letter", "event", id, "reason", why)
	writeText(w, []byte(callback.Success))
}
