package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// OfServer is what the report says of the server itself: not what clients were
// found to do, nothing foretold, and nothing excused yet.
func OfServer(r login.Report) login.Report {
	r.Cells = slices.DeleteFunc(slices.Clone(r.Cells), func(c login.CellResult) bool { return c.Basis == login.Predicted })
	r.Scenarios = slices.Clone(r.Scenarios)
	r.Cases = slices.DeleteFunc(slices.Clone(r.Cases), func(c login.CaseResult) bool { return c.Profile != "" })
	for i := range r.Cells {
		r.Cells[i].Excused = ""
	}
	for i := range r.Scenarios {
		r.Scenarios[i].Excused = ""
	}
	for i := range r.Cases {
		r.Cases[i].Excused = ""
	}
	r.Expectations = nil
	r.Count()
	return r
}

// NewClaim makes the heading of a claim from a report of [OfServer] in which
// all that failed or warned is excused.
func NewClaim(r *login.Report, subject Subject, start *Start) (Claim, error) {
	if subject.Name == "" || subject.Version == "" {
		return Claim{}, errors.New("what is claimed of which server? name it, and its version")
	}
	if unclear := unfit(r); unclear != "" {
		return Claim{}, fmt.Errorf("nothing can be claimed: %s", unclear)
	}
	c := Claim{Claim: login.ClaimSchema, Subject: subject, Start: start, Made: made(r)}
	if c.Made.Kind == login.ReferenceTarget && start != nil {
		return c, errors.New("the reference server is part of this program, and needs nobody to start it: leave that out")
	}
	c.Standing = c.standing()
	t := tallied(r)
	c.Levels, c.Profiles, c.Scenarios = t.levels(), t.profiles(), t.kinds()
	c.Conforms = conforms(c.Levels)
	c.Skipped = skipped(r)
	return c, c.check()
}

// unfit says why a run tells nothing of its server; "" if it does.
func unfit(r *login.Report) string {
	sum := r.Sum()
	failed := r.FailedControl()
	switch {
	case !r.Complete:
		return "the run is not complete"
	case failed != "":
		return "a control did not hold: " + failed
	case len(r.Targets) != 1:
		return fmt.Sprintf("the report is of %d servers, and a claim of one", len(r.Targets))
	case r.Selection["shard"] != nil:
		return "this is one part of a run: merge it with the others first"
	case r.SilentServer() != "":
		return "no door of " + r.SilentServer() + " answers"
	case r.SilentDoor() != "":
		return "the door that was asked for does not answer: " + r.SilentDoor()
	case sum.Broken > 0:
		return "the harness itself failed in places"
	case sum.Pass+sum.Warn+sum.Fail+sum.Excused == 0:
		return "nothing was decided"
	default:
		return ""
	}
}

func made(r *login.Report) Made {
	target := r.Targets[0]
	m := Made{By: r.Tool, Date: r.Started.UTC().Format(time.DateOnly), Catalogue: r.Catalogue, Kind: target.Kind, Vantage: r.Vantage,
		Selection: selected(r.Selection)}
	if m.Kind == login.ReferenceTarget {
		return m
	}
	for _, d := range target.Doors {
		if d.Speaks() {
			m.Doors = append(m.Doors, doorURL(d))
		}
	}
	return m
}

// doorURL is the door as somebody names it.
func doorURL(d login.DoorResult) string {
	scheme := string(d.Protocol)
	if d.Implicit {
		scheme += "s"
	}
	if d.Host == "" || strings.Contains(d.Host, ":") { // an address of IPv6 has its brackets in Address
		return scheme + "://" + d.Address
	}
	return scheme + "://" + d.Host + ":" + d.Port()
}

// selected is the selection, but for what only judges, says how long one waits,
// or where the accounts are.
func selected(all map[string][]string) map[string][]string {
	s := maps.Clone(all)
	for _, flag := range []string{"expect", "baseline", "fail-on", "wait", "deadline", "parallel", "account-file"} {
		delete(s, flag)
	}
	return s
}

// tally counts results by what they are of.
type tally map[group]Count

// group is an area and a level, a client, or a kind of scenario.
type group struct{ what, area, level string }

const (
	ofCases     = "case"
	ofCells     = "cell"
	ofScenarios = "scenario"
)

func (g group) String() string {
	switch g.what {
	case ofCases:
		return g.area + " " + g.level
	case ofCells:
		return "profile " + g.area
	default:
		return "scenarios " + g.area
	}
}

func (t tally) add(g group, v login.Verdict, excused string) {
	c := t[g]
	switch {
	case excused != "":
		c.Excused++
	case v == login.Pass:
		c.Pass++
	case v == login.Fail || v == login.Warn:
		c.failed++
	default:
		c.Skip++
	}
	t[g] = c
}

func tallied(r *login.Report) tally {
	t := tally{}
	for _, c := range r.Cells {
		t.add(group{ofCells, c.ClientName(), ""}, c.Verdict, c.Excused)
	}
	for _, s := range r.Scenarios {
		if s.Kind != login.KindControl {
			t.add(group{ofScenarios, s.Kind, ""}, s.Verdict, s.Excused)
		}
	}
	for _, c := range r.Cases {
		t.add(group{ofCases, area(c.ID), string(c.Level)}, c.Verdict, c.Excused)
	}
	return t
}

// tally is what the claim says of each group.
func (c Claim) tally() tally {
	t := tally{}
	for _, l := range c.Levels {
		t[group{ofCases, l.Area, string(l.Level)}] = l.Count
	}
	for _, p := range c.Profiles {
		t[group{ofCells, p.Profile, ""}] = p.Count
	}
	for _, s := range c.Scenarios {
		t[group{ofScenarios, s.Kind, ""}] = s.Count
	}
	return t
}

// area is the ID of a case without its number.
func area(id string) string { return id[:max(0, strings.LastIndexByte(id, '/'))] }

// sorted are the groups of one sort: by area, then the strongest level first.
func (t tally) sorted(what string) []group {
	rank := func(g group) int { return slices.Index(login.Levels(), login.Level(g.level)) }
	return slices.SortedFunc(func(yield func(group) bool) {
		for g := range t {
			if g.what == what && !yield(g) {
				return
			}
		}
	}, func(a, b group) int { return cmp.Or(cmp.Compare(a.area, b.area), cmp.Compare(rank(a), rank(b))) })
}

func (t tally) levels() []LevelCount {
	all := []LevelCount{}
	for _, g := range t.sorted(ofCases) {
		all = append(all, LevelCount{g.area, login.Level(g.level), t[g]})
	}
	return all
}

func (t tally) profiles() []ClientCount {
	all := []ClientCount{}
	for _, g := range t.sorted(ofCells) {
		all = append(all, ClientCount{g.area, t[g]})
	}
	return all
}

func (t tally) kinds() []KindCount {
	all := []KindCount{}
	for _, g := range t.sorted(ofScenarios) {
		all = append(all, KindCount{g.area, t[g]})
	}
	return all
}

// conforms are the levels of which something passed and nothing is excused.
func conforms(all []LevelCount) []login.Level {
	levels := []login.Level{}
	for _, level := range login.Levels() {
		var sum Count
		for _, c := range all {
			if c.Level == level {
				sum.Pass += c.Pass
				sum.Excused += c.Excused
			}
		}
		if sum.Pass > 0 && sum.Excused == 0 {
			levels = append(levels, level)
		}
	}
	return levels
}

// skipped is what was left out before it came to a result, then the results
// that decided nothing, by what they are of and why.
func skipped(r *login.Report) []Skipped {
	all := []Skipped{}
	for _, n := range r.NotTested {
		all = append(all, Skipped{What: oneLine(n.What), Why: n.Why, Flag: n.Flag})
	}
	count := map[Skipped]int{}
	add := func(g group, v login.Verdict, why login.Why) {
		if v == login.Skip {
			count[Skipped{What: g.String(), Why: why}]++
		}
	}
	for _, c := range r.Cells {
		add(group{ofCells, c.ClientName(), ""}, c.Verdict, c.Why)
	}
	for _, s := range r.Scenarios {
		add(group{ofScenarios, s.Kind, ""}, s.Verdict, s.Why)
	}
	for _, c := range r.Cases {
		add(group{ofCases, area(c.ID), string(c.Level)}, c.Verdict, c.Why)
	}
	for _, s := range slices.SortedFunc(maps.Keys(count), func(a, b Skipped) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why))
	}) {
		s.Count = count[s]
		all = append(all, s)
	}
	return all
}

// oneLine is a text that came from a server, without what a terminal obeys.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c < ' ':
			return ' '
		case c == 0x7f, c >= 0x80 && c < 0xa0, c >= 0x2028 && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			return '?'
		default:
			return c
		}
	}, strings.ToValidUTF8(s, "?"))
}
