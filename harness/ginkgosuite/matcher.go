package ginkgosuite

import (
	"fmt"
	"strings"

	"github.com/onsi/gomega/types"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Conform succeeds for a [harness.Report] with exit status 0: complete,
// something ran that was not skipped, and nothing failed, was broken or stayed
// unjudged. Its failure message names every result that did, with reason and
// transcript.
func Conform() types.GomegaMatcher { return conform{} }

type conform struct{}

func (conform) Match(actual any) (bool, error) {
	report, ok := actual.(harness.Report)
	if !ok {
		return false, fmt.Errorf("Conform wants a harness.Report, not a %T", actual)
	}
	return report.ExitStatus() == 0, nil
}

func (conform) FailureMessage(actual any) string {
	report, _ := actual.(harness.Report)
	var b strings.Builder
	if !report.Complete {
		b.WriteString("the run was interrupted\n")
	}
	if sum := report.Sum(); sum.Cells == sum.Skip {
		b.WriteString("nothing ran that was not skipped\n")
	}
	for _, p := range report.Expectations {
		fmt.Fprintf(&b, "%s: %s: %s\n", p.Entry, p.Pattern, p.Reason)
	}
	found := failures(report)
	fmt.Fprintf(&b, "%d results do not conform\n", len(found))
	for _, f := range found {
		b.WriteString(f)
	}
	return b.String()
}

func (conform) NegatedFailureMessage(any) string {
	return "expected something to fail, and nothing did"
}

// failures describes each result that does not conform.
func failures(r harness.Report) []string {
	var found []string
	describe := func(id, verdict, reason string, transcript *int) {
		lines := ""
		if transcript != nil {
			for _, i := range r.Transcripts[*transcript] {
				lines += "    " + r.Lines[i] + "\n"
			}
		}
		found = append(found, fmt.Sprintf("%s %s: %s\n%s", verdict, id, reason, lines))
	}
	for _, c := range r.Cells {
		if bad(c.Verdict, c.Excused) {
			describe(c.ID, c.Verdict.String(), c.Reason, c.Transcript)
		}
	}
	for _, s := range r.Scenarios {
		if bad(s.Verdict, s.Excused) {
			describe(s.ID, s.Verdict.String(), s.Reason, s.Transcript)
		}
	}
	for _, c := range r.Cases {
		if bad(c.Verdict, c.Excused) {
			describe(c.ID, c.Verdict.String(), c.Reason, c.Transcript)
		}
	}
	return found
}

// bad: what is excused conforms.
func bad(v login.Verdict, excused string) bool {
	return excused == "" && (v == login.Fail || v == login.Broken || v == login.Unjudged)
}
