package harness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func remotePlan(t *testing.T, g harness.Grid) harness.Plan {
	t.Helper()
	p, err := harness.NewRemotePlan(g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The plan for somebody else's server: its cells by their policies, each policy
// in one piece, and its own controls.
func TestRemotePlan(t *testing.T) {
	p := remotePlan(t, harness.Grid{Profiles: []string{"probe", "outlook"}})
	ids := map[string]bool{}
	var policies []string
	for _, j := range p.Jobs {
		if ids[j.ID()] {
			t.Errorf("%s is there twice", j.ID())
		}
		ids[j.ID()] = true
		if j.Scenario == nil && j.Case == nil && j.Cell.Setting != login.Deny {
			policies = append(policies, string(harness.WritePolicy(j.Policy)))
		}
	}
	for _, id := range []string{
		"remote/smtp/starttls/PLAIN/secure/probe/unknown/none/wrong", "remote/pop3/plain/auto/allow/outlook/unknown/none/account",
		"scenario/control/known-login/remote/pop3/tls/last",
	} {
		if !ids[id] {
			t.Errorf("%s is not there", id)
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(policies)))
	if pieces := slices.Compact(policies); len(pieces) > len(distinct)+2 { // auto means less in SMTP than in POP3
		t.Errorf("%d policies in %d pieces", len(distinct), len(pieces))
	}
	if p := remotePlan(t, harness.Grid{Protocols: []login.Protocol{login.SMTP}}); slices.ContainsFunc(p.Jobs, func(j harness.Job) bool {
		return strings.Contains(j.ID(), "pop3")
	}) {
		t.Error("narrowed to SMTP, and POP3 is in it")
	}
	if p := remotePlan(t, harness.Grid{Cases: []string{"smtp/auth"}}); p.Cells() > 0 || p.Cases() == 0 {
		t.Errorf("cases alone: %d cells, %d cases", p.Cells(), p.Cases())
	}
	for _, g := range []harness.Grid{
		{Flavours: login.Flavours()}, {Databases: []login.Database{login.NT}}, {Overrides: login.Overrides()}, {Policy: &login.Policy{}}, {Full: true},
		{Profiles: []string{"nobody"}}, {Cases: []string{"nothing/of/this"}}, {Profiles: []string{"outlook"}, Mechanisms: []login.Mechanism{login.APOP}},
	} {
		if _, err := harness.NewRemotePlan(g); err == nil {
			t.Errorf("%+v is a plan", g)
		}
	}
}

// What is expected of a server that keeps no record for us.
func TestRemoteExpectation(t *testing.T) {
	expected := map[string]harness.Expectation{}
	for _, j := range remotePlan(t, harness.Grid{Profiles: []string{"probe", "outlook"}}).Jobs {
		expected[j.ID()] = j.Expect
	}
	refused := []login.Outcome{login.Refused, login.RefusedPolicy, login.RefusedUnavailable, login.RefusedCredentials}
	for _, row := range []struct {
		why, cell string
		want      []login.Outcome
		offered   bool // must be left open
	}{
		{"permitted", "smtp/plain/PLAIN/allow/probe/unknown/none/account", []login.Outcome{login.LoggedIn}, false},
		{"a code does not tell why", "smtp/plain/PLAIN/secure/probe/unknown/none/account", refused, false},
		{"nor here", "smtp/plain/PLAIN/allow/probe/unknown/none/wrong", []login.Outcome{login.RefusedCredentials, login.Refused}, false},
		{"looks, and does not find", "pop3/plain/NTLM/deny/outlook/unknown/none/account", []login.Outcome{login.NotOffered}, false},
		{"which responses it takes is its own", "smtp/plain/NTLM/allow/outlook/unknown/none/account",
			[]login.Outcome{login.RefusedCredentials, login.Refused, login.LoggedIn}, false},
		{"where nothing is permitted that is another matter", "smtp/plain/NTLM/secure/outlook/unknown/none/account", []login.Outcome{login.NotOffered}, false},
		{"the timestamp of a clear greeting may be kept back", "pop3/plain/APOP/secure/probe/unknown/none/account", refused, true},
	} {
		e, ok := expected["remote/"+row.cell]
		if !ok || !slices.Equal(e.Outcomes, row.want) || e.Replies != nil || row.offered != (e.Offered == nil) {
			t.Errorf("%s, %s: %+v", row.why, row.cell, e)
		}
	}
}

// A policy is written with everything named, and reads as itself.
func TestWritePolicy(t *testing.T) {
	p := login.Policy{Common: map[login.Mechanism]login.Setting{login.PLAIN: login.Allow, login.UserPass: login.Secure},
		Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.PLAIN: login.Deny}}}
	text := harness.WritePolicy(p)
	read, err := harness.LoadPolicy("policy.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range login.Protocols() {
		for _, m := range harness.Mechanisms() {
			if read.For(protocol, m) != p.For(protocol, m) && !(m == login.UserPass || m == login.APOP) {
				t.Errorf("%s over %s is %s", m, protocol, read.For(protocol, m))
			}
		}
	}
	if got := string(harness.WritePolicy(read)); got != string(text) || !strings.Contains(got, "  APOP: deny\n") || !strings.Contains(got, "  USER/PASS: secure\n") {
		t.Errorf("the text is\n%s", got)
	}
}
