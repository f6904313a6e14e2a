package wxsim

import (
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

func init() {
	stateful(endpoint{name: "get_oauth_access_token", method: "GET", path: "/sns/oauth2/access_token", auth: authSecret, run: oauthToken})
	stateful(endpoint{name: "refresh_oauth_access_token", method: "GET", path: "/sns/oauth2/refresh_token", auth: authAppID, run: refreshOAuth})
	stateful(endpoint{name: "get_snsapi_userinfo", method: "GET", path: "/sns/userinfo", auth: authCaller, run: snsUserInfo})
	stateful(endpoint{name: "check_oauth_access_token", method: "GET", path: "/sns/auth", auth: authCaller, run: checkOAuth})
}

// What WeChat documents about web authorisation.
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
const (
	codeLife     = 5 * time.Minute
	codeKept     = 5 * time.Minute // for so long a code that is over is told from one that never was
	refreshLife  = 30 * 24 * time.Hour
	scopeBase    = "snsapi_base"
	scopeProfile = "snsapi_userinfo"
)

// grant is what a user has allowed on a web page: first a code, then the two tokens.
type grant struct {
	openID, scope string

	code        string
	codeExpires time.Time
	used        bool

	access         string
	accessExpires  time.Time
	refresh        string
	refreshExpires time.Time
}

// grants are the users' grants. The platform's lock guards them.
type grants struct{ all []*grant }

func (g *grants) find(is func(*grant) bool) *grant {
	if i := slices.IndexFunc(g.all, is); i >= 0 {
		return g.all[i]
	}
	return nil
}

// tidy forgets what is over for long.
func (g *grants) tidy(now time.Time) {
	g.all = slices.DeleteFunc(g.all, func(one *grant) bool {
		return now.After(one.codeExpires.Add(codeKept)) && !now.Before(one.refreshExpires.Add(refreshLife)) // 42002 for as long again
	})
}

func newSecret(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Authorize lets a user agree on the account's web page, and returns the code that WeChat would send the browser
// back with: good once, for five minutes. scope is snsapi_base or snsapi_userinfo; the user need not follow.
func (p *Platform) Authorize(openID, scope string) (code string, err error) {
	switch {
	case !validOpenID(openID):
		return "", wrong("the OpenID must be 1 to 64 letters, digits, _ or -, for example o_alice")
	case scope != scopeBase && scope != scopeProfile:
		return "", wrong("no scope %q: use snsapi_base or snsapi_userinfo", scope)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.grants.tidy(now)
	g := &grant{openID: openID, scope: scope, code: newSecret(24), codeExpires: now.Add(codeLife)}
	p.grants.all = append(p.grants.all, g)
	return g.code, nil
}

// sns makes an answer look like those of sns: the JSON is called text.
func sns(a answer) answer {
	a.contentType = "text/plain"
	return a
}

func oauthToken(p *Platform, x *exchange) answer {
	code := x.query.Get("code")
	g := p.grants.find(func(g *grant) bool { return g.code == code })
	switch {
	case x.query.Get("grant_type") != "authorization_code":
		return sns(failure(40002))
	case code == "":
		return sns(failure(41008))
	case g == nil || x.now.After(g.codeExpires.Add(codeKept)):
		return sns(failure(40029))
	case g.used:
		return sns(failure(40163))
	case !x.now.Before(g.codeExpires):
		return sns(failure(42003))
	}
	g.used = true
	g.refresh, g.refreshExpires = newToken(), x.now.Add(refreshLife)
	g.renew(x.now)
	return sns(object(g.answer(x.now)))
}

// renew prolongs the token, and replaces one that is over.
func (g *grant) renew(now time.Time) {
	if !now.Before(g.accessExpires) {
		g.access = newToken()
	}
	g.accessExpires = now.Add(tokenLife)
}

func (g *grant) answer(now time.Time) map[string]any {
	return map[string]any{
		"access_token": g.access, "expires_in": int(g.accessExpires.Sub(now) / time.Second),
		"refresh_token": g.refresh, "openid": g.openID, "scope": g.scope,
	}
}

func refreshOAuth(p *Platform, x *exchange) answer {
	token := x.query.Get("refresh_token")
	g := p.grants.find(func(g *grant) bool { return g.refresh == token })
	switch {
	case x.query.Get("grant_type") != "refresh_token":
		return sns(failure(40002))
	case token == "":
		return sns(failure(41003))
	case g == nil:
		return sns(failure(40030))
	case !x.now.Before(g.refreshExpires):
		return sns(failure(42002))
	}
	g.renew(x.now)
	return sns(object(g.answer(x.now)))
}

// granted finds the grant of a user's token, or the errcode.
func (p *Platform) granted(x *exchange) (*grant, int) {
	token, openID := x.query.Get("access_token"), x.query.Get("openid")
	g := p.grants.find(func(g *grant) bool { return g.access == token })
	switch {
	case openID == "":
		return nil, 41009
	case g == nil:
		return nil, 40001
	case !x.now.Before(g.accessExpires):
		return nil, 42001
	case g.openID != openID:
		return nil, 40003
	}
	return g, 0
}

// snsUserInfo tells of a user what most show of themselves: nothing.
func snsUserInfo(p *Platform, x *exchange) answer {
	g, code := p.granted(x)
	switch {
	case code != 0:
		return sns(failure(code))
	case !strings.Contains(g.scope, scopeProfile):
		return sns(failure(48001))
	}
	return sns(object(map[string]any{
		"openid": g.openID, "nickname": "微信用户", "sex": 0, "province": "", "city": "", "country": "",
		"headimgurl": "https://thirdwx.qlogo.cn/mmopen/vi_32/simulator/132", "privilege": []string{},
	}))
}

func checkOAuth(p *Platform, x *exchange) answer {
	if _, code := p.granted(x); code != 0 {
		return sns(failure(code))
	}
	return sns(ok())
}
