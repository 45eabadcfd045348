package results

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Verification is what a fresh run says of a claim, each finding a line.
type Verification struct {
	// Unfit: the run cannot be held against the claim at all.
	Unfit []string
	// Broken is what the claim says and the run disproves.
	Broken []string
	// Open is what the claim says and the run did not decide.
	Open []string
	// Notes change nothing.
	Notes []string
	// Kept is how many results are as claimed.
	Kept int
}

// The statuses of a verification, which are those of the program.
const (
	ClaimKept   = 0
	ClaimBroken = 1
	ClaimOpen   = 2
)

// Status says in a word, and a number, what came of it. A run that tells nothing
// of its server disproves nothing either.
func (v Verification) Status() (int, string) {
	switch {
	case len(v.Unfit) > 0:
		return ClaimOpen, "cannot say"
	case len(v.Broken) > 0:
		return ClaimBroken, "broken"
	case len(v.Open) > 0:
		return ClaimOpen, "cannot say"
	default:
		return ClaimKept, "kept"
	}
}

// Verify holds a report of [OfServer], to which the entries of the claim have
// been applied, against the claim's heading.
func Verify(c Claim, r *login.Report) Verification {
	var v Verification
	if c.Standing == SelfDeclared {
		v.note("self-declared: the claim does not say how to start the server, so this is between you and its vendor")
	}
	if r.Tool != c.Made.By {
		v.note("the claim was made by %s, and the run by %s", c.Made.By, r.Tool)
	}
	if v.Unfit = unlike(c, r); len(v.Unfit) > 0 {
		return v
	}
	v.results(r)
	for _, p := range r.Expectations {
		line := oneLine(fmt.Sprintf("%s: %s: %s", p.Entry, p.Pattern, p.Reason))
		if p.NotKept() {
			v.Broken = append(v.Broken, line)
		} else {
			v.Open = append(v.Open, line)
		}
	}
	v.groups(c, r)
	return v
}

func (v *Verification) note(format string, args ...any) {
	v.Notes = append(v.Notes, oneLine(fmt.Sprintf(format, args...)))
}

// unlike says why the run cannot be compared with the one of the claim.
func unlike(c Claim, r *login.Report) []string {
	var why []string
	if u := unfit(r); u != "" {
		return []string{u}
	}
	if r.Catalogue != c.Made.Catalogue {
		why = append(why, fmt.Sprintf("the claim is about catalogue %s, and the run about %s", c.Made.Catalogue, r.Catalogue))
	}
	if kind := r.Targets[0].Kind; kind != c.Made.Kind {
		why = append(why, fmt.Sprintf("the claim is about a %s server, and the run about a %s one", c.Made.Kind, kind))
	}
	for i := range why {
		why[i] = oneLine(why[i])
	}
	return append(why, c.SelectedOtherwise(r.Selection)...)
}

// SelectedOtherwise says where a run with this selection is another than the one
// of the claim.
func (c Claim) SelectedOtherwise(selection map[string][]string) []string {
	var why []string
	was, is := c.Made.Selection, selected(selection)
	for _, axis := range slices.Sorted(maps.Keys(union(was, is))) {
		if !slices.Equal(was[axis], is[axis]) {
			why = append(why, oneLine(fmt.Sprintf("the claim was made %s, and the run %s", chosen(axis, was[axis]), chosen(axis, is[axis]))))
		}
	}
	return why
}

func chosen(axis string, values []string) string {
	if len(values) == 0 {
		return "without --" + axis
	}
	return "with --" + axis + " " + strings.Join(values, ",")
}

func union[M ~map[K]V, K comparable, V any](a, b M) M {
	all := M{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// results names what failed or warned and is not in the claim.
func (v *Verification) results(r *login.Report) {
	one := func(key string, verdict login.Verdict, excused, reason string) {
		switch {
		case excused != "" || verdict == login.Pass:
			v.Kept++
		case verdict == login.Fail || verdict == login.Warn:
			v.Broken = append(v.Broken, oneLine(fmt.Sprintf("%s: %s: %s", key, verdict, cmp.Or(reason, "the result gives no reason"))))
		}
	}
	for _, c := range r.Cells {
		one(c.ID, c.Verdict, c.Excused, c.Reason)
	}
	for _, s := range r.Scenarios {
		if s.Kind != login.KindControl {
			one(s.ID, s.Verdict, s.Excused, s.Reason)
		}
	}
	for _, c := range r.Cases {
		one(r.Key(c), c.Verdict, c.Excused, c.Reason)
	}
}

// groups compares what is claimed of each group with what was found. What failed
// counts as decided: it has been named.
func (v *Verification) groups(c Claim, r *login.Report) {
	is, claimed := tallied(r), c.tally()
	for _, what := range []string{ofCases, ofCells, ofScenarios} {
		for _, g := range union(is, claimed).sorted(what) {
			said, found := claimed[g], is[g]
			if missing := said.decided() - found.decided(); missing > 0 {
				v.Open = append(v.Open, fmt.Sprintf("%s: of %d that are claimed, %d were not decided", oneLine(g.String()), said.decided(), missing))
			}
			if found.Excused > said.Excused {
				v.Broken = append(v.Broken, fmt.Sprintf("%s: %d are excused by its entries, and it claims that no more than %d are",
					oneLine(g.String()), found.Excused, said.Excused))
			}
		}
	}
}
