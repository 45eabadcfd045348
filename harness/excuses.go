package harness

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Excuse is one entry of a file of excuses: results that were to be expected.
// There is one such file for everything, known findings as well as a user's
// expectations, and one comparer, [ApplyExcuses].
type Excuse struct {
	// Pattern says which results are meant: see [LoadExcuses].
	Pattern string
	// Verdict is what they are excused of, [Fail] or [Warn]. Nothing else can
	// be: a skip needs no excuse, and what is broken is ours, and no finding.
	Verdict Verdict
	// Reason says why this was to be expected, Source where that is known from.
	Reason, Source string
	// Until is the last day on which the entry holds; the zero value is for ever.
	Until time.Time

	// entry is file and line, for messages; "" where it was not read from one.
	entry string
}

// Line is where the entry stands in its file; 0 where it was not read from one.
func (e Excuse) Line() int {
	line, err := strconv.Atoi(e.entry[strings.LastIndex(e.entry, ":")+1:])
	if err != nil {
		return 0
	}
	return line
}

// Matcher says of the ID of a result whether the entry is about it. Behind the ID
// of a case stand an "@" and its protocol or client.
func (e Excuse) Matcher() func(id string) bool {
	p := patternOf(e.Pattern)
	return func(id string) bool {
		id, who, _ := strings.Cut(id, "@")
		return p.matches(excusable{id: id, who: who})
	}
}

// day is how a date is written.
const day = "2006-01-02"

// expired: the last day of the entry is over, in UTC.
func (e Excuse) expired(now time.Time) bool {
	return !e.Until.IsZero() && !now.UTC().Before(e.Until.AddDate(0, 0, 1))
}

// ApplyExcuses marks the results that the entries excuse, counts the report
// anew, and notes in it the entries that do not hold; these are returned as
// well. A result keeps its verdict. It may be called again with other entries.
//
// An entry does not hold if its date has passed (it then excuses nothing); if
// everything that it matches passes, or fails in place of warning; or if
// nothing that it matches was decided. Of a run that was narrowed or
// interrupted only the entries are judged so that name a single result: what
// others are about may be in the part that was left out. (That it was narrowed is
// what its Selection says; empty that where the part is all that is meant.)
// Controls are never excused: a run whose controls do not hold proves nothing.
func ApplyExcuses(r *login.Report, excuses []Excuse, now time.Time) []login.ExcuseProblem {
	var problems []login.ExcuseProblem
	results := excusables(r)
	byID := map[string][]int{} // those that an entry may name: entries are few, and results many
	for _, e := range excuses {
		id, _, _ := strings.Cut(e.Pattern, "@")
		byID[id] = nil
	}
	for i, s := range results {
		if _, named := byID[s.id]; named {
			byID[s.id] = append(byID[s.id], i)
		}
	}
	whole := r.Complete && !r.Narrowed()
	for _, e := range excuses {
		fault, reason := login.ExcuseExpired, "its date has passed: look again, then give it another, or take the entry out"
		if !e.expired(now) {
			fault, reason = e.apply(results, byID, whole)
		}
		if fault != "" {
			problems = append(problems, login.ExcuseProblem{Pattern: e.Pattern, Problem: fault, Reason: reason, Entry: e.entry})
		}
	}
	r.Expectations = slices.Concat(r.Expectations, problems)
	r.Count()
	return problems
}

// apply excuses what the entry excuses, and says what is wrong with it.
func (e Excuse) apply(results []excusable, byID map[string][]int, whole bool) (login.ExcuseFault, string) {
	p := patternOf(e.Pattern)
	seen := map[login.Verdict]int{}
	single := !strings.Contains(e.Pattern, "*")
	open := false // somebody chose not to try, or the report is inconclusive already
	var why login.Why
	for _, i := range p.candidates(results, byID) {
		s := results[i]
		if !p.matches(s) {
			continue
		}
		seen[s.verdict]++
		single = single && (p.who != nil || s.who == "")
		switch s.verdict {
		case e.Verdict:
			if *s.excused == "" {
				*s.excused = e.Reason
			}
		case login.Skip:
			why = s.why
			open = open || why == login.WhyOperator || why == login.WhyBudget || why == login.WhyRisk
		case login.Broken, login.Unjudged:
			open = true
		}
	}
	other := login.Warn
	if e.Verdict == login.Warn {
		other = login.Fail
	}
	decided := seen[login.Pass] + seen[other]
	switch {
	case seen[e.Verdict] > 0, open, decided > 0 && !single && !whole, decided == 0 && !whole:
		return "", ""
	case seen[other] > 0:
		return login.ExcuseVerdict, fmt.Sprintf("unexpected verdict: it says %s, and the verdict is %s; correct the entry, if that is to be expected",
			e.Verdict, other)
	case seen[login.Pass] > 0:
		return login.ExcusePass, fmt.Sprintf("unexpected pass: it says %s, and %s; take the entry out", e.Verdict, passes(seen[login.Pass]))
	case seen[login.Skip] > 0:
		return login.ExcuseUnused, fmt.Sprintf("what it matches was skipped (%s), so nobody can say whether it still holds; take the entry out", why)
	default:
		return login.ExcuseUnused, "it matches nothing; correct the pattern, or take the entry out"
	}
}

func passes(n int) string {
	if n == 1 {
		return "the result passes"
	}
	return fmt.Sprintf("all %d results pass", n)
}

// Keep leaves out the entries that do not hold.
func Keep(excuses []Excuse, problems []login.ExcuseProblem) []Excuse {
	return slices.DeleteFunc(slices.Clone(excuses), func(e Excuse) bool {
		return slices.ContainsFunc(problems, func(p login.ExcuseProblem) bool { return p.Pattern == e.Pattern && p.Entry == e.entry })
	})
}

// ExcusesFor makes an entry of everything that failed or warned and is not
// excused yet. The reason is that of the result.
func ExcusesFor(r *login.Report, source string) []Excuse {
	var all []Excuse
	seen := map[string]bool{}
	for _, s := range excusables(r) {
		if s.verdict != login.Fail && s.verdict != login.Warn || *s.excused != "" {
			continue
		}
		e := Excuse{Pattern: s.id, Verdict: s.verdict, Reason: oneLine(s.reason), Source: source}
		if s.who != "" {
			e.Pattern += "@" + s.who
		}
		if e.Reason == "" {
			e.Reason = "the result gives no reason"
		}
		if key := e.Pattern + " " + e.Verdict.String(); !seen[key] { // two doors may speak one protocol
			seen[key] = true
			all = append(all, e)
		}
	}
	return all
}

// excusable is a result of any sort, seen as what an excuse is about.
type excusable struct {
	// id and who are its key, "ID" or "ID@WHO": who is the client or the
	// protocol of a compliance case, and "" in cells and scenarios.
	id, who string
	verdict login.Verdict
	why     login.Why
	reason  string
	excused *string
}

// excusables are the results that can be excused, in the order of the report:
// no control, and nothing that is only predicted.
func excusables(r *login.Report) []excusable {
	all := make([]excusable, 0, len(r.Cells)+len(r.Scenarios)+len(r.Cases))
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Basis != login.Predicted {
			all = append(all, excusable{c.ID, "", c.Verdict, c.Why, c.Reason, &c.Excused})
		}
	}
	for i := range r.Scenarios {
		if s := &r.Scenarios[i]; s.Kind != login.KindControl {
			all = append(all, excusable{s.ID, "", s.Verdict, s.Why, s.Reason, &s.Excused})
		}
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		id, who, _ := strings.Cut(r.Key(*c), "@")
		all = append(all, excusable{id, who, c.Verdict, c.Why, c.Reason, &c.Excused})
	}
	return all
}

// pattern is one that has been read. A nil glob lets everything through.
type pattern struct {
	text    string
	id, who *regexp.Regexp
}

// patternOf reads a pattern. All that is special in it are "*", any letters
// but "/", "**", any letters at all, and "@".
func patternOf(text string) pattern {
	id, who, named := strings.Cut(text, "@")
	p := pattern{text: text, id: glob(id)}
	if named {
		p.who = glob(who)
	}
	return p
}

func glob(text string) *regexp.Regexp {
	parts := strings.Split(text, "**")
	for i, part := range parts {
		literal := strings.Split(part, "*")
		for j := range literal {
			literal[j] = regexp.QuoteMeta(literal[j])
		}
		parts[i] = strings.Join(literal, "[^/]*")
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
}

func (p pattern) matches(s excusable) bool {
	return p.id.MatchString(s.id) && (p.who == nil || s.who != "" && p.who.MatchString(s.who))
}

// candidates are the results that the pattern may match; most patterns are
// plain IDs, and results are many.
func (p pattern) candidates(results []excusable, byID map[string][]int) []int {
	if id, _, _ := strings.Cut(p.text, "@"); !strings.Contains(id, "*") {
		return byID[id]
	}
	all := make([]int, len(results))
	for i := range all {
		all[i] = i
	}
	return all
}
