package harness

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// FailOn is what of a report is to be the exit status 1, in place of everything
// that failed.
type FailOn string

const (
	// FailOnMust is a case of level MUST that fails, and anybody who was wrongly
	// let in.
	FailOnMust FailOn = "must"
	// FailOnShould is everything that fails or warns.
	FailOnShould FailOn = "should"
	// FailOnLeak is anybody who was wrongly let in, and a secret of the account
	// that could be read, or cracked, on a clear link where it was not to be.
	FailOnLeak FailOn = "leak"
	// FailOnRegression is what was better in the baseline.
	FailOnRegression FailOn = "regression"
)

// FailOns lists them.
func FailOns() []FailOn { return []FailOn{FailOnMust, FailOnShould, FailOnLeak, FailOnRegression} }

// StatusOf is the exit status of a report where only these make it 1; of none of
// them it is that of the report. worse is what was better in a baseline. What
// leaves a question open is 2 as ever.
func StatusOf(r *login.Report, on []FailOn, worse []Change) int {
	plainly := *r
	plainly.Decided = nil
	r = &plainly
	status := r.ExitStatus()
	switch {
	case len(on) == 0, !r.Complete || r.FailedControl() != "":
		return status
	case slices.ContainsFunc(r.Expectations, login.ExcuseProblem.NotKept),
		slices.ContainsFunc(on, func(f FailOn) bool { return f.met(r, worse) }):
		return 1
	default:
		return withoutFailures(r)
	}
}

// withoutFailures is the status of the report if what fails had only warned.
func withoutFailures(r *login.Report) int {
	lenient := *r
	lenient.Cells, lenient.Scenarios, lenient.Cases = slices.Clone(r.Cells), slices.Clone(r.Scenarios), slices.Clone(r.Cases)
	for i := range lenient.Cells {
		soften(&lenient.Cells[i].Verdict)
	}
	for i := range lenient.Scenarios {
		soften(&lenient.Scenarios[i].Verdict)
	}
	for i := range lenient.Cases {
		soften(&lenient.Cases[i].Verdict)
	}
	lenient.Count()
	return lenient.ExitStatus()
}

func soften(v *login.Verdict) {
	if *v == login.Fail {
		*v = login.Warn
	}
}

func (f FailOn) met(r *login.Report, worse []Change) bool {
	sum := r.Sum()
	switch f {
	case FailOnMust:
		return sum.WronglyAccepted > 0 || slices.ContainsFunc(r.Cases, func(c login.CaseResult) bool {
			return c.Level == login.Must && c.Verdict == login.Fail && c.Excused == ""
		})
	case FailOnShould:
		return sum.Fail+sum.Warn > 0
	case FailOnLeak:
		return sum.WronglyAccepted > 0 || slices.ContainsFunc(r.Cells, leaks) || slices.ContainsFunc(r.Scenarios, shows)
	case FailOnRegression:
		return len(worse) > 0
	default:
		return false
	}
}

// leaks: the cell failed, and not for locking somebody out, and what the account
// logs in by could be read.
func leaks(c login.CellResult) bool {
	return c.Verdict == login.Fail && c.Excused == "" && !c.WronglyRefused && slices.ContainsFunc(c.Exposures, func(x login.Exposure) bool {
		return x.Class >= login.ShowsVerifier && !x.Transport.Encrypted() &&
			(x.Secret == login.SecretAccount || x.Secret == login.SecretOverride)
	})
}

func shows(s login.ScenarioResult) bool {
	return s.Verdict == login.Fail && s.Excused == "" && !s.WronglyRefused && s.Exposure >= login.ShowsVerifier && !s.Transport.Encrypted()
}
