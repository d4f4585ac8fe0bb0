package bounded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrAddress marks an address that a server may not be sent to by bytes from outside.
var ErrAddress = errors.New("address not allowed")

// reserved are ranges that no public feed lives in and that net/netip has no word for
// (IANA IPv4 and IPv6 Special-Purpose Address Registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
}

// embedding are the ranges that a translator turns into IPv4, with the byte at which the IPv4 address begins (RFC 6052, 3056, 4291).
var embedding = map[netip.Prefix]int{netip.MustParsePrefix("64:ff9b::/96"): 12, netip.MustParsePrefix("2002::/16"): 2, netip.MustParsePrefix("::/96"): 12}

// reached is where a translator would lead an address; most are as they stand.
func reached(ip netip.Addr) netip.Addr {
	for p, at := range embedding {
		if p.Contains(ip) && !ip.IsLoopback() && !ip.IsUnspecified() {
			b := ip.As16()
			return netip.AddrFrom4([4]byte(b[at : at+4]))
		}
	}
	return ip
}

// CheckAddress refuses what is not a public unicast address. With allowPrivate the house's own networks and loopback pass;
// link-local (cloud metadata lives there), multicast and unspecified addresses never do.
func CheckAddress(ip netip.Addr, allowPrivate bool) error {
	ip = ip.Unmap()
	refuse := func(what string) error { return fmt.Errorf("%w: %s is %s", ErrAddress, ip, what) }
	switch {
	case !ip.IsValid() || ip.IsUnspecified():
		return refuse("unspecified")
	case ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || reached(ip).IsLinkLocalUnicast():
		return refuse("link-local")
	case ip.IsMulticast():
		return refuse("multicast")
	case allowPrivate:
		return nil
	case ip.IsLoopback():
		return refuse("loopback")
	case ip.IsPrivate():
		return refuse("private")
	}
	for _, p := range reserved {
		if p.Contains(ip) {
			return refuse("reserved")
		}
	}
	return nil
}

// Dialer gives a DialContext that checks the address after it was resolved, at the moment it is dialled: a name that
// resolves to another address the second time, and every hop of a redirect, meet the same check.
func Dialer(allowPrivate bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{
		Timeout: 5 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("%w: %q", ErrAddress, address)
			}
			return CheckAddress(ap.Addr(), allowPrivate)
		},
	}
	return d.DialContext
}
