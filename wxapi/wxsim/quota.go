package wxsim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Limit is how often one API may be called; 0 means as often as you like.
type Limit struct {
	PerMinute int `json:"per_minute,omitempty"` // calls a minute, then errcode 45011
	PerDay    int `json:"per_day,omitempty"`    // calls a day (it ends at 00:00 UTC+8), then errcode 45009
}

// The token endpoints are no verbs of the bridge, so their names are the simulator's own: they stand in calls,
// faults and limits. nameToken covers both in a fault.
const (
	nameToken       = "get_access_token"
	nameLegacyToken = "get_legacy_access_token" //nolint:gosec // a name
)

// defaultLimits are those that WeChat documents for the token endpoints. Other APIs' limits depend on the kind
// of account, so none is set until you set one.
// https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
func defaultLimits() map[string]Limit {
	return map[string]Limit{
		nameToken:       {PerMinute: 10_000, PerDay: 500_000},
		nameLegacyToken: {PerDay: 2_000},
	}
}

// quotas counts the calls of each API. The platform's lock guards it.
type quotas struct {
	limits map[string]Limit
	used   map[string]usage
}

type usage struct {
	minute, day     string
	inMinute, inDay int
}

func newQuotas(over map[string]Limit) *quotas {
	q := &quotas{limits: defaultLimits(), used: map[string]usage{}}
	maps.Copy(q.limits, over)
	return q
}

// take counts one call of the API called name and returns 0, 45011 or 45009. A refused call is not counted.
func (q *quotas) take(name string, now time.Time) int {
	limit, u := q.limits[name], q.usage(name, now)
	switch {
	case limit.PerDay > 0 && u.inDay >= limit.PerDay:
		return 45009
	case limit.PerMinute > 0 && u.inMinute >= limit.PerMinute:
		return 45011
	}
	u.inMinute++
	u.inDay++
	q.used[name] = u
	return 0
}

// usage is what the API called name has used of this minute and this day.
func (q *quotas) usage(name string, now time.Time) usage {
	now = now.In(china)
	u := q.used[name]
	if minute := now.Format("2006-01-02 15:04"); u.minute != minute {
		u.minute, u.inMinute = minute, 0
	}
	if day := now.Format("2006-01-02"); u.day != day {
		u.day, u.inDay = day, 0
	}
	return u
}

// checkLimits refuses limits that can't be meant.
func checkLimits(limits map[string]Limit) error {
	var errs []error
	for name, limit := range limits {
		if limit.PerMinute < 0 || limit.PerDay < 0 {
			errs = append(errs, fmt.Errorf("wxsim: the limits of %q are negative: use 0 for no limit", name))
		}
		if !slices.Contains(allEndpoints().names(), name) {
			errs = append(errs, fmt.Errorf("wxsim: limits: no API is called %q: GET /_sim/ lists the names", name))
		}
	}
	return errors.Join(errs...)
}
