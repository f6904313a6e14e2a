package wxapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// attempt makes exactly one HTTP exchange. It follows no redirect (Go would
// send the access_token along as Referer, and turn a POST into a GET), keeps
// no cookie and answers no challenge: that is why it asks the transport itself
// and no http.Client. A failure is a *TransportError that knows how far the
// request got.
func (c *Client) attempt(ctx context.Context, r *request) (*http.Response, error) {
	gate := &gate{body: bytes.NewReader(r.body)}
	var headers atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { headers.Store(true) }}
	ctx = httptrace.WithClientTrace(context.WithValue(ctx, secretKey{}, r.secret), trace)

	// NewRequestWithContext would give a GetBody, and with that, or without a
	// body at all, the transport sends a request again when the connection
	// breaks. With a body that it can't rewind it sends each request once. An
	// empty one is found out to be empty, and goes out as a GET without body.
	req := (&http.Request{
		Method: r.method, URL: r.url, Host: r.url.Host, Header: r.header,
		Body: gate, ContentLength: int64(len(r.body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if c.ownTransport && len(r.body) > 0 {
		// What it knows to be in memory leaves in one packet with the headers.
		req.Body = io.NopCloser(gate.body)
	}

	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		// Our own transport has ended its writing when it returns an error, and
		// tells the trace before anything complete leaves. The gate is for others.
		written := gate.shut() || headers.Load()
		return nil, r.lost(ctx, written, err)
	}
	return resp, nil
}

// lost makes a TransportError. When our own context is over, that is the
// cause, whatever the transport makes of it.
func (r *request) lost(ctx context.Context, written bool, err error) *TransportError {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &TransportError{Verb: r.verb, Written: written, Err: r.secrets.cause(err)}
}

// gate is a request's body, and the last point at which the request can be
// stopped. When the context ends, RoundTrip of HTTP/2, say, returns while its
// writer may just be about to start; without the gate a request reported as not
// written could still go out.
type gate struct {
	body        *bytes.Reader
	mu          sync.Mutex
	began, over bool
}

var errGivenUp = errors.New("the request was given up before it was written")

func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return 0, errGivenUp
	}
	g.began = true
	return g.body.Read(p)
}

func (g *gate) Close() error { return nil }

// shut lets nothing more through and tells whether anything has come through.
func (g *gate) shut() (began bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	return g.began
}
