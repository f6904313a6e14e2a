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

// getQuota is a verb of the bridge's own: how many custom messages a follower
// may still get, and what rests or is limited. It asks nobody; what WeChat counts
// itself is get_api_quota.
//
//	nats req wx.call.get_quota '{"openid":"o…"}'
//	nats req wx.call.get_quota '{"verb":"send_custom_message"}'
//	nats req wx.call.get_quota '{}'
const getQuota = "get_quota"

// quotaWanted is the request of get_quota; either, both or none.
type quotaWanted struct {
	OpenID string `json:"openid"`
	Verb   string `json:"verb"`
}

// quota is the response of get_quota.
type quota struct {
	OpenID string `json:"openid,omitempty"`
	// Left is how many custom messages the follower's windows still allow, as far
	// as the bridge knows.
	Left    *int     `json:"left,omitempty"`
	Windows []window `json:"windows,omitempty"`
	Verb    string   `json:"verb,omitempty"`
	// CGIPath is what get_api_quota and clear_api_quota call the verb.
	CGIPath string `json:"cgi_path,omitempty"`
	// Rates are the limits of WX_RATE.
	Rates map[string]string `json:"rates,omitempty"`
	// Pauses are what rests now: of the verb, without one all.
	Pauses []Pause `json:"pauses"`
}

// answerQuota answers one request of wx.call.get_quota.
func (e *Egress) answerQuota(ctx context.Context, r micro.Request) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	began := time.Now()
	result := e.quota(ctx, r.Data())
	result.ElapsedMS = time.Since(began).Milliseconds()
	e.observe.Finished(Finished{Verb: getQuota, Call: true, Result: result, Took: time.Since(began)})
	e.respond(getQuota, r, result)
}

func (e *Egress) quota(ctx context.Context, data []byte) events.Result {
	var want quotaWanted
	if len(data) > 0 && json.Unmarshal(data, &want) != nil {
		return rejected(&wxapi.RequestError{Verb: getQuota, Problem: `the data must be {"openid":"…"}, {"verb":"…"}, both or {}`})
	}
	answer := quota{OpenID: want.OpenID, Verb: want.Verb, Pauses: e.pauses.of(want.Verb), Rates: e.rates.texts(want.Verb)}
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
func (s *pauses) of(api string) []Pause {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Pause{}
	for _, p := range s.by {
		if api == "" || p.API == "" || p.API == api {
			list = append(list, p.Pause)
		}
	}
	slices.SortFunc(list, func(a, b Pause) int { return strings.Compare(a.API, b.API) })
	return list
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
