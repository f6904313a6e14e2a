package wxapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// errInside is the guard's refusal.
var errInside = errors.New("the address is not public")

// guarded is a transport that doesn't connect to private addresses, but for
// those of ours. It looks at the address that is about to be dialled and not at
// the name, which can stand for another address the next moment. It uses no
// proxy: that would be the address it looks at. A nil resolver is the usual one.
func guarded(ours []netip.AddrPort, resolver *net.Resolver) *http.Transport {
	dialer := &net.Dialer{
		Timeout:  4 * time.Second,
		Resolver: resolver,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !isPublic(to.Addr()) && !slices.Contains(ours, netip.AddrPortFrom(to.Addr().Unmap(), to.Port())) {
				return errInside
			}
			return nil
		},
	}
	t := newTransport()
	t.Proxy, t.DialContext, t.DisableKeepAlives = nil, dialer.DialContext, true
	return t
}

// inside is where the API is, if that is at private addresses, which only a
// simulator or a relay of the company's is. A simulator's videos are there too,
// at the same port; nothing else inside is.
func (c *Client) inside(ctx context.Context) (ours []netip.AddrPort) {
	port, err := strconv.ParseUint(c.api.Port(), 10, 16)
	if err != nil { // WeChat's own, or one that looks like it
		port = map[string]uint64{"http": 80, "https": 443}[c.api.Scheme]
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", c.api.Hostname())
	if err != nil {
		return nil
	}
	for _, addr := range addrs {
		if addr = addr.Unmap(); !isPublic(addr) {
			ours = append(ours, netip.AddrPortFrom(addr, uint16(port)))
		}
	}
	return ours
}

// reserved are the ranges that netip has no name for: this network, shared by
// carriers, protocol assignments, benchmarks, future use, the site-local
// addresses of old, and IPv6 forms that carry an IPv4 address (compatible,
// NAT64, 6to4, Teredo).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("") // no prefix holds an address with a zone
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(addr) })
}
