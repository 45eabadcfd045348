package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// incomplete says why nobody can tell from the report whether the server
// conforms; "" if one can.
func incomplete(r *login.Report) string {
	switch failed := failedControl(r); {
	case !r.Complete:
		return "interrupted: what follows is only what was done"
	case failed != "":
		return "a control failed, so the rest proves nothing: " + failed
	case r.ExitStatus() != 2:
		return ""
	case r.Totals.Cells+r.ScenarioTotals.Cells+r.CaseTotals.Cells == 0:
		return "nothing was measured"
	case sum(r).Broken > 0:
		return "the harness itself failed in places"
	case sum(r).Unjudged > 0:
		return "not everything that was measured could be judged"
	default:
		return "nothing was tested: all of it was skipped"
	}
}

// failedControl names a control that did not hold.
func failedControl(r *login.Report) string {
	for _, s := range r.Scenarios {
		if s.Kind == login.KindControl && s.Verdict != login.Pass && s.Verdict != login.Skip {
			return s.ID
		}
	}
	return ""
}

// sum adds up the totals of cells, scenarios and cases.
func sum(r *login.Report) login.Totals {
	var all login.Totals
	for _, t := range []login.Totals{r.Totals, r.ScenarioTotals, r.CaseTotals} {
		all.Cells += t.Cells
		all.Pass += t.Pass
		all.Warn += t.Warn
		all.Fail += t.Fail
		all.Skip += t.Skip
		all.Broken += t.Broken
		all.Unjudged += t.Unjudged
		all.WronglyAccepted += t.WronglyAccepted
		all.WronglyRefused += t.WronglyRefused
	}
	return all
}
