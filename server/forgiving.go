package server

import (
	"errors"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// forgiving are the mutants that overlook one reason to refuse somebody: the
// half says it, and they let him in.
var forgiving = map[Bug]struct {
	mechanisms []login.Mechanism
	reason     string // in the half's words
}{
	BindingIgnored:       {[]login.Mechanism{login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS}, "channel-bindings-dont-match"},
	TokenForgedTaken:     {bearers, "signature"},
	TokenExpiredTaken:    {bearers, "expired"},
	TokenElsewhereTaken:  {bearers, "audience"},
	TokenNarrowTaken:     {bearers, "scope"},
	TicketExpiredTaken:   {[]login.Mechanism{login.GSSAPI}, "expired"},
	TicketElsewhereTaken: {[]login.Mechanism{login.GSSAPI}, "another service"},
}

var bearers = []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER}

// forgives is what the mutants do that let people in.
func (s *session) forgives(a *attempt, err error) bool {
	if !errors.Is(err, mech.ErrCredentials) {
		return false
	}
	switch {
	case s.server.bug(WrongAccepted):
		return a.account != ""
	case s.server.bug(UnknownAccepted) && a.unknown():
		a.account = "nobody"
		return true
	}
	f, ok := forgiving[s.server.mutant]
	if !ok || !strings.Contains(err.Error(), f.reason) {
		return false
	}
	if !slices.Contains(f.mechanisms, a.mechanism) {
		return false
	}
	name := a.half.Username()
	if name == "" { // refused before it said who it is
		name = s.server.setup.Accounts[0].Name
	}
	return a.known(name)
}
