package embed

import (
	"context"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/ginkgosuite"
)

// grid is the part of the matrix that the toy can be measured by.
func grid() harness.Grid {
	return harness.Grid{
		Profiles:   []string{"probe"},
		Flavours:   []harness.Flavour{harness.Modern},
		Protocols:  []harness.Protocol{harness.SMTP},
		Transports: []harness.Transport{harness.Plain},
		Mechanisms: []harness.Mechanism{"PLAIN"},
		Databases:  []harness.Database{harness.WinGate},
	}
}

// The library call: a plan, a target, a report.
func TestRun(t *testing.T) {
	plan, err := harness.NewPlan(grid())
	if err != nil {
		t.Fatal(err)
	}
	report := harness.Run(context.Background(), plan, harness.Config{Target: Target{}})
	if report.Totals.Pass != plan.Cells() {
		for _, c := range report.Cells {
			if c.Verdict != harness.Pass {
				t.Errorf("%s %s: %s", c.Verdict, c.ID, c.Reason)
			}
		}
	}
}

// The same as specs of one's own suite.
func TestSuite(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, "toy")
}

var _ = ginkgosuite.Describe("the toy server", grid(), func() harness.Config { return harness.Config{Target: Target{}} })
