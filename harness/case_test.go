package harness_test

import (
	"context"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
	"github.com/mailmatrix/mailmatrix/server"
)

// patience is enough on loopback.
const patience = 150 * time.Millisecond

// The reference server passes every case.
func TestReferencePassesEveryCase(t *testing.T) {
	p, err := harness.NewPlan(harness.Grid{Cases: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	report := harness.Run(context.Background(), p, harness.Config{Target: reference(t), TargetKind: "reference", Patience: patience,
		Transcripts: harness.KeepFailed})
	for _, c := range report.Cases {
		if c.Verdict != login.Pass {
			t.Errorf("%s over %s: %s: %s", c.ID, login.Protocols()[c.Door], c.Verdict, c.Reason)
			if c.Transcript != nil {
				for _, i := range report.Transcripts[*c.Transcript] {
					t.Log(report.Lines[i])
				}
			}
		}
	}
}

// Every case fails against its own sabotage, over each of its protocols, and
// for a reason of its own: a step that makes ready for the others never fails a
// case.
func TestEveryCaseCanFail(t *testing.T) {
	for _, c := range compliance.All() {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			for _, r := range sabotaged(t, c) {
				if r.Verdict != login.Fail || r.Reason == "" {
					t.Errorf("over %s: %s %s: %s", login.Protocols()[r.Door], r.Verdict, r.Why, r.Reason)
				}
			}
		})
	}
}

// sabotaged runs a case against its sabotage.
func sabotaged(t *testing.T, c script.Case) []login.CaseResult {
	t.Helper()
	if s := c.Sabotage; s.Bug == "" && s.State == nil && len(s.Rewrites) == 0 {
		t.Fatal("nothing sabotages the case")
	}
	var opts []server.Option
	if c.Sabotage.Bug != "" {
		opts = append(opts, server.WithBug(server.Bug(c.Sabotage.Bug)))
	}
	target, err := server.NewReference(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	var p harness.Plan
	for _, protocol := range c.Protocols() {
		p.Jobs = append(p.Jobs, harness.Job{Case: &harness.CaseJob{Case: c, Protocol: protocol, Sabotaged: true}})
	}
	return harness.Run(context.Background(), p, harness.Config{Target: target, Patience: patience}).Cases
}
