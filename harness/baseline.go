package harness

import (
	"fmt"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Change is a result that came to something else than it did in a baseline.
type Change struct {
	ID       string // a case's with "@" and the protocol or client
	Was, Now login.Verdict
}

func (c Change) String() string { return fmt.Sprintf("%s: %s, was %s", c.ID, c.Now, c.Was) }

// ApplyBaseline excuses what failed or warned in the baseline too, and returns
// what is better and what is worse now. Only what was decided both times can be
// either: what was skipped, or is not there in one of them, was not known.
func ApplyBaseline(r, old *login.Report, now time.Time) (better, worse []Change) {
	changes := compare(r, old)
	// What does not hold of the baseline is no mistake: things get better.
	expectations := r.Expectations
	ApplyExcuses(r, baselineExcuses(old), now)
	r.Expectations = expectations
	for _, c := range changes {
		switch {
		case c.Now < c.Was:
			better = append(better, c)
		case c.Now > c.Was:
			worse = append(worse, c)
		}
	}
	return better, worse
}

// baselineExcuses excuse each result of a verdict no worse than it came to.
func baselineExcuses(old *login.Report) []Excuse {
	var all []Excuse
	reason := "already so on " + old.Started.Format(time.DateOnly)
	seen := map[string]bool{}
	for _, s := range excusables(old) {
		if s.verdict != login.Fail && s.verdict != login.Warn || seen[s.key()] {
			continue
		}
		seen[s.key()] = true
		e := Excuse{Pattern: s.key(), Verdict: login.Warn, Reason: reason, Source: "baseline"}
		all = append(all, e)
		if s.verdict == login.Fail {
			e.Verdict = login.Fail
			all = append(all, e)
		}
	}
	return all
}

// compare lists the results that were decided in both reports and differ, in the
// order of the new one. Where a key stands for several, the worst counts.
func compare(r, old *login.Report) []Change {
	was, is := decided(old), decided(r)
	var changes []Change
	for _, s := range excusables(r) {
		key := s.key()
		before, known := was[key]
		after, decided := is[key]
		if known && decided && before != after && *s.excused == "" {
			changes = append(changes, Change{key, before, after})
		}
		delete(is, key) // once is enough
	}
	return changes
}

// decided are the verdicts of a report by key; what is broken says nothing of
// the server.
func decided(r *login.Report) map[string]login.Verdict {
	all := map[string]login.Verdict{}
	for _, s := range excusables(r) {
		if s.verdict == login.Pass || s.verdict == login.Warn || s.verdict == login.Fail {
			all[s.key()] = max(all[s.key()], s.verdict)
		}
	}
	return all
}
