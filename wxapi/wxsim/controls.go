package wxsim

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// controls is the control interface; GET /_sim/ answers this very table.
func controls() []control {
	return []control{
		{"GET", "/_sim/", "this index", index},
		{"POST", "/_sim/followers/{openid}/push", "a follower says or does something: body = the data, ?mode=plain|compatible|safe", controlPush},
		{"GET", "/_sim/followers/{openid}/inbox", "what a follower has seen; ?after=<n> skips, ?wait_ms=<ms> waits for something", controlInbox},
		{"GET", "/_sim/followers", "who follows or once did", func(p *Platform, r *http.Request) (any, error) { return p.Followers(), onlyQuery(r) }},
		{"POST", "/_sim/followers/{openid}/scan", "a follower scans a QR code: {\"ticket\":\"…\"}", controlScan},
		{"POST", "/_sim/followers/{openid}/authorize", "a user agrees on the account's web page: {\"scope\":\"snsapi_base|snsapi_userinfo\",\"state\":\"…\"}", controlAuthorize},
		{"POST", "/_sim/followers/{openid}/comment", "a reader comments on an article: {\"msg_data_id\":\"…\",\"index\":0,\"content\":\"…\"}", controlComment},
		{"POST", "/_sim/faults", "make the next API calls fail", controlFault},
		{"GET", "/_sim/faults", "what will still fail", func(p *Platform, r *http.Request) (any, error) { return p.Faults(), onlyQuery(r) }},
		{"DELETE", "/_sim/faults", "nothing fails any more", func(p *Platform, _ *http.Request) (any, error) { p.ClearFaults(); return nil, nil }},
		{"GET", "/_sim/calls", "the API calls received; ?verb=<name> filters, ?after=<n> skips", controlCalls},
		{"DELETE", "/_sim/calls", "forget the API calls", func(p *Platform, _ *http.Request) (any, error) { p.ClearCalls(); return nil, nil }},
		{"POST", "/_sim/token/expire", "all access tokens expire now", func(p *Platform, _ *http.Request) (any, error) { p.ExpireTokens(); return nil, nil }},
		{"POST", "/_sim/clock", "set the clock of tokens, windows, quotas and media forward: {\"advance_ms\":…}", controlClock},
		{"GET", "/_sim/limits", "calls allowed per minute and day, by verb", func(p *Platform, r *http.Request) (any, error) { return p.Limits(), onlyQuery(r) }},
		{"PUT", "/_sim/limits", "set them: {\"send_custom_message\":{\"per_minute\":2,\"per_day\":10}}", controlLimits},
		{"PUT", "/_sim/callback", "set the URL that is pushed to: {\"url\":\"http://…\"}", controlCallback},
		{"POST", "/_sim/check", "the console's check of the callback URL", controlCheck},
	}
}

func index(p *Platform, r *http.Request) (any, error) {
	return map[string]any{
		"simulator": "a pretend WeChat: the API at WeChat's own paths, this control interface below /_sim/",
		"account": map[string]any{
			"appid": p.cfg.AppID, "original_id": p.cfg.OriginalID, "mode": p.cfg.Mode, "callback": p.callbackURL(),
		},
		"control":     controls(),
		"verbs":       allEndpoints().names(),
		"fault_kinds": faultKinds,
	}, onlyQuery(r)
}

func controlPush(p *Platform, r *http.Request) (any, error) {
	if err := onlyQuery(r, "mode"); err != nil {
		return nil, err
	}
	mode := p.cfg.Mode
	switch asked := callback.Mode(r.URL.Query().Get("mode")); asked {
	case "":
	case callback.ModePlain, callback.ModeCompatible, callback.ModeSafe:
		mode = asked
	default:
		return nil, refuse(http.StatusBadRequest, "no mode %q: use plain, compatible or safe", string(asked))
	}
	data, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return p.push(r.Context(), mode, r.PathValue("openid"), data, baseURL(r))
}

// maxWait bounds a long poll; ask again for more.
const maxWait = time.Minute

func controlInbox(p *Platform, r *http.Request) (any, error) {
	if err := onlyQuery(r, "after", "wait_ms"); err != nil {
		return nil, err
	}
	after, err := number(r, "after")
	if err != nil {
		return nil, err
	}
	wait, err := number(r, "wait_ms")
	if err != nil {
		return nil, err
	}
	openID := r.PathValue("openid")
	if wait == 0 {
		seen, _ := p.inboxAfter(openID, after)
		return seen, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(maxWait, time.Duration(wait)*time.Millisecond))
	defer cancel()
	return p.WaitInbox(ctx, openID, after), nil
}

func controlFault(p *Platform, r *http.Request) (any, error) {
	var f Fault
	if err := readInto(r, &f, `{"verb":"send_custom_message","times":2,"errcode":45009}`); err != nil {
		return nil, err
	}
	if err := p.Fault(f); err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	return p.Faults(), nil
}

func controlCalls(p *Platform, r *http.Request) (any, error) {
	if err := onlyQuery(r, "verb", "after"); err != nil {
		return nil, err
	}
	after, err := number(r, "after")
	if err != nil {
		return nil, err
	}
	verb := r.URL.Query().Get("verb")
	calls := []Call{}
	for _, c := range p.Calls() {
		if c.N > after && (verb == "" || c.Verb == verb) {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

func controlClock(p *Platform, r *http.Request) (any, error) {
	var body struct {
		AdvanceMS int64 `json:"advance_ms"`
	}
	if err := readInto(r, &body, `{"advance_ms":60000}`); err != nil {
		return nil, err
	}
	const most = 100 * 365 * 24 * int64(time.Hour/time.Millisecond)
	if body.AdvanceMS < 0 || body.AdvanceMS > most {
		return nil, refuse(http.StatusBadRequest, "advance_ms must be between 0 and %d: time only goes forward", most)
	}
	p.Advance(time.Duration(body.AdvanceMS) * time.Millisecond)
	return map[string]any{"now": p.clock.now()}, nil
}

func controlLimits(p *Platform, r *http.Request) (any, error) {
	limits := map[string]Limit{}
	if err := readInto(r, &limits, `{"send_custom_message":{"per_minute":2,"per_day":10}}`); err != nil {
		return nil, err
	}
	if err := p.SetLimits(limits); err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	return p.Limits(), nil
}

func controlCallback(p *Platform, r *http.Request) (any, error) {
	var body struct {
		URL string `json:"url"`
	}
	if err := readInto(r, &body, `{"url":"http://127.0.0.1:8080/wx"}`); err != nil {
		return nil, err
	}
	if err := checkCallback(body.URL); err != nil {
		return nil, refuse(http.StatusBadRequest, "url is no http or https URL such as http://127.0.0.1:8080/wx")
	}
	p.SetCallback(body.URL)
	return nil, nil
}

func controlCheck(p *Platform, r *http.Request) (any, error) {
	err := p.CheckURL(r.Context())
	if errors.Is(err, ErrNoCallback) {
		return nil, err
	}
	result := map[string]any{"ok": err == nil}
	if err != nil {
		result["error"] = err.Error()
	}
	return result, nil
}

// number reads a whole number out of the query; 0 when it isn't there.
func number(r *http.Request, name string) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, "%s must be a whole number, not %q", name, text)
	}
	return n, nil
}

// serveFile serves a file without a token: it is where video_url and PicUrl point to.
func (p *Platform) serveFile(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	m := p.media.get(r.PathValue("id"), p.clock.now())
	p.mu.Unlock()
	if m == nil {
		sayProblem(w, refuse(http.StatusNotFound, "there is no such file, or no longer"))
		return
	}
	fileAnswer(r.PathValue("id"), m).write(w)
}
