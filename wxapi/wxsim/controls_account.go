package wxsim

import "net/http"

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
