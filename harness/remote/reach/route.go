package reach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/net/proxy"

	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Private reports whether the address is one that the Internet does not reach:
// loopback, link-local, RFC 1918, RFC 4193.
func Private(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsPrivate()
}

// Lookup finds the addresses of a host in a family, which is "ip", "ip4" or
// "ip6". They are sorted, so that all doors of a name are asked at the same one;
// the fixed ones are in the order of their user. Where there is none, the error
// is a *[net.DNSError] that says IsNotFound.
func (r Route) Lookup(ctx context.Context, host string, port uint16, family string) ([]netip.Addr, error) {
	if fixed, ok := r.fixed(host, port); ok {
		return ofFamily(host, fixed, family)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return ofFamily(host, []netip.Addr{a}, family)
	}
	found, err := r.resolver().LookupNetIP(ctx, family, host)
	// A name in the hosts file that has addresses, but none of this family.
	if unsuitable := (*net.AddrError)(nil); errors.As(err, &unsuitable) {
		found, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return ofFamily(host, found, family)
}

func (r Route) resolver() Resolver {
	if r.Resolver == nil {
		return net.DefaultResolver
	}
	return r.Resolver
}

// fixed are the addresses that the user gave for the host; those for this very
// port come first.
func (r Route) fixed(host string, port uint16) (found []netip.Addr, ok bool) {
	var forAll []netip.Addr
	for _, f := range r.Fixed {
		switch {
		case !strings.EqualFold(strings.TrimSuffix(f.Host, "."), strings.TrimSuffix(host, ".")):
		case f.Port == 0:
			forAll = append(forAll, f.Addr)
		case f.Port == port || port == 0:
			found = append(found, f.Addr)
		}
	}
	found = append(found, forAll...)
	return found, len(found) > 0
}

func ofFamily(host string, all []netip.Addr, family string) ([]netip.Addr, error) {
	var found []netip.Addr
	for _, a := range all {
		if a = a.Unmap(); family == "ip" || a.Is4() == (family == "ip4") {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	return found, nil
}

// SourceError says that connections cannot come from the address that was
// asked for.
type SourceError struct {
	Source netip.Addr
	Why    string
}

func (e *SourceError) Error() string { return fmt.Sprintf("source address %s: %s", e.Source, e.Why) }

// ProxyError says that the proxy, and not the server, is in the way.
type ProxyError struct {
	// Proxy is its host and port.
	Proxy string
	Err   error
}

func (e *ProxyError) Error() string { return fmt.Sprintf("proxy %s: %v", e.Proxy, e.Err) }
func (e *ProxyError) Unwrap() error { return e.Err }

// Dial connects to an address with a port; through a proxy, to a name as well.
func (r Route) Dial(ctx context.Context, to string) (net.Conn, error) {
	direct := &net.Dialer{}
	if r.Source.IsValid() {
		direct.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(r.Source, 0))
	}
	if r.Proxy != nil {
		return r.throughProxy(ctx, direct, to)
	}
	target, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, fmt.Errorf("%q is no address with a port", to)
	}
	if r.Source.IsValid() && r.Source.Unmap().Is4() != target.Addr().Unmap().Is4() {
		return nil, &SourceError{r.Source, fmt.Sprintf("%s is of the other family", target.Addr())}
	}
	conn, err := direct.DialContext(ctx, "tcp", to)
	if wire.FailedAs(err, syscall.EADDRNOTAVAIL) && r.Source.IsValid() {
		return nil, &SourceError{r.Source, "this machine does not have it"}
	}
	return conn, err
}

func (r Route) throughProxy(ctx context.Context, direct *net.Dialer, to string) (net.Conn, error) {
	address := net.JoinHostPort(r.Proxy.Hostname(), cmp.Or(r.Proxy.Port(), "1080"))
	if r.Proxy.Scheme != "socks5" {
		return nil, &ProxyError{address, errors.New("only socks5:// is spoken")}
	}
	var auth *proxy.Auth // RFC 1929
	if u := r.Proxy.User; u != nil {
		password, _ := u.Password()
		auth = &proxy.Auth{User: u.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", address, auth, direct)
	if err != nil {
		return nil, &ProxyError{address, err}
	}
	conn, err := dialer.(proxy.ContextDialer).DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, proxyFailure(address, err)
	}
	return conn, nil
}

// replies are what a proxy says of the server (RFC 1928 6), in the words of the
// library, which has no errors for them.
var replies = map[string]error{
	"unknown error connection refused":  syscall.ECONNREFUSED,
	"unknown error host unreachable":    syscall.EHOSTUNREACH,
	"unknown error network unreachable": syscall.ENETUNREACH,
	"unknown error TTL expired":         syscall.EHOSTUNREACH,
}

// proxyFailure tells what the proxy says of the server from what is wrong with
// the proxy.
func proxyFailure(address string, err error) error {
	inner := err
	if whole := (*net.OpError)(nil); errors.As(err, &whole) {
		inner = whole.Err
	}
	dialling := (*net.OpError)(nil)
	reached := !errors.As(inner, &dialling) || dialling.Op != "dial"
	switch of, known := replies[inner.Error()]; {
	case known:
		return fmt.Errorf("the proxy %s says: %w", address, of)
	case reached && timedOut(inner): // it is still trying
		return inner
	default:
		return &ProxyError{address, inner}
	}
}

// timedOut reports whether a wait came to its end.
func timedOut(err error) bool {
	var late net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout()
}
