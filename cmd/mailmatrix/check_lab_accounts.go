package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// others are the accounts that have a role beside those who log in, with their
// secrets.
func (all accounts) others() ([]login.Account, error) {
	var others []login.Account
	for _, r := range []role{roleDisabled, roleOverride} {
		a, ok := all.of(r)
		if !ok {
			continue
		}
		password, err := a.password()
		if err != nil {
			return nil, err
		}
		others = append(others, login.Account{Name: a.entry.Name, Password: password, Override: a.entry.Override})
	}
	return others, nil
}

// accountJobs are the experiments with those accounts. The one with an override
// password is for POP3's USER/PASS: there its own password is none any more.
func accountJobs(others []login.Account, protocols []login.Protocol) []harness.Job {
	var jobs []harness.Job
	add := func(what string, p login.Protocol, name, password, expected string) {
		if len(protocols) > 0 && !slices.Contains(protocols, p) {
			return
		}
		for _, t := range login.Transports() {
			jobs = append(jobs, harness.Job{Scenario: accountScenario(what, p, t, name, password, expected)})
		}
	}
	for _, a := range others {
		if a.Override == "" {
			for _, p := range login.Protocols() {
				add("disabled-account", p, a.Name, a.Password, "refused")
			}
			continue
		}
		add("override-password", login.POP3, a.Name, a.Override, "accepted")
		add("overridden-password", login.POP3, a.Name, a.Password, "refused")
		add("override-password", login.SMTP, a.Name, a.Override, "refused")
	}
	return jobs
}

func accountScenario(what string, p login.Protocol, t login.Transport, name, password, expected string) *scenarios.Scenario {
	return &scenarios.Scenario{
		ID:       fmt.Sprintf("scenario/door/%s/%s/%s", what, p, t),
		Kind:     login.KindDoor,
		Protocol: p, Transport: t,
		Setup: login.Setup{Flavour: login.Remote, Database: harness.UnknownDatabase,
			Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow)},
		Expected: []string{expected},
		Refs:     []string{"RFC 4954 4", "RFC 1939 7"},
		Run: func(ctx context.Context, s *scenarios.Session) (string, error) {
			c, err := s.Open(ctx, p, t)
			if err != nil {
				return "", err
			}
			defer c.Quit()
			got, err := c.LogIn(name, password)
			if got.Positive {
				return "accepted", err
			}
			return "refused", err
		},
	}
}
