package wxsim

import "time"

func init() {
	stateful(endpoint{name: "get_jsapi_ticket", method: "GET", path: "/cgi-bin/ticket/getticket", run: getTicket})
}

// jsTicket is the ticket of one kind.
type jsTicket struct {
	value   string
	expires time.Time
}

// getTicket answers the same ticket until it is over; a renewed access token doesn't end it.
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/JS-SDK.html
func getTicket(p *Platform, x *exchange) answer {
	kind := x.query.Get("type")
	if kind != "jsapi" && kind != "wx_card" {
		return failure(40097)
	}
	t := p.tickets[kind]
	if !x.now.Before(t.expires) {
		t = jsTicket{newSecret(64), x.now.Add(tokenLife)}
		if p.tickets == nil {
			p.tickets = map[string]jsTicket{}
		}
		p.tickets[kind] = t
	}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "ticket": t.value, "expires_in": int(t.expires.Sub(x.now) / time.Second)})
}
