// Package ginkgosuite makes ginkgo specs of a plan, so that a project can run
// the matrix against its own server inside its own suite:
//
//	var target *myTarget // implements harness.Target
//
//	var _ = BeforeSuite(func() { target = startMyServer() })
//
//	var _ = ginkgosuite.Describe("my server", harness.Grid{Profiles: []string{"eudora"}},
//		func() harness.Config { return harness.Config{Target: target} })
//
// Specs carry labels for profile, protocol, flavour, mechanism and kind:
//
//	go test ./... -ginkgo.label-filter='outlook && pop3'
//	go test ./... -ginkgo.label-filter='smtp-auth && MUST'
//
// It is the only package of this module that imports ginkgo; import it from
// tests only.
package ginkgosuite

import (
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/mailmatrix/mailmatrix/harness"
)

// Describe makes a spec for each group of cells that differ in transport,
// setting, database, override and credential alone, for each kind of scenario,
// and for each compliance case: thousands of specs would cost more than the
// logins. The failure of a group names every cell in it that failed, with its
// transcript.
//
// config is called once for each spec, when it runs. A grid that cannot be
// planned panics: ginkgo builds its tree before anything can be reported.
func Describe(text string, grid harness.Grid, config func() harness.Config) bool {
	ginkgo.GinkgoHelper()
	plan, err := harness.NewPlan(grid)
	if err != nil {
		panic("ginkgosuite: " + err.Error())
	}
	return ginkgo.Describe(text, func() {
		for _, g := range groups(plan) {
			ginkgo.It(g.text(), ginkgo.Label(g.labels...), func(ctx ginkgo.SpecContext) {
				report := harness.Run(ctx, g.plan, config())
				ginkgo.AddReportEntry("totals", report.Totals, ginkgo.ReportEntryVisibilityNever)
				if sum := report.Sum(); sum.Cells > 0 && sum.Cells == sum.Skip {
					ginkgo.Skip(skipReason(report))
				}
				gomega.Expect(report).To(Conform())
			})
		}
	})
}

// skipReason is why a whole group was skipped: the first reason stands for all.
func skipReason(r harness.Report) string {
	if len(r.Cells) > 0 {
		return r.Cells[0].Reason
	}
	if len(r.Scenarios) > 0 {
		return r.Scenarios[0].Reason
	}
	return r.Cases[0].Reason
}

// group is what one spec runs.
type group struct {
	name   string
	labels []string
	plan   harness.Plan
}

func (g group) text() string {
	return fmt.Sprintf("%s conforms (%d experiments)", g.name, len(g.plan.Jobs))
}

// groups divides a plan, in its order.
func groups(plan harness.Plan) []*group {
	var all []*group
	byName := map[string]*group{}
	for _, j := range plan.Jobs {
		labels := labelsOf(j)
		name := strings.Join(labels, " ")
		g, known := byName[name]
		if !known {
			g = &group{name: name, labels: labels}
			byName[name] = g
			all = append(all, g)
		}
		g.plan.Jobs = append(g.plan.Jobs, j)
	}
	return all
}

// label is an ID as ginkgo takes it: in a filter "/" begins a regular expression.
func label(id string) string { return strings.ReplaceAll(id, "/", "-") }

func labelsOf(j harness.Job) []string {
	if s := j.Scenario; s != nil {
		labels := []string{s.Kind}
		for _, l := range []string{s.Profile, string(s.Protocol)} {
			if l != "" {
				labels = append(labels, l)
			}
		}
		return labels
	}
	if c := j.Case; c != nil { // a spec for each: its ID is what people ask for
		return []string{label(c.ID), label(c.Area()), string(c.Level), string(c.Protocol)}
	}
	if c := j.Client; c != nil { // of all clients
		return []string{label(c.ID), label(c.Area()), string(c.Level), string(c.Case.Protocol())}
	}
	c := j.Cell
	return []string{c.Profile, string(c.Protocol), string(c.Flavour), c.Mechanism.Segment()}
}
