package results_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// halves are the two shards of a small run. Its control is in both.
func halves() []results.Part {
	control := login.ScenarioResult{ID: "scenario/control/known/first", Kind: login.KindControl, Verdict: login.Pass, Expected: []string{"logged-in"}}
	half := func(k string, id string, place int) results.Part {
		row := 0
		return results.Part{Name: k + ".json", Report: login.Report{Schema: login.Schema, Complete: true, Seed: 7, Catalogue: "2026.1",
			Selection: map[string][]string{"shard": {k + "/2"}, "protocol": {"smtp"}},
			Targets:   []login.TargetResult{{Name: "reference", Kind: "reference"}},
			Cells:     []login.CellResult{{ID: id, Verdict: login.Fail, WronglyAccepted: true, Transcript: &row}},
			Scenarios: []login.ScenarioResult{control},
			Lines:     []string{"S 220 " + id, "C QUIT"}, Transcripts: [][]int{{0, 1}},
			Order: []int{place, 2}}}
	}
	return []results.Part{half("1", "b", 1), half("2", "a", 0)}
}

// The parts come together in the order of the run, totals counted anew.
func TestMerge(t *testing.T) {
	r, err := results.Merge(halves())
	if err != nil {
		t.Fatal(err)
	}
	if r.Cells[0].ID != "a" || r.Cells[1].ID != "b" || len(r.Scenarios) != 1 || r.Order != nil || r.Selection["shard"] != nil {
		t.Errorf("%+v", r)
	}
	if r.Totals.Fail != 2 || r.Totals.WronglyAccepted != 2 || r.ScenarioTotals.Pass != 1 {
		t.Errorf("totals are %+v, %+v", r.Totals, r.ScenarioTotals)
	}
	if !slices.Equal(r.Lines, []string{"S 220 a", "C QUIT", "S 220 b"}) || !slices.Equal(r.Transcript(r.Cells[1].Transcript), []string{"S 220 b", "C QUIT"}) {
		t.Errorf("lines are %q, rows %v", r.Lines, r.Transcripts)
	}
}

// What does not belong together is refused, in one line that says why.
func TestMergeRefuses(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(p []results.Part) []results.Part
		want   string
	}{
		{"a shard is missing", func(p []results.Part) []results.Part { return p[:1] }, "shard 2/2 is missing"},
		{"one is of another seed", func(p []results.Part) []results.Part { p[1].Report.Seed = 8; return p }, "1.json and 2.json are not shards of one run: they differ in seed (7 and 8)"},
		{"one is of another catalogue", func(p []results.Part) []results.Part { p[1].Report.Catalogue = "2027.1"; return p }, "differ in catalogue (2026.1 and 2027.1)"},
		{"one is narrowed otherwise", func(p []results.Part) []results.Part {
			p[1].Report.Selection = map[string][]string{"shard": {"2/2"}, "protocol": {"pop3"}}
			return p
		}, "differ in selection (map[protocol:[smtp]] and map[protocol:[pop3]])"},
		{"one is of three", func(p []results.Part) []results.Part { p[1].Report.Selection["shard"][0] = "2/3"; return p }, "differ in number of shards (2 and 3)"},
		{"a control failed in one of them", func(p []results.Part) []results.Part {
			p[1].Report.Scenarios[0].Verdict = login.Fail
			return p
		}, "scenario/control/known/first came to something else in 1.json than in 2.json"},
		{"the plans differ", func(p []results.Part) []results.Part { p[1].Report.Scenarios[0].ID = "scenario/x"; return p },
			"1.json has scenario/control/known/first where 2.json has scenario/x"},
		{"there is a hole", func(p []results.Part) []results.Part {
			p[1].Report.Order[0] = 1
			p[1].Report.Cells[0].ID = "b"
			return p
		},
			"have no result 1 of the run"},
		{"no places", func(p []results.Part) []results.Part { p[1].Report.Order = nil; return p }, "2.json does not say where its results belong"},
		{"one is whole", func(p []results.Part) []results.Part { p[1].Report.Selection = nil; return p },
			"2.json and 1.json are both about reference reference, and not shards of one run: `mailmatrix report diff` compares them"},
		{"two targets, two catalogues", func(p []results.Part) []results.Part {
			return append(p, results.Part{Name: "3.json", Report: login.Report{Catalogue: "2027.1"}})
		}, "1.json is about catalogue 2026.1, and 3.json about 2027.1"},
	} {
		_, err := results.Merge(row.change(halves()))
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", row.why, err, row.want)
		}
	}
}

// Several servers stand side by side: each result says which is meant, and what
// holds for one of them is not said of all.
func TestMergeTargets(t *testing.T) {
	row := 0
	server := func(name string, seed uint64) results.Part {
		return results.Part{Name: name + ".json", Report: login.Report{Schema: login.Schema, Tool: "mailmatrix test", Complete: true, Seed: seed, Catalogue: "2026.1",
			Targets:   []login.TargetResult{{Name: name, Kind: "remote"}},
			Cells:     []login.CellResult{{ID: "remote/smtp", Verdict: login.Pass, Transcript: &row}},
			Cases:     []login.CaseResult{{ID: "x/y/001", Verdict: login.Fail}},
			NotTested: []login.NotTested{{What: "relay", Why: login.WhyBudget, Flag: "--login"}},
			Lines:     []string{"S 220 " + name}, Transcripts: [][]int{{0}}}}
	}
	parts := append([]results.Part{server("b", 1), server("a", 2)}, halves()...)
	parts[1].Report.Selection = map[string][]string{"policy": {"modern"}}
	r, err := results.Merge(parts)
	if err != nil {
		t.Fatal(err)
	}
	if err := results.Sound(&r); err != nil {
		t.Error(err)
	}
	var names []string
	for _, target := range r.Targets {
		names = append(names, target.Name)
	}
	if !slices.Equal(names, []string{"b", "a", "reference"}) || r.Seed != 0 || r.Selection["shard"] != nil {
		t.Errorf("targets %q, seed %d, selection %v", names, r.Seed, r.Selection)
	}
	var targets []int
	for _, c := range r.Cells {
		targets = append(targets, c.Target)
	}
	if !slices.Equal(targets, []int{0, 1, 2, 2}) || r.Cases[1].Target != 1 || r.CaseTotals.Fail != 2 || r.Totals.Cells != 4 {
		t.Errorf("cells are of targets %v, totals %+v", targets, r.Totals)
	}
	for i, want := range []login.Asked{{Seed: 1}, {Seed: 2, Selection: map[string][]string{"policy": {"modern"}}}, {Seed: 7, Selection: map[string][]string{"protocol": {"smtp"}}}} {
		if asked, known := r.AskedOf(i); !known || asked.Seed != want.Seed || !maps.EqualFunc(asked.Selection, want.Selection, slices.Equal) {
			t.Errorf("%s was asked by %+v, not %+v", names[i], asked, want)
		}
	}
	if said := r.Transcript(r.Cells[1].Transcript); !slices.Equal(said, []string{"S 220 a"}) || r.NotTested[1].What != "a: relay" {
		t.Errorf("the second says %q, not tested is %q", said, r.NotTested[1].What)
	}

	// Two servers on one machine are two.
	one, two := server("a", 1), server("a", 1)
	one.Report.Targets[0].Doors = []login.DoorResult{{Protocol: login.SMTP, Address: "127.0.0.1:20025"}}
	two.Report.Targets[0].Doors = []login.DoorResult{{Protocol: login.SMTP, Address: "127.0.0.1:20026"}}
	if r, err := results.Merge([]results.Part{one, two}); err != nil || len(r.Targets) != 2 {
		t.Errorf("%d targets, %v", len(r.Targets), err)
	}

	// One of them is worse than it was, and the diff says which.
	worse := server("a", 2)
	worse.Report.Cells[0].Verdict = login.Fail
	after, err := results.Merge([]results.Part{worse, server("b", 1)})
	if err != nil {
		t.Fatal(err)
	}
	before, err := results.Merge(parts[:2])
	if err != nil {
		t.Fatal(err)
	}
	d, err := results.Compare(results.Part{Report: before}, results.Part{Report: after})
	if err != nil || len(d.Changes) != 1 || d.Changes[0].Target != "a" {
		t.Errorf("%v, %+v", err, d.Changes)
	}
}

// A damaged report is refused before anybody relies on it.
func TestSound(t *testing.T) {
	at := func(i int) *int { return &i }
	for _, row := range []struct {
		why    string
		damage func(*login.Report)
		want   string
	}{
		{"as it was written", func(*login.Report) {}, ""},
		{"a line", func(r *login.Report) { r.Transcripts[0][0] = 9 }, "line 9, and there are 2"},
		{"a transcript", func(r *login.Report) { r.Cells[0].Transcript = at(1) }, "transcript 1, and there are 1"},
		{"a transcript before the first", func(r *login.Report) { r.Scenarios[0].Transcript = at(-1) }, "transcript -1"},
		{"a target", func(r *login.Report) { r.Cells[0].Target = 3 }, "target 3, and there are 1"},
		{"a door", func(r *login.Report) { r.Scenarios[0].Door = at(4) }, "door 4"},
		{"a door before the first", func(r *login.Report) { r.Cases = []login.CaseResult{{Door: -1}} }, "door -1"},
		{"a client's transcript", func(r *login.Report) {
			r.Clients = []login.ClientDescription{{Protocols: []login.ClientManners{{Floors: map[login.Encryption]login.Floor{"off": {Transcript: at(8)}}}}}}
		}, "transcript 8"},
		{"a count of cells", func(r *login.Report) { r.Totals.Fail = 0 }, "its totals of cells are not those of its results (1 fail, and 0 are counted)"},
		{"a count of scenarios", func(r *login.Report) { r.ScenarioTotals = login.Totals{} }, "its totals of scenarios"},
		{"a count of cases", func(r *login.Report) { r.CaseTotals.WronglyAccepted++ }, "its totals of cases"},
		{"places", func(r *login.Report) { r.Order = []int{1} }, "the places of 1 results, and 2 results"},
	} {
		r := halves()[0].Report
		r.Count()
		row.damage(&r)
		err := results.Sound(&r)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.why, err, row.want)
		}
	}
}
