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
	reasons    []string // in the half's words
}{
	BindingIgnored: {[]login.Mechanism{login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS}, []string{"channel-bindings-dont-match"}},
	ForgedTaken:    {bearers, []string{"signature"}},
	StaleTaken:     {givenOut, []string{"expired", "audience", "another service", "scope"}},
}

var (
	bearers = []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER}
	// givenOut are those for which somebody gives out what is presented.
	givenOut = append(bearers, login.GSSAPI)
)

// forgives is what the mutants do that let people in.
func (s *session) forgives(a *attempt, err error) bool {
	if s.server.bug(MalformedForgiven) && errors.Is(err, mech.ErrMalformed) {
		return a.known(s.server.setup.Accounts[0].Name)
	}
	if !errors.Is(err, mech.ErrCredentials) {
		return false
	}
	switch {
	case s.server.bug(WrongAccepted) && a.unknown():
		a.account = "nobody"
		return true
	case s.server.bug(WrongAccepted):
		return a.account != ""
	}
	f, ok := forgiving[s.server.mutant]
	if !ok || !slices.ContainsFunc(f.reasons, func(r string) bool { return strings.Contains(err.Error(), r) }) {
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
