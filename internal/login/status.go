package login

import (
	"maps"
	"slices"
	"strings"
)

func (t *Totals) add(v Verdict, excuse string, accepted, refused bool) {
	t.Cells++
	if excuse != "" {
		t.Excused++
		return
	}
	switch v {
	case Pass:
		t.Pass++
	case Warn:
		t.Warn++
	case Fail:
		t.Fail++
	case Skip:
		t.Skip++
	case Broken:
		t.Broken++
	case Unjudged:
		t.Unjudged++
	}
	if accepted {
		t.WronglyAccepted++
	}
	if refused {
		t.WronglyRefused++
	}
}

// Count fills the totals from the results. A predicted cell counts nowhere.
func (r *Report) Count() {
	r.Totals, r.ScenarioTotals, r.CaseTotals = Totals{}, Totals{}, Totals{}
	for _, c := range r.Cells {
		if c.Basis != Predicted {
			r.Totals.add(c.Verdict, c.Excused, c.WronglyAccepted, c.WronglyRefused)
		}
	}
	for _, s := range r.Scenarios {
		r.ScenarioTotals.add(s.Verdict, s.Excused, s.WronglyAccepted, s.WronglyRefused)
	}
	for _, c := range r.Cases {
		r.CaseTotals.add(c.Verdict, c.Excused, c.WronglyAccepted, c.WronglyRefused)
	}
}

// ExitStatus is what the program ends with: 0 conforming, 1 not, 2 nobody can
// say. It needs the totals that Count fills. What is excused changes nothing; an
// excuse that is not kept is a failure, and one that was put to no test leaves
// the question open.
func (r *Report) ExitStatus() int {
	sum := r.Sum()
	switch {
	case r.Decided != nil:
		return *r.Decided
	case !r.Complete || r.FailedControl() != "":
		return 2
	case sum.Fail > 0 || slices.ContainsFunc(r.Expectations, ExcuseProblem.NotKept):
		return 1
	case sum.Broken > 0 || sum.Unjudged > 0 || len(r.Expectations) > 0, r.onlySkips(sum), r.undecidedMust(),
		r.SilentDoor() != "", r.SilentServer() != "", r.UndecidedLogin() != "", r.LeftAlone() != "":
		return 2
	default:
		return 0
	}
}

// NotKept: what the entry claims was put to the test, or is void.
func (p ExcuseProblem) NotKept() bool { return p.Problem != ExcuseUnused }

// Narrowed reports whether something was left out by choice.
func (r *Report) Narrowed() bool {
	for axis := range r.Selection {
		if !widening[axis] {
			return true
		}
	}
	return slices.ContainsFunc(r.Cells, func(c CellResult) bool { return c.Setting == Declared })
}

// widening names the flags in a selection that leave nothing out.
var widening = map[string]bool{
	"full": true, "profile-file": true, "expect": true, "baseline": true, "fail-on": true,
	// How a deployed server is asked.
	"resolve": true, "source": true, "proxy": true, "trust": true, "autoconfig": true, "probe": true, "login": true, "authorized": true,
	"tls": true, "allow-cleartext": true, "lab": true, "account-file": true, "max-failures": true, "parallel": true, "deadline": true, "wait": true, "repeat": true,
}

// onlySkips: nothing was decided. Controls are passed whatever was skipped, so
// they decide nothing here.
func (r *Report) onlySkips(sum Totals) bool {
	decided, skipped := sum.Cells-sum.Skip, sum.Skip
	for _, s := range r.Scenarios {
		switch {
		case s.Kind != KindControl:
		case s.Verdict == Skip:
			skipped--
		default:
			decided--
		}
	}
	return decided == 0 && skipped > 0 || sum.Cells == sum.Skip
}

// undecidedMust: a server might break a MUST, and nobody could find out. What a
// client of ours does not tell of itself is no such thing.
func (r *Report) undecidedMust() bool {
	return slices.ContainsFunc(r.Cases, func(c CaseResult) bool {
		return c.Profile == "" && c.Level == Must && c.Verdict == Skip && c.Why == WhyInconclusive
	})
}

// SilentDoor is the address of a door that the user has named and that says
// nothing, "" if there is none.
func (r *Report) SilentDoor() string {
	for _, t := range r.Targets {
		for _, d := range t.Doors {
			if d.Found == FoundNamed && !d.Speaks() {
				return d.Address
			}
		}
	}
	return ""
}

// SilentServer names a server in service of which doors were looked at and none
// speaks, "" if there is none. Of doors without stages it says nothing: they were
// given by whoever runs the server, and cases were run through them.
func (r *Report) SilentServer() string {
	for _, t := range r.Targets {
		looked := slices.ContainsFunc(t.Doors, func(d DoorResult) bool { return len(d.Stages) > 0 })
		if t.Kind == RemoteTarget && looked && !slices.ContainsFunc(t.Doors, DoorResult.Speaks) {
			return t.Name
		}
	}
	return ""
}

// LeftAlone says before what a server in service was left alone, and why, where
// that leaves its question open: no case was decided, or a door was not asked.
// It is "" where there is no such server.
func (r *Report) LeftAlone() string {
	for i, t := range r.Targets {
		if t.Kind != RemoteTarget || t.Effort == nil || t.Effort.Stopped == "" {
			continue
		}
		decided := func(c CaseResult) bool { return c.Target == i && c.Verdict != Skip && c.Verdict != Unjudged }
		if !slices.ContainsFunc(r.Cases, decided) {
			return "before anything was decided: " + t.Effort.Stopped
		}
		for _, d := range t.Doors {
			if d.Stages[StageConnect] == ConnectStopped {
				return "before " + d.Address + " was asked: " + t.Effort.Stopped
			}
		}
	}
	return ""
}

// UndecidedLogin is why nobody knows whether the account's login works that was
// asked for, "" if that is known or was not asked.
func (r *Report) UndecidedLogin() string {
	for _, s := range r.Scenarios {
		if strings.HasPrefix(s.ID, "scenario/"+KindDoor+"/"+TopicLogin+"/") && s.Verdict == Skip && s.Why == WhyInconclusive {
			return s.Reason
		}
	}
	return ""
}

// Sum adds the totals of cells, scenarios and cases.
func (r *Report) Sum() Totals {
	var sum Totals
	for _, t := range []Totals{r.Totals, r.ScenarioTotals, r.CaseTotals} {
		sum.Cells += t.Cells
		sum.Pass += t.Pass
		sum.Warn += t.Warn
		sum.Fail += t.Fail
		sum.Skip += t.Skip
		sum.Broken += t.Broken
		sum.Unjudged += t.Unjudged
		sum.Excused += t.Excused
		sum.WronglyAccepted += t.WronglyAccepted
		sum.WronglyRefused += t.WronglyRefused
	}
	return sum
}

// FailedControl names a control that did not hold, "" if all did: a run whose
// controls do not hold says nothing about the rest. A target may be unable to
// take some of them, but of each sort one must have been passed.
func (r *Report) FailedControl() string {
	unproven := map[string]string{} // a control of each sort that none has passed yet
	proven := map[string]bool{}
	for _, s := range r.Scenarios {
		if s.Kind != KindControl {
			continue
		}
		sort, _, _ := strings.Cut(strings.TrimPrefix(s.ID, "scenario/control/"), "/")
		switch s.Verdict {
		case Pass:
			proven[sort] = true
		case Skip:
			unproven[sort] = s.ID
		default:
			return s.ID
		}
	}
	for _, sort := range slices.Sorted(maps.Keys(unproven)) {
		if !proven[sort] {
			return unproven[sort]
		}
	}
	return ""
}
