package scenarios

import (
	"context"
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
