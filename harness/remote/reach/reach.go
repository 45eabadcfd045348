// Package reach opens connections to the doors of a server in service and asks
// them what they offer.
package reach

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Door is a place where a mail server may be.
type Door struct {
	Protocol login.Protocol
	// Implicit: TLS from the first octet.
	Implicit bool
	// Host is the name or address as a user types it: what the certificate must
	// be for.
	Host  string
	Port  uint16
	Found login.Found
	// Typed: the user has typed this host. Others are given no secret.
	Typed bool
}

// Address is host and port.
func (d Door) Address() string { return net.JoinHostPort(d.Host, strconv.Itoa(int(d.Port))) }

// Transports are those that such a door can have.
func (d Door) Transports() []login.Transport {
	if d.Implicit {
		return []login.Transport{login.TLS}
	}
	return []login.Transport{login.Plain, login.StartTLS}
}

// Resolver is what of [net.Resolver] is needed.
//
// SRV and MX are asked for names with a final dot, so that no search list of
// this machine is applied to them.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
}

// Route is the way from here. The zero value is the machine's own.
type Route struct {
	// Resolver is who is asked for names; nil is the machine's.
	Resolver Resolver
	// Fixed are addresses of names that nobody is asked for.
	Fixed []Fixed
	// Source is the address that connections come from; the zero value leaves it
	// to the machine.
	Source netip.Addr
	// Proxy is a SOCKS5 server (RFC 1928) that connects in our place; nil is none.
	// It is given addresses. Only a name that has none here is handed to it as it
	// is: it may know more. The password in the URL is nobody's but its own.
	Proxy *url.URL
}

// Fixed is an address of a name, for one port or, with port 0, for all.
type Fixed struct {
	Host string
	Port uint16
	Addr netip.Addr
}

// Trust is which certificates are taken. The zero value is the machine's store.
type Trust struct {
	// Roots are authorities; nil is the machine's store.
	Roots *x509.CertPool
	// Pins are SHA-256 sums of certificates that are taken whatever they say.
	Pins [][32]byte
	// Any: a target to be thrown away.
	Any bool
}

// Caller opens connections. Budget, Connect, Limit and Now must be set.
type Caller struct {
	Route  Route
	Trust  Trust
	Budget *budget.Budget
	// Connect is how long a connection may take, Limit an answer.
	Connect, Limit time.Duration
	Now            func() time.Time
	// Certificate is shown to a server that asks for one and was verified; nil is
	// none. Where it is set, a server that is not verified is an [ErrUnverified].
	Certificate *tls.Certificate
	// Hide, where set, makes of a line of the server what an error or a reason
	// may show of it: for callers whose secrets the server has heard.
	Hide func(line string) string
}

// Look is what a door says of itself to who says nothing but EHLO, CAPA,
// STARTTLS or STLS, and QUIT.
type Look struct {
	Door Door
	// Address is where it was reached; the zero value is nowhere. From is where
	// the connection came from, by our own machine; behind a proxy it is not known.
	Address netip.AddrPort
	From    netip.Addr
	// Stages and Explained are those of [login.DoorResult].
	Stages      map[login.Stage]string
	Explained   map[login.Stage]string
	Greeting    string
	Certificate *login.CertificateResult
	Links       map[login.Transport]Link
}

// Link is what is offered on one transport. The zero value is one that did not
// come about.
type Link struct {
	Open bool
	// Verified: the certificate is one that [Trust] takes.
	Verified bool
	// Capabilities are EHLO's keywords with their arguments, or CAPA's lines; nil
	// where there is no list.
	Capabilities []string
	Mechanisms   []login.Mechanism
	Transcript   []string
}

// Talk is a connection on which a login may follow.
type Talk struct {
	*scenarios.Talk
	// Verified: it is inside TLS, and the certificate is one that [Trust] takes.
	Verified bool
	Tap      *wire.Tap
}
