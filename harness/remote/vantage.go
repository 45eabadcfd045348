package remote

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// onlyPrivate refuses a laboratory that the Internet reaches: it would be
// somebody's server. Nobody has connected to it yet.
func (c *check) onlyPrivate(ctx context.Context) error {
	for _, d := range c.found.Doors {
		found, err := c.Route.Lookup(ctx, d.Host, d.Port, "ip")
		if err != nil {
			continue // it will not be reached
		}
		for _, a := range found {
			if !reach.Private(a) {
				return fmt.Errorf("--lab is for a server that may be thrown away, on a loopback or private address: %s is %s", d.Host, a)
			}
		}
		// Who is asked once more may say something else.
		for _, a := range found {
			c.caller.Route.Fixed = append(c.caller.Route.Fixed, reach.Fixed{Host: d.Host, Port: d.Port, Addr: a})
		}
	}
	return nil
}

// blind is why nothing can be said from here of clear links and of relay, "" if
// it can. A server trusts its own machine, and many trust their own network:
// Dovecot takes who has its own address for secure, Haraka whoever is in
// a private one.
func (c *check) blind() string {
	if c.Lab {
		return ""
	}
	named := c.Route.Source
	if c.Route.Proxy != nil { // it is where the proxy is asked from
		named = netip.Addr{}
	}
	for _, l := range c.looks {
		switch server := l.Address.Addr(); {
		case !l.Address.IsValid(), named.IsValid() && named != server:
		case l.From.IsValid() && l.From == server:
			return fmt.Sprintf("seen from %s, the server's own address, which many servers trust: ask from elsewhere, or name another with --source", server)
		case reach.Private(server):
			return fmt.Sprintf("%s is reached over a private link, which many servers trust: ask from outside, or name the address to come from with --source", server)
		}
	}
	return ""
}

// vantage is the address that the server sees us come from, or who stands
// between.
func (c *check) vantage() string {
	if c.Route.Proxy != nil {
		return "behind the proxy " + c.Route.Proxy.Host
	}
	from := c.Route.Source
	for _, l := range c.looks {
		if !from.IsValid() {
			from = l.From
		}
	}
	if !from.IsValid() {
		return ""
	}
	return from.String()
}

// addresses are the server's, the one that was asked first.
func (c *check) addresses() []string {
	var all []string
	seen := map[netip.Addr]bool{}
	for _, l := range slices.Concat(c.looks, c.others) {
		if a := l.Address.Addr(); a.IsValid() && !seen[a] && l.Stages[login.StageConnect] == login.StageOK {
			seen[a] = true
			all = append(all, a.String())
		}
	}
	return all
}
