package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// scenario runs one scenario.
func (r *runner) scenario(ctx context.Context, s scenarios.Scenario) result {
	got := newScenarioResult(s)
	setup := s.Setup
	setup.Accounts = append([]login.Account{r.secrets.Account(login.NoOverride)}, setup.Accounts...)
	session := &scenarios.Session{Host: r.host(), Secrets: r.secrets, Rand: r.Rand, Now: r.Now, Limit: r.Limit}

	opened, err := r.Target.Under(ctx, setup)
	if err != nil && !(s.MayNotStart && errors.As(err, &session.Refused)) {
		got.Rule(cannot(err))
		return result{done: true, scenario: &got}
	}
	door := &watched{Door: opened}
	if opened != nil {
		session.Door = door
	}
	if issuer, ok := r.Target.(Issuer); ok {
		session.Issue = issuer.Issue
	}
	if relay, ok := opened.(interface{ Relayed() []login.Relay }); ok {
		session.Relayed = relay.Relayed
	}
	outcome, err := s.Run(ctx, session)
	if opened != nil {
		err = errors.Join(err, opened.Close())
	}
	got.Outcome = r.veil(outcome)
	var transcript []string
	var exposures []login.Exposure
	for _, seen := range session.Seen() {
		transcript = append(transcript, seen.Transcript()...)
		exposures = append(exposures, r.ear.Listen(seen.Tap.Lines(), seen.Protocol, seen.Transport)...)
	}
	got.Exposure = login.Strongest(exposures)
	got.Rule(door.judge(judge(s, got, err)))
	got.Reason = r.veil(got.Reason)
	out := result{done: true, scenario: &got}
	if r.kept(got.Verdict) {
		out.transcript = r.hidden.VeilAll(transcript)
	}
	return out
}

func newScenarioResult(s scenarios.Scenario) login.ScenarioResult {
	return login.ScenarioResult{ID: s.ID, Kind: s.Kind, Profile: s.Profile, Protocol: s.Protocol,
		Transport: s.Transport, Expected: s.Expected, Refs: s.Refs}
}

// letIn reports whether the outcome is that somebody was let through.
func letIn(outcome string) bool {
	return strings.HasPrefix(outcome, "accepted") || outcome == string(login.LoggedIn) || outcome == scenarios.CertificateTaken
}

// judge compares a scenario with what it expects.
func judge(s scenarios.Scenario, got login.ScenarioResult, err error) login.Ruling {
	switch {
	case err != nil:
		return cannot(err)
	case !slices.Contains(s.Expected, got.Outcome):
		return login.Ruling{Verdict: login.Fail,
			Reason:          fmt.Sprintf("expected %s, saw %s", strings.Join(s.Expected, " or "), got.Outcome),
			WronglyAccepted: letIn(got.Outcome),
			WronglyRefused:  !letIn(got.Outcome) && slices.ContainsFunc(s.Expected, letIn)}
	case s.Shown != nil && got.Exposure > *s.Shown:
		return login.Ruling{Verdict: login.Fail,
			Reason: fmt.Sprintf("a listener can read more than expected: %s, not %s", got.Exposure, *s.Shown)}
	case s.Shown != nil && got.Exposure < *s.Shown:
		return login.Ruling{Verdict: login.Broken,
			Reason: fmt.Sprintf("the tap saw %s where %s must be readable", got.Exposure, *s.Shown)}
	default:
		return login.Ruling{Verdict: login.Pass}
	}
}
