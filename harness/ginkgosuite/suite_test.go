package ginkgosuite_test

import (
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/ginkgosuite"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

func TestMatrix(t *testing.T) {
	gomega.RegisterFailHandler(ginkgo.Fail)
	ginkgo.RunSpecs(t, "the document's matrix")
}

var reference *server.Reference

var _ = ginkgo.BeforeSuite(func() {
	before := gleak.Goroutines()
	var err error
	reference, err = server.NewReference()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	ginkgo.DeferCleanup(func() {
		gomega.Expect(reference.Close()).To(gomega.Succeed())
		gomega.Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
	})
})

func config() harness.Config {
	return harness.Config{Target: reference, TargetKind: "reference", Transcripts: harness.KeepFailed}
}

// some are clients of each kind: the whole of the plan is mailmatrix run, and
// twenty-seven thousand specs cost more than what they are made of.
var some = harness.Grid{Profiles: []string{"probe", "outlook", "eudora", "eudora-7-win", "curl", "swaks", "thunderbird", "mailkit"},
	Cases: []string{"*"}}

var _ = ginkgosuite.Describe("the reference server", some, config)

var _ = ginkgo.Describe("Conform", func() {
	ginkgo.It("fails for a server with a bug, and names the cell", func(ctx ginkgo.SpecContext) {
		plan, err := harness.NewPlan(harness.Grid{Profiles: []string{"probe"}, Protocols: []login.Protocol{login.SMTP},
			Mechanisms: []login.Mechanism{login.PLAIN}})
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		buggy, err := server.NewReference(server.WithBug("deny-ignored"))
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		defer func() { gomega.Expect(buggy.Close()).To(gomega.Succeed()) }()
		report := harness.Run(ctx, plan, harness.Config{Target: buggy})
		gomega.Expect(report).NotTo(ginkgosuite.Conform())
		gomega.Expect(ginkgosuite.Conform().FailureMessage(report)).To(gomega.ContainSubstring(
			"fail classic/smtp/plain/PLAIN/deny/probe/wingate/none/account: expected refused-policy, saw logged-in"))
	})
	ginkgo.It("names nothing that is excused", func() {
		message := ginkgosuite.Conform().FailureMessage(harness.Report{Complete: true, Cases: []login.CaseResult{
			{ID: "smtp/auth/001", Verdict: login.Fail, Reason: "known", Excused: "since 1999"},
			{ID: "smtp/auth/002", Verdict: login.Fail, Reason: "new"},
		}})
		gomega.Expect(message).To(gomega.ContainSubstring("1 results do not conform\nfail smtp/auth/002: new"))
		gomega.Expect(message).NotTo(gomega.ContainSubstring("smtp/auth/001"))
	})
	ginkgo.It("fails for a report in which nothing ran", func() {
		gomega.Expect(harness.Report{Complete: true}).NotTo(ginkgosuite.Conform())
	})
	ginkgo.It("refuses what is no report", func() {
		_, err := ginkgosuite.Conform().Match(42)
		gomega.Expect(err).To(gomega.HaveOccurred())
	})
})
