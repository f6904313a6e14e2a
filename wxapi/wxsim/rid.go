package wxsim

import (
	"slices"
	"strings"
	"time"
)

func init() {
	stateful(endpoint{name: "get_rid", method: "POST", path: "/cgi-bin/openapi/rid/get", body: bodyJSON, run: getRID})
}

const (
	ridLife  = 7 * 24 * time.Hour
	ridsKept = 10_000
)

// rids are the failed calls by the rid that they were answered. The platform's lock guards it.
type rids struct {
	byRID map[string]ridCall
	order []string
}

type ridCall struct {
	at time.Time
	// What rid/get tells, credentials masked.
	Request ridRequest
}

type ridRequest struct {
	InvokeTime   int64  `json:"invoke_time"`
	CostInMS     int64  `json:"cost_in_ms"`
	RequestURL   string `json:"request_url"`
	RequestBody  string `json:"request_body"`
	ResponseBody string `json:"response_body"`
	ClientIP     string `json:"client_ip"`
}

// add keeps a call that was answered with a rid; the oldest ones go.
func (r *rids) add(x *exchange, call Call, a answer) {
	if a.rid == "" {
		return
	}
	if r.byRID == nil {
		r.byRID = map[string]ridCall{}
	}
	body := string(call.Body)
	if body == "null" {
		body = ""
	}
	r.byRID[a.rid] = ridCall{x.now, ridRequest{
		InvokeTime: x.wall.Unix(), CostInMS: 1, RequestURL: call.Query.Encode(), RequestBody: body,
		ResponseBody: strings.TrimSpace(string(a.body)), ClientIP: x.remote,
	}}
	r.order = append(r.order, a.rid)
	if len(r.order) > ridsKept {
		for _, old := range r.order[:ridsKept/2] {
			delete(r.byRID, old)
		}
		r.order = slices.Clone(r.order[ridsKept/2:])
	}
}

// getRID is openapi/rid/get: what a failed call of the last seven days was, and was answered.
// https://developers.weixin.qq.com/doc/offiaccount/openApi/get_rid_info.html
func getRID(p *Platform, x *exchange) answer {
	var req struct {
		RID string `json:"rid"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	call, known := p.rids.byRID[req.RID]
	if !known || x.now.Sub(call.at) > ridLife {
		return failure(76001)
	}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "request": call.Request})
}
