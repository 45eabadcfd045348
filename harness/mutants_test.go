package harness_test

import (
	"context"
	"sync/atomic"
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
	if testing.Short() {
		t.Skip("-short: sixty wrong servers")
	}
	if n := len(server.Bugs()); n > 60 {
		t.Errorf("%d mutants: more than sixty are no rules any more", n)
	}
	samples := samples(plan(t, harness.Grid{Profiles: measured, Cases: []string{"*"}}), 8, 24)
	// A result that fails without any bug would kill every mutant.
	if killer := kill(t, "", samples); killer != "" {
		t.Fatalf("the healthy server fails: %s", killer)
	}
	var killed atomic.Int32
	t.Cleanup(func() { t.Logf("%d of %d mutants killed", killed.Load(), len(server.Bugs())) })
	for _, bug := range server.Bugs() {
		t.Run(string(bug.Name), func(t *testing.T) {
			t.Parallel() // many of them leave us waiting
			killer := kill(t, bug.Name, samples)
			if killer == "" {
				t.Errorf("survives: %s (rule %s)", bug.What, bug.Rule)
				return
			}
			killed.Add(1)
			t.Logf("killed by %s", killer)
		})
	}
}

// samples divides a plan so that most mutants die early: first the scenarios
// and cases that try one rule each, then the rest, both dealt into plans as cards
// are dealt, so that each holds something of everything.
func samples(p harness.Plan, rules, rest int) []harness.Plan {
	samples := make([]harness.Plan, rules+rest)
	first, then := 0, 0
	for _, j := range p.Jobs {
		var s *harness.Plan
		if j.Case != nil || j.Scenario != nil && j.Scenario.Kind != login.KindControl && j.Scenario.Profile == "" {
			s, first = &samples[first%rules], first+1
		} else {
			s, then = &samples[rules+then%rest], then+1
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
