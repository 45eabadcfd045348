package scenarios

import (
	"context"
	"fmt"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ntlmKinds try every kind of response that Windows ever sent: the flavours
// differ in the weakest that they accept (the contract's rule 10).
func ntlmKinds() []Scenario {
	minimum := map[login.Flavour]login.NTLMKind{login.Classic: login.NTLMv1, login.Modern: login.NTLMv2}
	var all []Scenario
	for _, flavour := range login.Flavours() {
		for _, p := range login.Protocols() {
			for _, kind := range login.NTLMKinds() {
				expected := login.LoggedIn
				if kind.Below(minimum[flavour]) {
					expected = login.RefusedCredentials
				}
				all = append(all, Scenario{
					ID:       fmt.Sprintf("scenario/posture/ntlm-%s/%s/%s", kind, flavour, p),
					Kind:     login.KindPosture,
					Protocol: p, Transport: login.Plain, Mechanism: login.NTLM,
					Setup:    login.Setup{Flavour: flavour, Database: login.NT, Policy: login.Only(login.NTLM, login.Allow)},
					Expected: []string{string(expected)},
					Shown:    shown(login.ShowsVerifier),
					Refs:     []string{"MS-NLMP 3.3"},
					Run: func(ctx context.Context, s *Session) (string, error) {
						return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: p, Transport: login.Plain,
							Mechanism: login.NTLM, NTLM: kind, Credential: login.WithAccount}))
					},
				})
			}
		}
	}
	return all
}

// secondChances: with the NT database, APOP and CRAM-MD5 are there because
// somebody has an override password; for an account without one the exchange
// runs and ends in wrong credentials (rule 5).
func secondChances() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.APOP, login.CRAMMD5} {
		all = append(all, Scenario{
			ID:       fmt.Sprintf("scenario/posture/second-chance-of-another/%s", m.Segment()),
			Kind:     login.KindPosture,
			Protocol: login.POP3, Transport: login.Plain, Mechanism: m,
			Setup: login.Setup{Flavour: login.Classic, Database: login.NT, Policy: login.Only(m, login.Allow),
				Accounts: []login.Account{{Name: "somebody-else", Password: "of somebody else", Override: "and his override"}}},
			Expected: []string{string(login.RefusedCredentials)},
			Refs:     []string{"WinGate Mail Security: POP3 Override password"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: login.POP3, Transport: login.Plain,
					Mechanism: m, Credential: login.WithAccount}))
			},
		})
	}
	return all
}
