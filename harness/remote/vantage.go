package remote

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// onlyPrivate refuses a laboratory that the Internet reaches: it would be
// somebody's server.
func (c *check) onlyPrivate() error {
	for _, l := range c.looks {
		if l.Address.IsValid() && !reach.Private(l.Address.Addr()) {
			return fmt.Errorf("--lab is for a server that may be thrown away, on a loopback or private address: %s is %s",
				l.Door.Host, l.Address.Addr())
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

// vantage is the address that the server sees us come from.
func (c *check) vantage() string {
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
