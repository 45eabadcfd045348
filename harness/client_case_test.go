package harness_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
)

// sinner is the client that sins on demand, as it stands.
func sinner(t *testing.T) clientsim.Profile {
	t.Helper()
	p, err := clientsim.Load("scenarios/clientcases/sinners.yaml", clientcases.Sinners)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ofClient runs all clients' cases for a profile.
func ofClient(t *testing.T, target harness.Target, p clientsim.Profile) []login.CaseResult {
	t.Helper()
	var plan harness.Plan
	for _, c := range clientcases.All() {
		if !c.Unknown {
			plan.Jobs = append(plan.Jobs, harness.Job{Client: &harness.ClientJob{Case: c, Profile: p}})
		}
	}
	report := harness.Run(context.Background(), plan, harness.Config{Target: target, TargetKind: "reference"})
	for _, r := range report.Cases {
		if r.Verdict == login.Broken {
			t.Fatalf("%s: %s is broken: %s", p, r.ID, r.Reason)
		}
	}
	return report.Cases
}

// sins are the cases that each settings state of the sinner fails, and why it
// is none that it does not name. A client that does right passes all.
var sins = map[string]string{
	"never-insists":         "client/pop3/001 client/smtp/002",
	"clear-when-refused":    "client/smtp/003",
	"clear-when-failed":     "client/pop3/002 client/pop3/003 client/pop3/007",
	"settles-for-helo":      "client/smtp/002 client/smtp/004",
	"reads-injected":        "client/pop3/002 client/smtp/005",
	"remembers":             "client/pop3/008 client/smtp/006",
	"takes-any-certificate": "client/pop3/007 client/smtp/007",
	"old-tls":               "client/pop3/007 client/smtp/008",
	"falls-back":            "client/pop3/006 client/smtp/009",
	"answers-anything":      "client/pop3/011 client/smtp/010",
	"any-timestamp":         "client/pop3/005",
	"shows-first":           "client/smtp/011",
	"token-in-clear":        "client/smtp/013",
	"token-then-password":   "client/smtp/013",
	"ntlm":                  "client/smtp/014",
	"hands-in-anyway":       "client/smtp/015",
	"loops":                 "client/pop3/009 client/smtp/019",
}

// TestSinners: the client that does right fails nothing and is warned of
// nothing; each of its sins fails the cases that are about it, and no other.
func TestSinners(t *testing.T) {
	target := reference(t)
	right := sinner(t)
	passes := 0
	for _, r := range ofClient(t, target, right) {
		switch r.Verdict {
		case login.Pass:
			passes++
		case login.Skip:
			if r.Why != login.WhyNotApplicable {
				t.Errorf("%s: %s: %s", r.ID, r.Why, r.Reason)
			}
		default:
			t.Errorf("%s: %s: %s", r.ID, r.Verdict, r.Reason)
		}
	}
	if passes < 20 {
		t.Errorf("the client that does right passes %d cases only", passes)
	}
	if len(right.Variants()) != len(sins) {
		t.Errorf("%d sins, %d of them in the table", len(right.Variants()), len(sins))
	}
	for _, p := range right.Variants() {
		t.Run(p.Variant, func(t *testing.T) {
			var failed []string
			for _, r := range ofClient(t, target, p) {
				if r.Verdict == login.Fail {
					failed = append(failed, r.ID)
					t.Logf("%s: %s", r.ID, r.Reason)
				}
			}
			if got := strings.Join(failed, " "); got != sins[p.Variant] {
				t.Errorf("%s fails %s, want %s", p.Variant, got, sins[p.Variant])
			}
		})
	}
}

// Every clients' case fails against its own sabotage, and for a reason of its
// own.
func TestEveryClientCaseCanFail(t *testing.T) {
	for _, c := range clientcases.All() {
		if s := c.Sabotage; (s.Sinner == "") == (len(s.Heard) == 0) {
			t.Errorf("%s: one sabotage is wanted", c.ID)
		} else if s.Sinner != "" {
			if !slices.Contains(strings.Fields(sins[s.Sinner]), c.ID) {
				t.Errorf("%s does not fail the sinner %s", c.ID, s.Sinner)
			}
		} else {
			ruling, decided, err := c.Rule(func(clientcases.Situation) (clientcases.Conduct, bool, error) {
				return s.Conduct(c.Protocol()), true, nil
			})
			if err != nil || ruling.Verdict != login.Fail || ruling.Reason == "" || len(decided) == 0 {
				t.Errorf("%s: %s (%s), %v", c.ID, ruling.Verdict, ruling.Reason, err)
			}
		}
	}
}

// TestKnownSins: what a built-in profile does in a case is right, or it cannot be
// in any of its situations, or it is a known sin with a source; and no known sin
// is one that is not.
func TestKnownSins(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: two hundred clients; the sinners run")
	}
	report := harness.Run(context.Background(), plan(t, harness.Grid{Cases: []string{"client"}, Full: true}),
		harness.Config{Target: reference(t), TargetKind: "reference"})
	if !report.Complete || report.FailedControl() != "" {
		t.Fatalf("complete %v, control %s", report.Complete, report.FailedControl())
	}
	results := map[string]bool{}
	for _, r := range report.Cases {
		results[r.ID+"@"+r.Profile] = true
		switch {
		case r.Verdict == login.Pass, r.Excused != "":
		case r.Verdict == login.Skip && (r.Why == login.WhyNotApplicable || r.Why == login.WhyInconclusive):
		default:
			t.Errorf("%s@%s: %s: %s", r.ID, r.Profile, r.Verdict, r.Reason)
		}
	}
	known, err := harness.LoadExcuses(clientcases.KnownFile, clientcases.Known)
	if err != nil {
		t.Fatal(err)
	}
	report.Expectations, report.Selection = nil, nil // every entry is judged
	for _, p := range harness.ApplyExcuses(&report, known, report.Started) {
		t.Errorf("%s: %s", p.Pattern, p.Reason)
	}
	if len(results) < 3000 || len(known) < 100 {
		t.Errorf("%d results, %d known sins", len(results), len(known))
	}
}

// Clients' cases run where nothing is narrowed, and where a selection names
// them; a profile says whose. A server's cases are chosen without them.
func TestClientCasesInAPlan(t *testing.T) {
	for _, row := range []struct {
		name                  string
		grid                  harness.Grid
		cells, cases, clients bool
		profiles              int // of clients' cases; 0 is any number
	}{
		{"everything", harness.Grid{}, true, true, true, 0},
		{"a server's case", harness.Grid{Cases: []string{"smtp/auth/003"}}, false, true, false, 0},
		{"all of a server's", harness.Grid{Cases: []string{"*/*/*"}}, false, true, false, 0},
		{"by source", harness.Grid{Cases: []string{"rfc4954"}}, false, true, false, 0},
		{"all of clients'", harness.Grid{Cases: []string{"client"}}, false, false, true, 0},
		{"one, for one", harness.Grid{Cases: []string{"client/smtp/009"}, Profiles: []string{"curl+sasl-ir"}}, false, false, true, 1},
		{"by source, for two", harness.Grid{Cases: []string{"client+rfc4954"}, Profiles: []string{"curl", "mutt"}}, false, false, true, 2},
		{"both", harness.Grid{Cases: []string{"client/smtp/009", "smtp/auth/003"}}, false, true, true, 0},
		{"a profile alone", harness.Grid{Profiles: []string{"curl"}}, true, false, false, 0},
		{"a protocol", harness.Grid{Cases: []string{"client"}, Protocols: []login.Protocol{login.POP3}}, false, false, true, 0},
	} {
		cells, cases, profiles := 0, 0, map[string]bool{}
		for _, j := range plan(t, row.grid).Jobs {
			switch {
			case j.Client != nil:
				profiles[j.Client.Profile.ID()] = true
				if j.Client.Profile.Probe() || len(row.grid.Protocols) > 0 && j.Client.Case.Protocol() != row.grid.Protocols[0] {
					t.Errorf("%s: %s", row.name, j.ID())
				}
			case j.Case != nil:
				cases++
			case j.Scenario == nil:
				cells++
			}
		}
		if cells > 0 != row.cells || cases > 0 != row.cases || len(profiles) > 0 != row.clients || row.profiles > 0 && len(profiles) != row.profiles {
			t.Errorf("%s: %d cells, %d cases, clients' cases of %d profiles", row.name, cells, cases, len(profiles))
		}
	}
	for _, wrong := range []string{"client/smtp/999", "client+nosuch"} {
		if _, err := harness.NewPlan(harness.Grid{Cases: []string{wrong}}); err == nil {
			t.Errorf("%s is planned", wrong)
		}
	}
}

// A server that shows nobody what clients say to it says nothing of clients: one
// line tells so, unless somebody asked for it.
func TestClientCasesNeedALaboratory(t *testing.T) {
	asked := plan(t, harness.Grid{Cases: []string{"client/smtp/002"}, Profiles: []string{"curl"}})
	asked.Jobs = slices.DeleteFunc(asked.Jobs, func(j harness.Job) bool { return j.Client == nil })
	whole := asked
	whole.Selection = nil
	target := fake{answer: func(string) string { return "500 no" }}
	if r := harness.Run(context.Background(), asked, harness.Config{Target: target}); len(r.Cases) != 1 || r.Cases[0].Why != login.WhyCannot || len(r.NotTested) > 0 {
		t.Errorf("asked for: %+v, %+v", r.Cases, r.NotTested)
	}
	if r := harness.Run(context.Background(), whole, harness.Config{Target: target}); len(r.Cases) != 0 || len(r.NotTested) != 1 || len(r.Expectations) > 0 {
		t.Errorf("not asked for: %+v, %+v, %+v", r.Cases, r.NotTested, r.Expectations)
	}
}
