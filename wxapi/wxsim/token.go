package wxsim

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"time"
)

// What WeChat documents about tokens.
// https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
const (
	tokenLife    = 7200 * time.Second
	tokenOverlap = 5 * time.Minute  // a replaced token keeps working this long, and renewal starts this early
	forceEvery   = 30 * time.Second // two forced refreshes are at least this far apart
	forcePerDay  = 20
	tokensKept   = 32 // per space, so that an old token is told "expired" rather than "unknown"
)

// accessToken is one token ever given out. It stops working at expires (42001), or at dead, when it was
// replaced by another (40001).
type accessToken struct {
	value   string
	expires time.Time
	dead    time.Time // zero while nothing replaced it
}

// tokenSpace is one of the two endpoints' tokens: /cgi-bin/token and /cgi-bin/stable_token neither see nor
// invalidate each other's.
type tokenSpace struct {
	issued    []*accessToken // oldest first; the last is the current one
	forced    time.Time
	forcedDay string
	forces    int
}

// current returns the newest token, nil when there is none that works at now.
func (s *tokenSpace) current(now time.Time) *accessToken {
	if len(s.issued) == 0 {
		return nil
	}
	t := s.issued[len(s.issued)-1]
	if !now.Before(t.expires) {
		return nil
	}
	return t
}

// issue makes a new current token; the former one works for another overlap.
func (s *tokenSpace) issue(now time.Time, overlap time.Duration) *accessToken {
	if old := s.current(now); old != nil {
		old.dead = now.Add(overlap)
	}
	t := &accessToken{value: newToken(), expires: now.Add(tokenLife)}
	s.issued = append(s.issued, t)
	if len(s.issued) > tokensKept {
		s.issued = s.issued[1:]
	}
	return t
}

// stable returns what stable_token answers: the same token while it has more than five minutes to live, or a
// new one, or, with force, a new one whose predecessor is dead at once.
func (s *tokenSpace) stable(now time.Time, force bool) *accessToken {
	if force && s.mayForce(now) {
		return s.issue(now, 0)
	}
	if t := s.current(now); t != nil && t.expires.Sub(now) > tokenOverlap {
		return t
	}
	return s.issue(now, tokenOverlap)
}

// mayForce counts a forced refresh; WeChat silently answers the current token when there were too many.
func (s *tokenSpace) mayForce(now time.Time) bool {
	if day := now.In(china).Format("2006-01-02"); day != s.forcedDay {
		s.forcedDay, s.forces = day, 0
	}
	if s.forces >= forcePerDay || (!s.forced.IsZero() && now.Sub(s.forced) < forceEvery) {
		return false
	}
	s.forced = now
	s.forces++
	return true
}

// check returns 0 for a token that works, else 42001 (expired) or 40001 (unknown, or no longer the latest).
func (s *tokenSpace) check(value string, now time.Time) int {
	for _, t := range s.issued {
		if subtle.ConstantTimeCompare([]byte(t.value), []byte(value)) != 1 {
			continue
		}
		switch {
		case !t.dead.IsZero() && !now.Before(t.dead):
			return 40001
		case !now.Before(t.expires):
			return 42001
		}
		return 0
	}
	return 40001
}

func (s *tokenSpace) expireAll(now time.Time) {
	for _, t := range s.issued {
		if t.expires.After(now) {
			t.expires = now
		}
	}
}

// newToken looks like WeChat's: a number, an underscore, and more than clients like to print.
func newToken() string {
	var b [96]byte
	rand.Read(b[:])
	return "92_" + base64.RawURLEncoding.EncodeToString(b[:])
}

func init() {
	stateful(endpoint{name: nameLegacyToken, method: "GET", path: "/cgi-bin/token", auth: authNone, run: legacyToken})
	stateful(endpoint{name: nameToken, method: "POST", path: "/cgi-bin/stable_token", auth: authNone, body: bodyJSON, run: stableToken})
}

func legacyToken(p *Platform, x *exchange) answer {
	if code := p.credentials(x.query.Get("grant_type"), x.query.Get("appid"), x.query.Get("secret")); code != 0 {
		return failure(code)
	}
	return tokenAnswer(p.legacy.issue(x.now, tokenOverlap), x.now)
}

func stableToken(p *Platform, x *exchange) answer {
	var req struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if json.Unmarshal(x.body, &req) != nil {
		return failure(47001)
	}
	if code := p.credentials(req.GrantType, req.AppID, req.Secret); code != 0 {
		return failure(code)
	}
	return tokenAnswer(p.stable.stable(x.now, req.ForceRefresh), x.now)
}

// credentials checks what both token endpoints are given, in the order in which WeChat complains.
func (p *Platform) credentials(grant, appID, secret string) int {
	if grant != "client_credential" {
		return 40002
	}
	return p.app(appID, secret)
}

// app checks the pair that proves who is calling: 41002 and 41004 when one is missing, 40013 and 40125 when wrong.
func (p *Platform) app(appID, secret string) int {
	switch {
	case appID == "":
		return 41002
	case appID != p.cfg.AppID:
		return 40013
	case secret == "":
		return 41004
	case subtle.ConstantTimeCompare([]byte(secret), []byte(p.cfg.AppSecret)) != 1:
		return 40125
	}
	return 0
}

func tokenAnswer(t *accessToken, now time.Time) answer {
	return object(map[string]any{"access_token": t.value, "expires_in": int(t.expires.Sub(now) / time.Second)})
}

// tokenErrcode checks an account token against both spaces: 0, 41001, 42001 or 40001.
func (p *Platform) tokenErrcode(value string, now time.Time) int {
	if value == "" {
		return 41001
	}
	stable, legacy := p.stable.check(value, now), p.legacy.check(value, now)
	if stable == 0 || legacy == 0 {
		return 0
	}
	return max(stable, legacy) // 42001 says more than 40001
}
