package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// strangers: with the mechanisms that need a client's arithmetic too, an
// unknown name and a wrong password get the same answers in the same number of
// steps (rule 3).
func strangers() []Scenario {
	var all []Scenario
	for _, p := range login.Protocols() {
		for _, m := range []login.Mechanism{login.NTLM, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA1PLUS,
			login.SCRAMSHA256, login.SCRAMSHA256PLUS, login.XOAUTH2, login.OAUTHBEARER} {
			all = append(all, stranger(p, m))
		}
	}
	return all
}

func stranger(p login.Protocol, m login.Mechanism) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/unknown-user-alike/%s/%s", m.Segment(), p),
		Kind:     login.KindPosture,
		Protocol: p, Transport: login.StartTLS, Mechanism: m,
		Setup:    login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow)},
		Expected: []string{"alike"},
		Refs:     []string{"RFC 4954 4", "RFC 3206 4"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			config := clientsim.Config{Profile: probe(), Protocol: p, Transport: login.StartTLS, Mechanism: m, Credential: login.WithWrong}
			known := s.Login(ctx, config)
			s.Secrets.Name = "nobody-of-that-name"
			unknown := s.Login(ctx, config)
			switch {
			case known.Observation.Outcome != login.RefusedCredentials:
				return "a wrong password: " + string(known.Observation.Outcome), nil
			case !slices.Equal(known.Transcript, unknown.Transcript):
				return fmt.Sprintf("told apart: %s, but %s", lastOf(known), lastOf(unknown)), nil
			default:
				return "alike", nil
			}
		},
	}
}

func lastOf(r clientsim.Result) string { return strings.TrimSpace(r.Observation.Reply) }
