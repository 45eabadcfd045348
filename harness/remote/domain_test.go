package remote_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// zone is a domain's DNS: its services are at a host of another name, and
// somebody else takes its mail.
type zone struct{ services map[string]uint16 }

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (zone) LookupNetIP(_ context.Context, network, name string) ([]netip.Addr, error) {
	switch strings.TrimSuffix(name, ".") {
	case host:
		if network != "ip6" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
	case "mx.hoster.test":
		if network != "ip6" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.66")}, nil
		}
	}
	return nil, notFound(name)
}

func (z zone) LookupSRV(_ context.Context, service, _, name string) (string, []*net.SRV, error) {
	port, ok := z.services[service]
	if !ok || strings.TrimSuffix(name, ".") != "customer.test" {
		return "", nil, notFound(name)
	}
	return "", []*net.SRV{{Target: host + ".", Port: port}}, nil
}

func (zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if strings.TrimSuffix(name, ".") != "customer.test" {
		return nil, notFound(name)
	}
	return []*net.MX{{Host: "mx.hoster.test.", Pref: 10}}, nil
}

// portOf is that of a door's URL.
func portOf(t *testing.T, url string) uint16 {
	t.Helper()
	n, err := strconv.ParseUint(url[strings.LastIndexByte(url, ':')+1:], 10, 16)
	must(t, err)
	return uint16(n)
}

// A domain's services are found by what it says of itself, and judged; but a host
// that the user has not typed hears no password, and whoever takes the domain's
// mail is not to blame for its server.
func TestDomain(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	o.Route.Fixed = nil
	o.Route.Resolver = zone{map[string]uint16{"pop3s": portOf(t, s.doors[1]), "submission": portOf(t, s.doors[2])}}
	o.Login = true
	report := check(t, []string{"customer.test"}, o)
	found := map[login.Found]bool{}
	for _, d := range report.Targets[0].Doors {
		if d.Speaks() {
			found[d.Found] = true
		}
	}
	if !found[login.FoundSRV] || len(report.Cases) < 20 {
		t.Errorf("found by %v, %d requirements decided", found, len(report.Cases))
	}
	for _, verb := range []string{"AUTH", "USER", "PASS"} {
		if n := s.heard.verbs()[verb]; n > 0 {
			t.Errorf("a host that nobody typed was sent %d %s", n, verb)
		}
	}
	for _, f := range report.Scenarios {
		if (f.Verdict == login.Fail || f.Verdict == login.Warn) && strings.Contains(f.Reason, "hoster") {
			t.Errorf("%s: %s", f.ID, f.Reason)
		}
	}
}
