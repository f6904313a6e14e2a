package wxsim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxRequest is more than WeChat takes anywhere (10 MB of video and its wrapping).
const maxRequest = 12 << 20

// Handler serves the API side at WeChat's own paths and the control side under /_sim/.
func (p *Platform) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/_sim/"):
			p.control.ServeHTTP(w, r)
		case r.URL.Path == "/" || r.URL.Path == "/_sim":
			// Whoever opens the bare address in a browser should find out what it is.
			http.Redirect(w, r, "/_sim/", http.StatusFound)
		default:
			p.serveAPI(w, r)
		}
	})
}

// serveAPI answers one API call: read it all, carry it out under the lock unless a fault says otherwise, note it,
// and answer as well as the fault allows.
func (p *Platform) serveAPI(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		failure(45001).write(w)
		return
	case err != nil:
		return // the caller went away in mid-sentence
	}
	x := &exchange{
		method: r.Method, path: r.URL.Path, base: baseURL(r), remote: remoteIP(r),
		query: r.URL.Query(), header: r.Header, body: body,
		now: p.clock.now(), wall: p.clock.wall(),
	}
	a, fault := p.exchange(x)
	defer func() { p.announce(r.Context(), x.after) }()
	if fault == nil {
		a.write(w)
		return
	}
	p.spoil(w, r, a, fault)
}

// exchange carries one call out and notes it.
func (p *Platform) exchange(x *exchange) (answer, *Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, code := allEndpoints().find(x.method, x.path)
	call := Call{Time: x.wall, Method: x.method, Path: x.path, Query: maskQuery(x.query), Body: callBody(e, x)}
	if e != nil {
		call.Verb, x.row = e.name, e.row
	}
	fault := p.takeFault(call.Verb, x.path)
	var a answer
	switch {
	case fault != nil && fault.Kind == FaultErrCode:
		a = fault.refusal(x.remote)
		if fault.done() && code == 0 && p.admit(e, x) == 0 {
			e.run(p, x)
		}
	case fault != nil && !fault.done():
		// Nothing happens.
	case code != 0:
		a = failure(code)
	default:
		if code = p.admit(e, x); code != 0 {
			a = failure(code)
		} else {
			a = e.run(p, x)
		}
	}
	call.ErrCode = a.errcode
	if fault != nil {
		call.Fault = fault.Kind
	}
	p.calls.add(call)
	p.rids.add(x, call, a)
	if a.errcode != 0 || fault != nil {
		p.cfg.Logger.Info("api call failed", "verb", call.Verb, "method", call.Method, "path", call.Path,
			"errcode", a.errcode, "fault", string(call.Fault))
	}
	return a, fault
}

func callBody(e *endpoint, x *exchange) []byte {
	if e != nil && e.body == bodyFile {
		return describeUpload(x)
	}
	return keepBody(x.body)
}

// refusal is the answer of an errcode fault. An address that is not in the whitelist stands in the text, since
// the operator has to learn it from there.
func (f *Fault) refusal(remote string) answer {
	switch {
	case f.ErrMsg != "":
		return failureText(f.ErrCode, f.ErrMsg)
	case f.ErrCode == 40164:
		return failureText(f.ErrCode, fmt.Sprintf("invalid ip %s ipv6 ::ffff:%s, not in whitelist", remote, remote))
	}
	return failure(f.ErrCode)
}

// spoil answers as the fault says.
func (p *Platform) spoil(w http.ResponseWriter, r *http.Request, a answer, f *Fault) {
	if f.DelayMS > 0 && p.cfg.Wait(r.Context(), time.Duration(f.DelayMS)*time.Millisecond) != nil {
		return
	}
	switch f.Kind {
	case FaultTimeout:
		select {
		case <-r.Context().Done():
		case <-p.closed:
			panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's own way
		}
	case FaultReset, FaultResetBefore:
		reset(w)
	case FaultTruncated:
		a.body = a.body[:len(a.body)/2]
		a.write(w)
	case FaultHTML:
		page := "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
		answer{status: f.Status, contentType: "text/html", body: []byte(page)}.write(w)
	case FaultStatus:
		answer{status: f.Status, contentType: "text/plain"}.write(w)
	default:
		a.write(w)
	}
}

// reset ends the connection with an RST, as a gateway that died does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) //nolint:forbidigo // HTTP/2 has no RST of TCP; the stream's is what there is
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
