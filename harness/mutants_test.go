package harness_test

import (
	"context"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// Every mutant of the server breaks one rule, and a run must notice: at least one
// cell, scenario or case turns to fail. They are rules of the server, and not the
// cases turned round, so there are few.
func TestMutants(t *testing.T) {
	if underRace {
		t.Skip("the race detector sees no more in sixty wrong servers than in a right one; without it they all run")
	}
	if n := len(server.Bugs()); n > 60 {
		t.Errorf("%d mutants: more than sixty are no rules any more", n)
	}
	samples := samples(plan(t, harness.Grid{Profiles: measured, Cases: []string{"*"}}), 24)
	// A result that fails without any bug would kill every mutant.
	if killer := kill(t, "", samples); killer != "" {
		t.Fatalf("the healthy server fails: %s", killer)
	}
	killed := 0
	for _, bug := range server.Bugs() {
		t.Run(string(bug.Name), func(t *testing.T) {
			killer := kill(t, bug.Name, samples)
			if killer == "" {
				t.Errorf("survives: %s (rule %s)", bug.What, bug.Rule)
				return
			}
			killed++
			t.Logf("killed by %s", killer)
		})
	}
	t.Logf("%d of %d mutants killed", killed, len(server.Bugs()))
}

// samples divides a plan so that most mutants die early: first the scenarios
// and cases that try one rule each, then the rest, dealt into n plans as cards are
// dealt, so that each holds something of everything.
func samples(p harness.Plan, n int) []harness.Plan {
	samples := make([]harness.Plan, n+1)
	for i, j := range p.Jobs {
		s := &samples[1+i%n]
		if j.Case != nil || j.Scenario != nil && j.Scenario.Kind != login.KindControl && j.Scenario.Profile == "" {
			s = &samples[0]
		}
		s.Jobs = append(s.Jobs, j)
	}
	return samples
}

// kill returns the first result that a mutant turns to fail, or "".
func kill(t *testing.T, bug server.Bug, samples []harness.Plan) string {
	t.Helper()
	mutant, err := server.NewReference(server.WithBug(bug))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := mutant.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range samples {
		report := harness.Run(context.Background(), s, harness.Config{Target: mutant, Patience: patience,
			Limit: 3 * time.Second}) // a mutant may leave us waiting
		for _, c := range report.Cells {
			if c.Verdict == login.Fail {
				return c.ID + ": " + c.Reason
			}
		}
		for _, c := range report.Scenarios {
			if c.Verdict == login.Fail {
				return c.ID + ": " + c.Reason
			}
		}
		for _, c := range report.Cases {
			if c.Verdict == login.Fail && c.Excused == "" {
				return c.ID + ": " + c.Reason
			}
		}
	}
	return ""
}
