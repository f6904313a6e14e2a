package egress

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// get_access_token is a verb of the bridge's own, there only with WX_TOKEN_CALL:
// the account's token for colleagues who call WeChat without the bridge. Whoever
// may ask wx.call.> has the account then.
//
//	nats req wx.call.get_access_token '{}'
//
// Whom WeChat refuses it says so, {"refused":"…"}, and gets another if there is
// one. Fetching one with /cgi-bin/stable_token and force_refresh instead would
// end everybody's.

// answerToken answers one request of wx.call.get_access_token.
func (e *Egress) answerToken(ctx context.Context, r micro.Request) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	began := time.Now()
	result := e.token(ctx, r.Data())
	result.ElapsedMS = time.Since(began).Milliseconds()
	told := result
	told.Response = nil // observers show results to people
	e.observe.Finished(Finished{Verb: events.CallGetAccessToken, Call: true, Result: told, Took: time.Since(began)})
	e.respond(events.CallGetAccessToken, r, result)
}

func (e *Egress) token(ctx context.Context, data []byte) events.Result {
	var want events.TokenQuery
	if len(data) > 0 && json.Unmarshal(data, &want) != nil {
		return rejected(&wxapi.RequestError{Verb: events.CallGetAccessToken, Problem: `the data must be {} or {"refused":"the token that WeChat has refused"}`})
	}
	token, err := e.client.AccessToken(ctx, want.Refused)
	if err != nil {
		d := e.decide(attempt{now: time.Now(), jitter: rand.Float64()}.saw(err))
		d.outcome = events.ResultFailed
		return result(d, wxapi.Result{}, err)
	}
	return events.Result{
		Outcome: events.ResultDone, ErrMsg: "ok",
		Response: fmt.Appendf(nil, `{"access_token":%q,"expires_in":%d}`, token.Value, max(0, int(time.Until(token.Expires).Seconds()))),
	}
}
