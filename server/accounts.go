package server

import (
	"cmp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// secret is the password that m checks for the account in protocol p; "" is
// none, and nobody logs in with that.
func (s *Server) secret(p login.Protocol, m login.Mechanism, a login.Account) string {
	if s.checksOverride(p, m, a.Override != "") {
		return a.Override
	}
	return a.Password
}

// checksOverride is rule 5, and the document's "POP3 Override password".
func (s *Server) checksOverride(p login.Protocol, m login.Mechanism, set bool) bool {
	switch {
	case s.bug(OverrideIgnored):
		return false
	case p == login.SMTP:
		return false
	case m == login.UserPass: // "this password is the one that MUST be used"
		return set
	case s.setup.Database == login.NT && secondChance[m]:
		// Set or not: the second chance is the only one these have here.
		return true
	default:
		return false
	}
}

// accounts finds accounts by the names that people log in with.
type accounts struct {
	byName      map[string]login.Account // names in lower case
	domains     []string                 // local ones, in lower case
	anyOverride bool
}

func newAccounts(all []login.Account, domains []string) *accounts {
	a := &accounts{byName: make(map[string]login.Account, len(all))}
	for _, account := range all {
		a.byName[strings.ToLower(cmp.Or(prepared(account.Name), account.Name))] = account
		a.anyOverride = a.anyOverride || account.Override != ""
	}
	for _, d := range domains {
		a.domains = append(a.domains, strings.ToLower(d))
	}
	return a
}

// find takes "alice" and "alice@example.test" for the same account, in any
// letter case, and so does every mechanism and every recipient.
func (a *accounts) find(name string) (login.Account, bool) {
	name = strings.ToLower(name)
	if account, ok := a.byName[name]; ok {
		return account, true
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 || !a.local(name[at+1:]) {
		return login.Account{}, false
	}
	account, ok := a.byName[name[:at]]
	return account, ok
}

// canonical is one name for all that an account has; of a name that nobody has
// it is what it would be if somebody had it.
func (a *accounts) canonical(name string) string {
	name = strings.ToLower(name)
	if at := strings.LastIndexByte(name, '@'); at >= 0 && a.local(name[at+1:]) && a.byName[name].Name == "" {
		return name[:at]
	}
	return name
}

// same reports whether both names are of one account.
func (a *accounts) same(one, other string) bool {
	first, known := a.find(one)
	second, alsoKnown := a.find(other)
	return known && alsoKnown && first.Name == second.Name
}

// local reports whether mail to the domain stays here.
func (a *accounts) local(domain string) bool {
	for _, d := range a.domains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}
