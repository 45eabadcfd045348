package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// flaws present what looks like the right thing and is not: a token, a
// certificate or a ticket that is forged, expired or for another purpose, or
// that belongs to another account.
func flaws() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL, login.GSSAPI} {
		for _, p := range login.Protocols() {
			for _, flaw := range login.Flaws() {
				if flaw != login.Narrow || isBearer(m) {
					all = append(all, flawed(m, p, string(flaw), func(s *Session) (login.Issued, error) {
						return s.issue(s.Secrets.Name, flaw)
					}))
				}
			}
			if m != login.EXTERNAL { // which says by itself whose it is
				all = append(all, flawed(m, p, "of-another", func(s *Session) (login.Issued, error) {
					return s.issue(another, login.Flawless)
				}))
			}
		}
	}
	return all
}

var flawRefs = map[login.Mechanism][]string{
	login.XOAUTH2:     {"RFC 6750 3.1"},
	login.OAUTHBEARER: {"RFC 6750 3.1", "RFC 7628 3.2"},
	login.EXTERNAL:    {"RFC 4422 A", "RFC 5280 6.1"},
	login.GSSAPI:      {"RFC 4120 3.2.3", "RFC 4752 3.2"},
}

// another is the name of a second account.
const another = "somebody-else"

func isBearer(m login.Mechanism) bool { return m == login.XOAUTH2 || m == login.OAUTHBEARER }

func flawed(m login.Mechanism, p login.Protocol, flaw string, issue func(*Session) (login.Issued, error)) Scenario {
	transport, expected := login.Plain, login.RefusedCredentials
	if m == login.EXTERNAL {
		// A certificate that is no good counts as none, and with none there is
		// nothing to check.
		transport, expected = login.StartTLS, login.RefusedUnavailable
	}
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/flawed/%s/%s/%s", m.Segment(), flaw, p),
		Kind:     login.KindPosture,
		Protocol: p, Transport: transport, Mechanism: m,
		Setup: login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow),
			Accounts: []login.Account{{Name: another, Password: "of somebody else"}}},
		Expected: []string{string(expected)},
		Refs:     flawRefs[m],
		Run: func(ctx context.Context, s *Session) (string, error) {
			var err error
			if s.Secrets.Issued, err = issue(s); err != nil {
				return "", err
			}
			return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: p, Transport: transport,
				Mechanism: m, Credential: login.WithAccount}))
		},
	}
}

func (s *Session) issue(account string, flaw login.Flaw) (login.Issued, error) {
	if s.Issue == nil {
		return login.Issued{}, &login.CannotError{What: "give out tokens, certificates and tickets"}
	}
	return s.Issue(account, flaw)
}

// principals: Kerberos tells letter case apart (RFC 4120 6.2), so a ticket of
// ALICE is not one of alice, whatever mail servers think of names.
func principals() []Scenario {
	var all []Scenario
	for _, p := range login.Protocols() {
		all = append(all, flawed(login.GSSAPI, p, "in-upper-case", func(s *Session) (login.Issued, error) {
			return s.issue(strings.ToUpper(s.Secrets.Name), login.Flawless)
		}))
	}
	return all
}
