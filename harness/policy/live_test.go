package policy_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/server"
)

// clients are all but the probe.
func clients() []clientsim.Profile {
	return slices.DeleteFunc(clientsim.All(), clientsim.Profile.Probe)
}

// policies draws any policy, with maps of the single protocols or without.
func policies(t *rapid.T) login.Policy {
	draw := func(label string, in func(mech.Impl) bool) map[login.Mechanism]login.Setting {
		settings := map[login.Mechanism]login.Setting{}
		for _, m := range mech.All() {
			if in(m) && rapid.Bool().Draw(t, label+string(m.Name)) {
				settings[m.Name] = rapid.SampledFrom(login.Settings()).Draw(t, label+"setting")
			}
		}
		return settings
	}
	p := login.Policy{Common: draw("common ", func(mech.Impl) bool { return true }), Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}
	for _, protocol := range login.Protocols() {
		if rapid.IntRange(0, 3).Draw(t, "own") == 0 {
			p.Own[protocol] = draw(string(protocol)+" ", func(m mech.Impl) bool { return m.In(protocol) })
		}
	}
	return p
}

func reference(t testing.TB) *server.Reference {
	t.Helper()
	r, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// planned are the cells that `run --policy` makes of the policy for these
// clients.
func planned(t rapid.TB, p login.Policy, names []string) harness.Plan {
	plan, err := harness.NewPlan(harness.Grid{Policy: &p, Full: true, Profiles: names, Flavours: []login.Flavour{login.Modern},
		Databases: []login.Database{login.Full}, Overrides: []login.Override{login.NoOverride}, Credentials: []login.Credential{login.WithAccount}})
	if err != nil {
		t.Fatal(err)
	}
	plan.Jobs = slices.DeleteFunc(plan.Jobs, func(j harness.Job) bool { return j.Scenario != nil || j.Case != nil || j.Client != nil })
	plan.Clients = nil
	return plan
}

// differences compares an explanation with what happened, cell by cell.
func differences(e policy.Explanation, cells []login.CellResult) []string {
	var all []string
	told := 0
	for _, c := range e.Clients {
		for _, a := range c.Access {
			for _, w := range a.Ways {
				told++
				i := slices.IndexFunc(cells, func(r login.CellResult) bool {
					return r.ClientName() == c.Profile && r.Protocol == a.Protocol && r.Transport == w.Transport
				})
				if i < 0 {
					all = append(all, fmt.Sprintf("%s %s %s was not run", c.Profile, a.Protocol, w.Transport))
					continue
				}
				r := cells[i]
				if r.Outcome != w.Outcome || w.Used != "" && r.Used != w.Used || !sameExposures(r.Exposures, w.Exposures) {
					all = append(all, fmt.Sprintf("%s: told %s %s %v, happened %s %s %v", r.ID, w.Outcome, w.Used, w.Exposures, r.Outcome, r.Used, r.Exposures))
				}
			}
		}
	}
	if told != len(cells) {
		all = append(all, fmt.Sprintf("%d cells told, %d run", told, len(cells)))
	}
	return all
}

func sameExposures(a, b []login.Exposure) bool {
	within := func(a, b []login.Exposure) bool {
		return !slices.ContainsFunc(a, func(x login.Exposure) bool { return !slices.Contains(b, x) })
	}
	return within(a, b) && within(b, a)
}

// What is told of a policy is what happens: random policies on the reference
// server, a few clients of all for each.
func TestExplainedIsWhatHappens(t *testing.T) {
	set(t, "rapid.checks", "200")
	if testing.Short() {
		set(t, "rapid.checks", "20")
	}
	r := reference(t)
	all := clients()
	tried, cells := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p := policies(t)
		some := rapid.Permutation(all).Draw(t, "clients")[:6]
		var names []string
		for _, c := range some {
			names = append(names, c.Name)
		}
		report := harness.Run(context.Background(), planned(t, p, names), harness.Config{Target: r, Transcripts: harness.KeepNone})
		for _, d := range differences(policy.Explain(p, nil, some, nil), report.Cells) {
			t.Error(d)
		}
		tried++
		cells += len(report.Cells)
	})
	t.Logf("%d policies, %d cells", tried, cells)
}

// set gives a flag of rapid another value for the time of a test.
func set(t *testing.T, name, value string) {
	t.Helper()
	f := flag.Lookup(name)
	old := f.Value.String()
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(old) })
}

// A wrong explanation is seen: one of another policy, of another outcome, of
// one exposure less.
func TestWrongExplanationIsSeen(t *testing.T) {
	r := reference(t)
	modern, err := policy.Load("modern", nil)
	if err != nil {
		t.Fatal(err)
	}
	some, names := []clientsim.Profile{}, []string{"eudora", "thunderbird", "outlook-2016"}
	for _, c := range clients() {
		if slices.Contains(names, c.Name) {
			some = append(some, c)
		}
	}
	report := harness.Run(context.Background(), planned(t, modern, names), harness.Config{Target: r})
	right := func() policy.Explanation { return policy.Explain(modern, nil, some, nil) }
	if d := differences(right(), report.Cells); len(d) > 0 {
		t.Fatalf("the right one: %v", d)
	}
	legacy, _ := policy.Load("legacy", nil)
	outcome, exposure := right(), right()
	outcome.Clients[0].Access[0].Ways[1].Outcome = login.NotOffered
	pop3 := &exposure.Clients[0].Access[1].Ways[0]
	if len(pop3.Exposures) == 0 {
		t.Fatalf("eudora shows nothing over POP3 in clear: %+v", pop3)
	}
	pop3.Exposures = nil
	for name, wrong := range map[string]policy.Explanation{
		"another policy": policy.Explain(legacy, nil, some, nil), "another outcome": outcome, "one exposure less": exposure,
		"a client less": {Clients: right().Clients[1:]},
	} {
		if len(differences(wrong, report.Cells)) == 0 {
			t.Errorf("%s is not seen", name)
		}
	}
}

// The cells are those of `run --policy`, with its expectations.
func TestExplainedIsWhatIsPlanned(t *testing.T) {
	for _, b := range policy.Builtins() {
		var names []string
		for _, c := range clients() {
			names = append(names, c.Name)
		}
		plan := planned(t, b.Policy, names)
		var foretold []login.CellResult
		for _, j := range plan.Jobs {
			foretold = append(foretold, login.CellResult{ID: j.Cell.ID(), Profile: j.Cell.Profile,
				Protocol: j.Cell.Protocol, Transport: j.Cell.Transport, Outcome: j.Expect.Outcomes[0], Used: j.Expect.Used, Exposures: j.Expect.Exposures})
		}
		for _, d := range differences(policy.Explain(b.Policy, nil, clients(), nil), foretold) {
			t.Error(b.ID(), d)
		}
	}
}
