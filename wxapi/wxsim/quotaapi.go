package wxsim

import "time"

func init() {
	stateful(endpoint{name: "get_api_quota", method: "POST", path: "/cgi-bin/openapi/quota/get", body: bodyJSON, run: apiQuota})
	stateful(endpoint{name: "clear_quota", method: "POST", path: "/cgi-bin/clear_quota", body: bodyJSON, run: clearQuota})
	stateful(endpoint{name: "clear_quota_by_secret", method: "POST", path: "/cgi-bin/clear_quota/v2", auth: authSecret, run: clearQuotaBySecret})
	stateful(endpoint{name: "clear_api_quota", method: "POST", path: "/cgi-bin/openapi/quota/clear", body: bodyJSON, run: clearAPIQuota})
}

// How often a month quotas can be cleared: all at once, by either API, and those of one API at a time.
const (
	clearAllPerMonth = 10
	clearOnePerMonth = 50
)

// noDailyLimit is shown for an API that no limit is set for: nobody reaches it.
const noDailyLimit = 100_000_000

// clears counts how often quotas were cleared. The platform's lock guards it.
type clears struct{ all, one monthly }

// monthly counts within one month.
type monthly struct {
	month string
	n     int
}

// take counts one more, and tells whether that was allowed.
func (m *monthly) take(limit int, now time.Time) bool {
	if month := now.In(china).Format("2006-01"); month != m.month {
		m.month, m.n = month, 0
	}
	if m.n >= limit {
		return false
	}
	m.n++
	return true
}

// apiName is what the API at a path is called, "" for none.
func apiName(path string) string {
	for _, e := range allEndpoints()[path] {
		return e.name
	}
	return ""
}

// apiQuota is openapi/quota/get: the simulator's own limits, and what is used of them.
// https://developers.weixin.qq.com/doc/offiaccount/openApi/get_api_quota.html
func apiQuota(p *Platform, x *exchange) answer {
	var req struct {
		CGIPath string `json:"cgi_path"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	name := apiName(req.CGIPath)
	if name == "" {
		return failure(76021)
	}
	limit, used := p.quotas.limits[name], p.quotas.usage(name, x.now).inDay
	daily := limit.PerDay
	if daily == 0 {
		daily = noDailyLimit
	}
	found := map[string]any{
		"errcode": 0, "errmsg": "ok", "quota": map[string]any{"daily_limit": daily, "used": used, "remain": max(0, daily-used)},
	}
	if limit.PerMinute > 0 {
		found["rate_limit"] = map[string]any{"call_count": limit.PerMinute, "refresh_second": 60}
	}
	return object(found)
}

// clearQuota is clear_quota: all APIs' counts of today begin anew.
func clearQuota(p *Platform, x *exchange) answer {
	var req struct {
		AppID string `json:"appid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	switch {
	case req.AppID == "":
		return failure(41002)
	case req.AppID != p.cfg.AppID:
		return failure(40013)
	}
	return clearQuotaBySecret(p, x)
}

// clearQuotaBySecret is clear_quota/v2, which needs no token.
func clearQuotaBySecret(p *Platform, x *exchange) answer {
	if !p.clears.all.take(clearAllPerMonth, x.now) {
		return failure(48006)
	}
	clear(p.quotas.used)
	return ok()
}

func clearAPIQuota(p *Platform, x *exchange) answer {
	var req struct {
		CGIPath string `json:"cgi_path"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	name := apiName(req.CGIPath)
	switch {
	case name == "":
		return failure(76021)
	case !p.clears.one.take(clearOnePerMonth, x.now):
		return failure(48006)
	}
	delete(p.quotas.used, name)
	return ok()
}
