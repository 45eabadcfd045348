package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// service is one that a domain can name a server for: RFC 6186 3, RFC 8314 5.1.
type service struct {
	name     string
	protocol login.Protocol // "" for one that is not judged
	implicit bool
}

var services = []service{
	{"submission", login.SMTP, false}, {"submissions", login.SMTP, true},
	{"pop3", login.POP3, false}, {"pop3s", login.POP3, true},
	{"imap", "", false}, {"imaps", "", true},
}

// most is how many servers of one kind are looked at: a domain can name others'
// without end.
const most = 5

func (s *search) resolver() reach.Resolver {
	if s.Route.Resolver == nil {
		return net.DefaultResolver
	}
	return s.Route.Resolver
}

// srv asks for a service. The target "." says that there is none (RFC 2782).
func (s *search) srv(ctx context.Context, name string, of service) answer {
	var a answer
	what := fmt.Sprintf("the SRV record _%s._tcp.%s", of.name, name)
	_, found, err := s.resolver().LookupSRV(ctx, of.name, "tcp", name+".")
	a.failure(what, err)
	// The library shuffles equals by their weight; here they stay in order.
	slices.SortFunc(found, func(x, y *net.SRV) int {
		return cmp.Or(cmp.Compare(x.Priority, y.Priority), cmp.Compare(y.Weight, x.Weight), strings.Compare(x.Target, y.Target), cmp.Compare(x.Port, y.Port))
	})
	if len(found) > most {
		a.note("%s names %d servers: the first %d are looked at", what, len(found), most)
		found = found[:most]
	}
	for _, r := range found {
		if r.Target == "." {
			a.note("%s says by SRV that it has no %s service", name, of.name)
			continue
		}
		host, err := hostName(r.Target)
		switch {
		case err != nil || r.Port == 0:
			a.note("%s is wrong: it names %.80q, port %d", what, r.Target, r.Port)
		case of.protocol == "":
			a.elsewhere = append(a.elsewhere, Elsewhere{of.name, host, r.Port})
		default:
			a.doors = append(a.doors, s.door(of.protocol, of.implicit, host, r.Port, login.FoundSRV))
		}
	}
	return a
}

// mx asks who takes mail for the domain: port 25 and nothing else. "." says
// that nobody does (RFC 7505).
func (s *search) mx(ctx context.Context, name string) answer {
	var a answer
	found, err := s.resolver().LookupMX(ctx, name+".")
	a.failure("the MX of "+name, err)
	slices.SortFunc(found, func(x, y *net.MX) int {
		return cmp.Or(cmp.Compare(x.Pref, y.Pref), strings.Compare(x.Host, y.Host))
	})
	if len(found) > most {
		a.note("%s has %d mail servers by MX: the first %d are looked at", name, len(found), most)
		found = found[:most]
	}
	for _, r := range found {
		if r.Host == "." {
			a.note("%s says by MX that it takes no mail (RFC 7505)", name)
			continue
		}
		host, err := hostName(r.Host)
		if err != nil {
			a.note("the MX of %s is wrong: it names %.80q", name, r.Host)
			continue
		}
		a.doors = append(a.doors, s.door(login.SMTP, false, host, 25, login.FoundMX))
	}
	return a
}

// address asks whether the name is a host itself: then its usual ports may be
// doors. A proxy may know an address where there is none here.
func (s *search) address(ctx context.Context, name string) answer {
	_, err := s.Route.Lookup(ctx, name, 0, "ip")
	if err == nil || s.Route.Proxy != nil {
		return s.usualPorts(name)
	}
	var a answer
	a.failure("the address of "+name, err)
	return a
}

// failure keeps an answer that is none. That there is no such record is one.
func (a *answer) failure(what string, err error) {
	dns := (*net.DNSError)(nil)
	switch {
	case err == nil, errors.As(err, &dns) && dns.IsNotFound:
	case errors.Is(err, context.DeadlineExceeded), dns != nil && dns.IsTimeout:
		a.failures = append(a.failures, failure{"the DNS did not answer in time", what})
	case dns != nil:
		a.failures = append(a.failures, failure{"the DNS has no good answer (" + dns.Err + ")", what})
	default:
		a.failures = append(a.failures, failure{"the DNS has no good answer (" + err.Error() + ")", what})
	}
}

// failure is a question to the DNS that came to nothing.
type failure struct{ why, what string }

// noteFailures makes one sentence of those that came to nothing in the same way:
// a resolver that is down is told once.
func (a *answer) noteFailures() {
	for len(a.failures) > 0 {
		why := a.failures[0].why
		var what []string
		a.failures = slices.DeleteFunc(a.failures, func(f failure) bool {
			if f.why == why {
				what = append(what, f.what)
			}
			return f.why == why
		})
		others := ""
		if len(what) > 1 {
			others = fmt.Sprintf(" and %d more", len(what)-1)
		}
		a.note("%s when asked for %s%s", why, what[0], others)
	}
}
