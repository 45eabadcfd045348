package scenarios

import (
	"context"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// controls are experiments whose result nobody doubts. They run before and
// after everything else: if one does not hold, the run proves nothing.
func controls() []Scenario {
	var all []Scenario
	for _, flavour := range login.Flavours() {
		for _, p := range login.Protocols() {
			for _, t := range login.Transports() {
				if flavour == login.Classic && t == login.TLS {
					continue // the classic flavour has no such port
				}
				for _, when := range []string{"first", "last"} {
					all = append(all, control("known-login", flavour, p, t, when, "accepted", knownLogin(p, t)),
						control("made-up-mechanism", flavour, p, t, when, "refused", madeUpMechanism(p, t)))
					if t == login.Plain {
						seen := control("canary", flavour, p, t, when, "accepted", knownLogin(p, t))
						seen.Shown = shown(login.ShowsPassword)
						all = append(all, seen)
					}
				}
			}
		}
	}
	return all
}

func control(what string, flavour login.Flavour, p login.Protocol, t login.Transport, when, expected string,
	run func(context.Context, *Session) (string, error),
) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/control/%s/%s/%s/%s/%s", what, flavour, p, t, when),
		Kind:     login.KindControl,
		Protocol: p, Transport: t,
		Setup: login.Setup{Flavour: flavour, Database: login.WinGate,
			Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow)},
		Expected: []string{expected},
		Refs:     []string{"RFC 4954 4", "RFC 5034 4", "RFC 1939 7"},
		Run:      run,
	}
}

// knownLogin must be accepted.
func knownLogin(p login.Protocol, t login.Transport) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, t)
		if err != nil {
			return "", err
		}
		defer c.Quit()
		got, err := c.LogIn(s.Secrets.Name, s.Secrets.Password)
		return accepted(got), err
	}
}

// madeUpMechanism must be refused, and at the command: a server that asks for
// the secret of a mechanism that does not exist would accept anything.
func madeUpMechanism(p login.Protocol, t login.Transport) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, t)
		if err != nil {
			return "", err
		}
		defer c.Quit()
		got, err := c.Say("AUTH X-MADE-UP")
		return accepted(got), err
	}
}

func accepted(got Said) string {
	if got.Positive {
		return "accepted"
	}
	return "refused"
}
