package server

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// trust decides which peers are trusted without a login (the document,
// "Authentication": a trusted interface, or an assumption for the address).
type trust struct {
	interfaces  []netip.Prefix
	assumptions []assumption
	demandAuth  bool
}

// assumption takes whoever comes from a network for an account.
type assumption struct {
	from    netip.Prefix
	account string
}

func newTrust(t login.Trust, accounts []login.Account) (trust, error) {
	parsed := trust{demandAuth: t.DemandAuth}
	for _, text := range t.Interfaces {
		prefix, err := parsePrefix(text)
		if err != nil {
			return trust{}, fmt.Errorf("trusted interface: %w", err)
		}
		parsed.interfaces = append(parsed.interfaces, prefix)
	}
	for _, a := range t.Assumptions {
		prefix, err := parsePrefix(a.Address)
		if err != nil {
			return trust{}, fmt.Errorf("assumption: %w", err)
		}
		account := a.Account
		if account == "" && len(accounts) > 0 {
			account = accounts[0].Name
		}
		if account == "" {
			return trust{}, fmt.Errorf("assumption for %s: there is no account to take anybody for", a.Address)
		}
		parsed.assumptions = append(parsed.assumptions, assumption{prefix, account})
	}
	return parsed, nil
}

// parsePrefix reads "192.0.2.1" or "192.0.2.0/24".
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither an address nor a network such as 192.0.2.0/24", text)
	}
	return prefix.Masked(), nil
}

// trustedInterface reports whether the connection came in on one.
func (t trust) trustedInterface(local net.Addr) bool {
	addr := addrOf(local)
	for _, prefix := range t.interfaces {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// assumed is the account that the peer is taken for, or "". Of several
// networks the narrowest counts.
func (t trust) assumed(remote net.Addr) string {
	addr := addrOf(remote)
	best, account := -1, ""
	for _, a := range t.assumptions {
		if a.from.Contains(addr) && a.from.Bits() > best {
			best, account = a.from.Bits(), a.account
		}
	}
	return account
}

// addrOf is the address without its port; the zero Addr, which no network
// holds, where there is none.
func addrOf(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	addrPort, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return addrPort.Addr().Unmap().WithZone("")
}
