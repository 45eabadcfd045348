package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// acting: who proves to be one account may not act as another (RFC 4422 2),
// in every mechanism that lets a client ask for it; but as itself, by another of
// its names.
func acting() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.PLAIN, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256PLUS,
		login.OAUTHBEARER, login.EXTERNAL, login.GSSAPI} {
		all = append(all,
			act(m, "another", login.RefusedCredentials, func(string) string { return another }),
			act(m, "itself", login.LoggedIn, func(name string) string { return strings.ToUpper(name) + "@" + login.DefaultDomain }))
	}
	return all
}

func act(m login.Mechanism, as string, expected login.Outcome, authzid func(name string) string) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/acting-as/%s/%s", as, m.Segment()),
		Kind:     login.KindPosture,
		Protocol: login.POP3, Transport: login.StartTLS, Mechanism: m,
		Setup: login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow),
			Accounts: []login.Account{{Name: another, Password: "of somebody else"}}},
		Expected: []string{string(expected)},
		Refs:     []string{"RFC 4422 2"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: login.POP3, Transport: login.StartTLS,
				Mechanism: m, Credential: login.WithAccount, Authzid: authzid(s.Secrets.Name)}))
		},
	}
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

// brokenOff: a client that is told that its token is no good, and then breaks
// off in place of the answer that the mechanism wants, has failed to log in all
// the same: it is slowed and ended as any other (rule 11).
func brokenOff() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER} {
		all = append(all, Scenario{
			ID:       fmt.Sprintf("scenario/posture/bad-token-and-cancelled/%s", m.Segment()),
			Kind:     login.KindPosture,
			Protocol: login.SMTP, Transport: login.Plain, Mechanism: m,
			Setup: login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow),
				Posture: login.Posture{SlowDown: true}},
			Expected: []string{"ended after 3"},
			Refs:     []string{"RFC 7628 3.2.3"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				c, err := s.open(ctx, login.SMTP, login.Plain)
				if err != nil {
					return "", err
				}
				defer c.quit()
				message := "user=" + s.Secrets.Name + "\x01auth=Bearer no-good\x01\x01"
				if m == login.OAUTHBEARER {
					message = "n,a=" + s.Secrets.Name + ",\x01auth=Bearer no-good\x01\x01"
				}
				for n := 1; n <= 6; n++ {
					got, err := c.saySecret("AUTH "+string(m)+" "+base64.StdEncoding.EncodeToString([]byte(message)), "AUTH "+string(m)+" <secret>")
					if err != nil || !got.positive {
						return "refused at once: " + got.line, err
					}
					if got, err = c.say("*"); err != nil {
						return "", err
					}
					if strings.HasPrefix(got.line, "421") {
						return fmt.Sprintf("ended after %d", n), nil
					}
				}
				return "never ended", nil
			},
		})
	}
	return all
}
