package harness

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

// UnknownDatabase stands in the cells of a target that is not ours.
const UnknownDatabase login.Database = "unknown"

// NewRemotePlan is the plan for somebody else's server that can be put into
// states: the probe, or the profiles that the grid names, over each of its
// protocols, transports, mechanisms and settings; the cases; and the controls.
// Flavours, databases and overrides are the reference server's, and a policy of
// one's own is another question: a grid with one of these is an error.
//
// Cells and cases are in the order of their policies, so that a server that is
// slow to take one has to take few.
func NewRemotePlan(g Grid) (Plan, error) {
	if len(g.Flavours)+len(g.Databases)+len(g.Overrides) > 0 || g.Policy != nil || g.Full {
		return Plan{}, errors.New("flavour, database, override, policy and full are about the reference server: leave them out")
	}
	plan := Plan{Selection: g.Selection(), Catalogue: cmp.Or(g.Catalogue, compliance.Release())}
	cases, err := g.cases(plan.Catalogue)
	if err != nil {
		return Plan{}, err
	}
	only := g.onlyCases()
	if len(g.Profiles) == 0 {
		g.Profiles = []string{"probe"}
	}
	profiles, err := g.profiles()
	if err != nil {
		return Plan{}, err
	}
	if only {
		profiles = nil
	}
	for _, p := range profiles {
		plan.Lacks = append(plan.Lacks, lacks(g, p)...)
		plan.Jobs = append(plan.Jobs, g.remoteCells(p)...)
	}
	if len(plan.Jobs)+len(cases) == 0 {
		return Plan{}, &NothingMatchedError{plan.Selection}
	}
	byPolicy(cases)
	slices.SortStableFunc(plan.Jobs, func(a, b Job) int {
		return cmp.Or(cmp.Compare(a.Cell.Setting, b.Cell.Setting), cmp.Compare(a.Cell.Mechanism, b.Cell.Mechanism))
	})
	for _, s := range scenarios.All(nil) {
		if s.Kind == login.KindControl && s.Setup.Flavour == login.Modern && wants(g.Protocols, s.Protocol) {
			plan.Jobs = append(plan.Jobs, Job{Scenario: remoteControl(s)})
		}
	}
	for _, c := range cases {
		plan.Jobs = append(plan.Jobs, Job{Case: &c})
	}
	return plan, nil
}

// byPolicy sorts cases by the policies that they want, and leaves the order of
// those alone that want the same.
func byPolicy(cases []CaseJob) {
	policies := map[string]string{}
	for _, c := range cases {
		policies[c.Case.ID] = string(WritePolicy(c.State(mech.Names()).Policy))
	}
	slices.SortStableFunc(cases, func(a, b CaseJob) int { return cmp.Compare(policies[a.Case.ID], policies[b.Case.ID]) })
}

// remoteControl is the control of a server that is not ours.
func remoteControl(s scenarios.Scenario) *scenarios.Scenario {
	s.ID = strings.Replace(s.ID, "/"+string(login.Modern)+"/", "/"+string(login.Remote)+"/", 1)
	s.Setup.Flavour, s.Setup.Database = login.Remote, UnknownDatabase
	return &s
}

// remoteCells crosses the axes for one profile.
func (g Grid) remoteCells(p clientsim.Profile) []Job {
	var jobs []Job
	facts := p.Facts()
	credentials := []login.Credential{login.WithAccount}
	if p.Probe() {
		credentials = login.Credentials(login.NoOverride)
	}
	for _, protocol := range narrow(login.Protocols(), g.Protocols) {
		for _, transport := range narrow(p.Transports(protocol), g.Transports) {
			for _, mechanism := range narrow(g.mechanisms(p, protocol), g.Mechanisms) {
				for _, setting := range narrow(login.Settings(), g.Settings) {
					for _, credential := range narrow(narrow(credentialsFor(mechanism, login.NoOverride), credentials), g.Credentials) {
						cell := login.Cell{Flavour: login.Remote, Protocol: protocol, Transport: transport, Mechanism: mechanism,
							Setting: setting, Profile: p.ID(), Database: UnknownDatabase, Override: login.NoOverride, Credential: credential}
						jobs = append(jobs, Job{Cell: cell, Profile: p, Expect: remoteExpectation(cell, facts),
							Policy: cell.Policy(login.Policy{}, mech.In(protocol))})
					}
				}
			}
		}
	}
	return jobs
}

// remoteExpectation is what must happen at a server that withholds nothing, as
// far as it can be seen from outside. No record tells there why somebody was
// refused; with which code is the cases' business; and which responses of NTLM
// it takes at least is its own.
func remoteExpectation(c login.Cell, f login.ClientFacts) login.Expectation {
	setting := c.Setting
	c.Flavour, c.Database = login.Modern, login.Full
	e := login.ByDocument{}.Expect(c, f)
	e.Replies = nil
	switch {
	case login.RefusedPolicy.In(e.Outcomes) || login.RefusedUnavailable.In(e.Outcomes):
		e.Outcomes = []login.Outcome{login.Refused, login.RefusedPolicy, login.RefusedUnavailable, login.RefusedCredentials}
	case login.RefusedCredentials.In(e.Outcomes):
		e.Outcomes = append(e.Outcomes, login.Refused)
		used := cmp.Or(e.Used, c.Mechanism)
		if used == login.NTLM && c.Credential == login.WithAccount && f.NTLM.Below(login.NTLMv2) {
			e.Outcomes, e.Exposures = append(e.Outcomes, login.LoggedIn), nil
		}
	}
	// A greeting that says the timestamp only where it will be taken is as good as
	// one that cannot know.
	if c.Mechanism == login.APOP && setting == login.Secure && !c.Transport.Encrypted() {
		e.Offered, e.Exposures = nil, nil
	}
	return e
}
