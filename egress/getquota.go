package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/egress/queue"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// get_quota is a call of the bridge's own: how many custom messages a follower
// may still get, and what rests or is limited.
//
//	nats req wx.call.get_quota '{"openid":"o…"}'
//	nats req wx.call.get_quota '{"verb":"send_custom_message"}'
//	nats req wx.call.get_quota '{}'

// answerQuota answers one request of wx.call.get_quota.
func (e *Egress) answerQuota(ctx context.Context, r micro.Request) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	began := time.Now()
	result := e.quota(ctx, r.Data())
	result.ElapsedMS = time.Since(began).Milliseconds()
	e.observe.Finished(Finished{Verb: events.CallGetQuota, Call: true, Result: result, Took: time.Since(began)})
	e.respond(events.CallGetQuota, r, result)
}

func (e *Egress) quota(ctx context.Context, data []byte) events.Result {
	var want events.QuotaQuery
	if len(data) > 0 && json.Unmarshal(data, &want) != nil {
		return rejected(&wxapi.RequestError{Verb: events.CallGetQuota, Problem: `the data must be {"openid":"…"}, {"verb":"…"}, both or {}`})
	}
	answer := events.Quota{OpenID: want.OpenID, Verb: want.Verb, Pauses: e.pauses.of(want.Verb), Rates: e.rates.texts(want.Verb)}
	if want.Verb != "" {
		name, path, _ := strings.Cut(want.Verb, "/")
		if _, known := wxapi.Lookup(name); !known || path != "" && name != callAPI {
			return rejected(unknownVerb(want.Verb))
		}
		answer.CGIPath = pathOf(want.Verb)
	}
	if want.OpenID != "" {
		open, err := e.ledger.windows(ctx, want.OpenID)
		if err != nil {
			return events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff), ErrMsg: err.Error()}
		}
		sum := 0
		for _, w := range open {
			sum += w.Left
		}
		answer.Left, answer.Windows = &sum, open
	}
	response, err := json.Marshal(answer)
	if err != nil {
		return events.Result{Outcome: events.ResultFailed, Class: string(wxapi.ClassBug), ErrMsg: fmt.Sprintf("the answer cannot be written: %v", err)}
	}
	return events.Result{Outcome: events.ResultDone, ErrMsg: "ok", Response: response}
}

// of lists what rests: the account, and an API or all of them, in order.
func (s *pauses) of(api string) []events.QuotaPause {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []events.QuotaPause{}
	for _, p := range s.by {
		if api == "" || p.API == "" || p.API == api {
			list = append(list, quotaPause(p.Pause))
		}
	}
	slices.SortFunc(list, func(a, b events.QuotaPause) int { return strings.Compare(a.API, b.API) })
	return list
}

// quotaPause is a pause as callers see it.
func quotaPause(p Pause) events.QuotaPause {
	return events.QuotaPause{API: p.API, Class: string(p.Class), ErrCode: p.ErrCode, Reason: p.Reason, Since: p.Since, Until: p.Until}
}

// texts are the limits of an API as they were configured, or all limits.
func (s *rates) texts(api string) map[string]string {
	verb, _, _ := strings.Cut(api, "/")
	texts := map[string]string{}
	for name, r := range s.by {
		if api == "" || slices.Contains([]string{api, verb, queue.Everything}, name) {
			texts[name] = r.text
		}
	}
	return texts
}
