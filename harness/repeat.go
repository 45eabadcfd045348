package harness

import (
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Repeated makes one report of several of the same plan: each result is the
// worst that it came to, and those that differ are listed as flaky. The order is
// that of the first report, which must be there.
func Repeated(runs []login.Report) login.Report {
	all := runs[0]
	all.Cells, all.Scenarios, all.Cases, all.Expectations = nil, nil, nil, nil
	all.ElapsedMS = 0
	all.Targets = slices.Clone(all.Targets)
	if len(runs) > 1 && slices.ContainsFunc(all.Targets, func(t login.TargetResult) bool { return t.Effort != nil }) {
		all.Selection = maps.Clone(all.Selection)
		if all.Selection == nil {
			all.Selection = map[string][]string{}
		}
		all.Selection["repeat"] = []string{strconv.Itoa(len(runs))}
	}
	var lines login.Lines
	clients := keepClients(&runs[0], &lines)
	worst := map[place]worstResult{}
	var order []place
	for i := range runs {
		r := &runs[i]
		all.Complete = all.Complete && r.Complete
		all.ElapsedMS += r.ElapsedMS
		keepEffort(all.Targets, r.Targets)
		for _, p := range r.Expectations {
			if !slices.Contains(all.Expectations, p) {
				all.Expectations = append(all.Expectations, p)
			}
		}
		for at, one := range resultsOf(r) {
			before, known := worst[at]
			if !known {
				order = append(order, at)
				before.verdicts = map[login.Verdict]int{}
			}
			before.verdicts[one.verdict()]++
			if !known || one.verdict() > before.verdict() || one.verdict() == before.verdict() && before.excused() && !one.excused() {
				one.from, one.verdicts = r, before.verdicts
				before = one
			}
			worst[at] = before
		}
	}
	for _, at := range order {
		w := worst[at]
		row := lines.Keep(w.from.Transcript(w.transcript()))
		switch {
		case w.cell != nil:
			c := *w.cell
			c.Transcript = row
			all.Cells = append(all.Cells, c)
		case w.scenario != nil:
			s := *w.scenario
			s.Transcript = row
			all.Scenarios = append(all.Scenarios, s)
		default:
			c := *w.compliance
			c.Transcript = row
			all.Cases = append(all.Cases, c)
		}
		if len(w.verdicts) > 1 {
			all.Flaky = append(all.Flaky, login.Flake{ID: at.key, Verdicts: w.verdicts})
		}
	}
	all.Clients = clients
	lines.Fill(&all)
	all.Count()
	return all
}

// keepEffort puts what a run says its server was asked to do in the place of what
// those before it said: the runs of a check have one budget, which counts on.
func keepEffort(all, run []login.TargetResult) {
	for i := range min(len(all), len(run)) {
		if run[i].Effort != nil {
			all[i].Effort = run[i].Effort
		}
	}
}

// place is which result of a report is meant: two doors may speak one protocol,
// and then a key stands for several.
type place struct {
	key string
	nth int
}

// worstResult is the worst that a result came to so far; one of the three is set.
type worstResult struct {
	cell       *login.CellResult
	scenario   *login.ScenarioResult
	compliance *login.CaseResult
	from       *login.Report
	verdicts   map[login.Verdict]int
}

// resultsOf are all results of a report, in its order.
func resultsOf(r *login.Report) iter.Seq2[place, worstResult] {
	return func(yield func(place, worstResult) bool) {
		times := map[string]int{}
		next := func(key string, w worstResult) bool {
			times[key]++
			return yield(place{key, times[key]}, w)
		}
		for i := range r.Cells {
			if !next(r.Cells[i].ID, worstResult{cell: &r.Cells[i]}) {
				return
			}
		}
		for i := range r.Scenarios {
			if !next(r.Scenarios[i].ID, worstResult{scenario: &r.Scenarios[i]}) {
				return
			}
		}
		for i := range r.Cases {
			if !next(r.Key(r.Cases[i]), worstResult{compliance: &r.Cases[i]}) {
				return
			}
		}
	}
}

func (w worstResult) verdict() login.Verdict {
	switch {
	case w.cell != nil:
		return w.cell.Verdict
	case w.scenario != nil:
		return w.scenario.Verdict
	default:
		return w.compliance.Verdict
	}
}

func (w worstResult) excused() bool {
	switch {
	case w.cell != nil:
		return w.cell.Excused != ""
	case w.scenario != nil:
		return w.scenario.Excused != ""
	default:
		return w.compliance.Excused != ""
	}
}

func (w worstResult) transcript() *int {
	switch {
	case w.cell != nil:
		return w.cell.Transcript
	case w.scenario != nil:
		return w.scenario.Transcript
	default:
		return w.compliance.Transcript
	}
}

// keepClients are the clients' manners of a report, with their transcripts in
// the table.
func keepClients(r *login.Report, lines *login.Lines) []login.ClientDescription {
	clients := slices.Clone(r.Clients)
	for i := range clients {
		clients[i].Protocols = slices.Clone(clients[i].Protocols)
		for j := range clients[i].Protocols {
			m := &clients[i].Protocols[j]
			floors, denials := map[login.Encryption]login.Floor{}, map[string]login.Denial{}
			for _, e := range slices.Sorted(maps.Keys(m.Floors)) {
				floor := m.Floors[e]
				floor.Transcript = lines.Keep(r.Transcript(floor.Transcript))
				floors[e] = floor
			}
			for _, answer := range slices.Sorted(maps.Keys(m.Denials)) {
				denial := m.Denials[answer]
				denial.Transcript = lines.Keep(r.Transcript(denial.Transcript))
				denials[answer] = denial
			}
			m.Floors, m.Denials = floors, denials
		}
	}
	return clients
}
