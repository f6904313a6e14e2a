package wxapi

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport is what the client uses when it is given none. Each phase has a
// limit of its own, so that a dead address is found out before the whole
// request's time is over. HTTP/2 stays off: with one request at a time on a
// connection it is certain how far each has got.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 4 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    4 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        30 * time.Second, // below what servers keep, so that few die under our hands
		DisableCompression:     true,             // a bounded answer stays bounded
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// secretKey is the context's key of the credentials.
type secretKey struct{}

// secret is the query's part that nobody may see: a context that is printed shows
// the texts in it.
type secret string

func (secret) String() string { return hidden }

// credentials adds the access token to the URL, below every other layer: what
// wraps it (tracing, logging, http's own errors) never sees a URL with a token.
type credentials struct{ next http.RoundTripper }

func (t credentials) RoundTrip(req *http.Request) (*http.Response, error) {
	query, _ := req.Context().Value(secretKey{}).(secret)
	if query == "" {
		return t.next.RoundTrip(req)
	}
	// A RoundTripper must not change its request.
	shown := req
	req = req.WithContext(req.Context())
	u := *req.URL
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += string(query)
	req.URL = &u
	resp, err := t.next.RoundTrip(req)
	if resp != nil {
		resp.Request = shown
	}
	return resp, err
}
