package wxapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// video fetches a video from the URL in WeChat's answer, without any
// credentials and without following it elsewhere.
func (k *call) video(ctx context.Context, from string) (*object, error) {
	doubtful := func(status int, reason string) (*object, error) {
		return nil, unproven(k.row, status, reason, nil, nil)
	}
	u, err := url.Parse(from)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return doubtful(http.StatusOK, "its video_url is no plain http or https URL")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return doubtful(http.StatusOK, "its video_url is no plain http or https URL")
	}
	transport := guarded(k.inside(ctx))
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if errors.Is(err, errInside) {
		return doubtful(http.StatusOK, "its video_url leads to an address that is not public")
	}
	if err != nil {
		return nil, k.broken(ctx, err)
	}
	defer resp.Body.Close()
	body := bufio.NewReaderSize(resp.Body, 512)
	head, err := body.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, k.broken(ctx, err)
	}
	if !isFile(resp, head) {
		return nil, unproven(k.row, resp.StatusCode, "what the video_url leads to is no file", head, k.secrets)
	}
	return k.store(ctx, resp, body, head)
}

// errInside is the guard's refusal.
var errInside = errors.New("the address is not public")

// guarded is a transport that doesn't connect to private addresses. It looks
// at the address that is about to be dialled and not at the name, which can
// stand for another address the next moment. It uses no proxy: that would be
// the address it looks at.
func guarded(open bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 4 * time.Second}
	if !open {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !isPublic(to.Addr()) {
				return errInside
			}
			return nil
		}
	}
	t := newTransport()
	t.Proxy, t.DialContext, t.DisableKeepAlives = nil, dialer.DialContext, true
	return t
}

// inside says whether WeChat itself is at a private address, which only a
// simulator is: then its videos are there too.
func (c *Client) inside(ctx context.Context) bool {
	host := c.api.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		return !isPublic(addr)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return false
	}
	for _, addr := range addrs {
		if isPublic(addr) {
			return false
		}
	}
	return true
}

// reserved are the ranges that netip has no name for: this network, shared by
// carriers, protocol assignments, benchmarks, future use, and IPv6 forms that
// carry an IPv4 address (NAT64, 6to4, Teredo).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}
