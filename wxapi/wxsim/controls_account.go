package wxsim

import (
	"net/http"

	"github.com/wxbridge/wxbridge/wxapi"
)

func controlScan(p *Platform, r *http.Request) (any, error) {
	var body struct {
		Ticket string `json:"ticket"`
	}
	if err := readInto(r, &body, `{"ticket":"gQH4+/+/…"}`); err != nil {
		return nil, err
	}
	return p.scan(r.Context(), p.cfg.Mode, r.PathValue("openid"), body.Ticket, baseURL(r))
}

// controlAuthorize answers what the browser would come back with.
func controlAuthorize(p *Platform, r *http.Request) (any, error) {
	var body struct {
		Scope string `json:"scope"`
		State string `json:"state"`
	}
	if err := readInto(r, &body, `{"scope":"snsapi_base","state":"123"}`); err != nil {
		return nil, err
	}
	code, err := p.Authorize(r.PathValue("openid"), body.Scope)
	if err != nil {
		return nil, err
	}
	return map[string]string{"code": code, "state": body.State}, nil
}

// controlComment answers the comment's id.
func controlComment(p *Platform, r *http.Request) (any, error) {
	var body struct {
		MsgDataID wxapi.ID `json:"msg_data_id"`
		Index     int      `json:"index"`
		Content   string   `json:"content"`
	}
	if err := readInto(r, &body, `{"msg_data_id":"2247483655","index":0,"content":"nice"}`); err != nil {
		return nil, err
	}
	id, err := p.Comment(r.PathValue("openid"), string(body.MsgDataID), body.Index, body.Content)
	if err != nil {
		return nil, err
	}
	return map[string]string{"user_comment_id": id}, nil
}
