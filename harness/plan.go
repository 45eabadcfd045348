package harness

import (
	"cmp"
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

// Job is one experiment: a cell, a scenario, a case, or a clients' case.
type Job struct {
	Cell     login.Cell // the zero value in a scenario's job
	Profile  clientsim.Profile
	Policy   login.Policy
	Expect   login.Expectation
	Scenario *scenarios.Scenario
	Case     *CaseJob
	Client   *ClientJob

	// place is where the job was in the plan of which this one is a shard.
	place int
}

// ID names the job.
func (j Job) ID() string {
	switch {
	case j.Scenario != nil:
		return j.Scenario.ID
	case j.Case != nil:
		return j.Case.ID + "@" + string(j.Case.Protocol)
	case j.Client != nil:
		return j.Client.ID + "@" + j.Client.Profile.ID()
	default:
		return j.Cell.ID()
	}
}

// Plan is everything that would run, in the order of the report. It is made
// without a network.
type Plan struct {
	Jobs  []Job
	Lacks []login.Lack
	// Clients are those that the report describes. Manners: how they behave
	// where a server goes wrong is looked at as well, which it is not where the
	// plan is narrowed by more than them or a policy.
	Clients   []clientsim.Profile
	Manners   bool
	Selection map[string][]string
	// Catalogue is the release whose cases are in the plan.
	Catalogue string
}

// Cells counts the jobs that are cells.
func (p Plan) Cells() int {
	n := 0
	for _, j := range p.Jobs {
		if j.isCell() {
			n++
		}
	}
	return n
}

func (j Job) isCell() bool { return j.Scenario == nil && j.Case == nil && j.Client == nil }

// Cases counts the jobs that are compliance cases, one for each protocol, or for
// each profile.
func (p Plan) Cases() int {
	n := 0
	for _, j := range p.Jobs {
		if j.Case != nil || j.Client != nil {
			n++
		}
	}
	return n
}

// NewPlan crosses the axes of the grid. An unknown profile is an error, and so
// is a grid in which no cell is left (*[NothingMatchedError]).
func NewPlan(g Grid) (Plan, error) {
	profiles, err := g.profiles()
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Selection: g.Selection(), Catalogue: cmp.Or(g.Catalogue, compliance.Release())}
	cases, err := g.cases(plan.Catalogue)
	if err != nil {
		return Plan{}, err
	}
	clients, err := g.clientJobs(plan.Catalogue, profiles)
	if err != nil {
		return Plan{}, err
	}
	if len(g.Cases) > 0 && len(cases)+len(clients) == 0 {
		return Plan{}, &NothingMatchedError{plan.Selection}
	}
	if g.onlyCases() {
		profiles = nil
	}
	oracle := login.ByDocument{}
	if g.Policy != nil {
		oracle.Policy = *g.Policy
	}
	policies := policies{}
	for _, p := range profiles {
		plan.Lacks = append(plan.Lacks, lacks(g, p)...)
		facts := p.Facts()
		for _, cell := range g.cells(p) {
			plan.Jobs = append(plan.Jobs, Job{
				Cell:    cell,
				Profile: p,
				Policy:  policies.of(cell, oracle.Policy),
				Expect:  oracle.Expect(cell, facts),
			})
		}
	}
	if len(plan.Jobs)+len(cases)+len(clients) == 0 {
		return Plan{}, &NothingMatchedError{plan.Selection}
	}
	if len(plan.Jobs) > 0 {
		plan.Clients, plan.Manners = slices.DeleteFunc(slices.Clone(profiles), clientsim.Profile.Probe), !g.narrowed()
	}
	for _, s := range scenarios.All(profiles) {
		if g.wantsScenario(s) && !g.onlyCases() || s.Kind == login.KindControl {
			plan.Jobs = append(plan.Jobs, Job{Scenario: &s})
		}
	}
	for _, c := range cases {
		plan.Jobs = append(plan.Jobs, Job{Case: &c})
	}
	for _, c := range clients {
		plan.Jobs = append(plan.Jobs, Job{Client: &c})
	}
	return plan, nil
}

// cells crosses the axes for one profile, in the order of the ID but for the
// profile, which comes first.
func (g Grid) cells(p clientsim.Profile) []login.Cell {
	var cells []login.Cell
	overrides, credentials := login.Overrides(), login.Credentials(login.OverrideSet)
	if !g.Full && !crossedInFull(p) {
		overrides, credentials = []login.Override{login.NoOverride}, []login.Credential{login.WithAccount}
	}
	for _, flavour := range narrow(login.Flavours(), g.Flavours) {
		for _, protocol := range narrow(login.Protocols(), g.Protocols) {
			for _, transport := range narrow(p.Transports(protocol), g.Transports) {
				for _, mechanism := range narrow(g.mechanisms(p, protocol), g.Mechanisms) {
					for _, setting := range narrow(g.settings(), g.Settings) {
						for _, database := range narrow(g.databases(p, mechanism), g.Databases) {
							for _, override := range narrow(overrides, g.Overrides) {
								for _, credential := range narrow(narrow(credentialsFor(mechanism, override), credentials), g.Credentials) {
									cells = append(cells, login.Cell{Flavour: flavour, Protocol: protocol, Transport: transport,
										Mechanism: mechanism, Setting: setting, Profile: p.ID(), Database: database,
										Override: override, Credential: credential})
								}
							}
						}
					}
				}
			}
		}
	}
	return cells
}

// policies are those of cells, one for all that want the same.
type policies map[policyKey]login.Policy

type policyKey struct {
	protocol  login.Protocol
	mechanism login.Mechanism
	setting   login.Setting
}

func (all policies) of(c login.Cell, declared login.Policy) login.Policy {
	key := policyKey{c.Protocol, c.Mechanism, c.Setting}
	p, known := all[key]
	if !known {
		p = c.Policy(declared, mech.In(c.Protocol))
		all[key] = p
	}
	return p
}

// mechanisms are those that make cells: the profile's own, and its automatic
// choice; under a declared policy the choice alone, but each for the probe.
func (g Grid) mechanisms(p clientsim.Profile, protocol login.Protocol) []login.Mechanism {
	auto := []login.Mechanism{login.Auto}
	switch {
	case p.Probe():
		return p.Mechanisms(protocol)
	case g.Policy != nil:
		return auto
	default:
		return slices.Concat(p.Mechanisms(protocol), auto)
	}
}

// databases are those that a mechanism is tried with: all of them for the
// probe, the document's two for its clients, and one that can do everything
// for what neither of these has, and for everybody else.
func (g Grid) databases(p clientsim.Profile, m login.Mechanism) []login.Database {
	switch {
	case g.Full || p.Probe():
		return login.Databases()
	case !crossedInFull(p):
		return []login.Database{login.Full}
	case slices.Contains(notInDocument, m):
		return []login.Database{login.WinGate, login.NT, login.Full}
	default:
		return []login.Database{login.WinGate, login.NT}
	}
}

// notInDocument are the mechanisms of the document's clients that neither of
// its databases has.
var notInDocument = []login.Mechanism{login.GSSAPI}

// credentialsFor are what can be presented in a mechanism.
func credentialsFor(m login.Mechanism, o login.Override) []login.Credential {
	impl, _ := mech.Get(m) // none for a client's own choice, which is among passwords
	return impl.Credentials(o)
}

func (g Grid) settings() []login.Setting {
	if g.Policy != nil {
		return []login.Setting{login.Declared}
	}
	return login.Settings()
}

// crossedInFull: the default run crosses every axis for the probe and for the
// document's clients, each other profile in its plain case only.
func crossedInFull(p clientsim.Profile) bool {
	return p.Probe() || p.Variant == "" && slices.Contains(documentClients, p.Name)
}

var documentClients = []string{"outlook", "outlook-express", "eudora", "eudora-7-win", "outlook-express-6"}

// wantsScenario: a flag that narrows cells also narrows the scenarios that
// have the field.
func (g Grid) wantsScenario(s scenarios.Scenario) bool {
	return wants(g.Flavours, s.Setup.Flavour) &&
		wants(g.Protocols, s.Protocol) && wants(g.Protocols, s.Also) &&
		wants(g.Transports, s.Transport) &&
		wants(g.Mechanisms, s.Mechanism) &&
		wants(g.Databases, s.Setup.Database) &&
		wants(g.Profiles, s.Profile)
}

// lacks says once what makes no cell.
func lacks(g Grid, p clientsim.Profile) []login.Lack {
	var kept []login.Lack
	for _, l := range p.Lacks() {
		if wants(g.Protocols, l.Protocol) && wants(g.Mechanisms, l.Mechanism) && wants(g.Transports, l.Transport) {
			kept = append(kept, l)
		}
	}
	return kept
}
