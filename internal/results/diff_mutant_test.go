package results_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
	"github.com/mailmatrix/mailmatrix/server"
)

// One rule of the server is broken: Secure is taken for Allow on a clear link. So
// the cells that differ are those on a clear link under secure that, under allow,
// came to something else; and the diff names these, and no other.
func TestDiffNamesWhatAMutantChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: some thousand logins")
	}
	plan := planned(t, harness.Grid{Profiles: []string{"probe", "eudora"}, Flavours: []login.Flavour{login.Modern},
		Databases: []login.Database{login.WinGate, login.NT}})
	plan.Jobs = slices.DeleteFunc(plan.Jobs, func(j harness.Job) bool { return j.Scenario != nil && j.Scenario.Kind != login.KindControl })
	run := func(name string, seed uint64, opts ...server.Option) results.Part {
		return read(t, name, harness.Run(context.Background(), plan, harness.Config{Target: reference(t, opts...), TargetKind: "reference",
			Seed: seed, Transcripts: harness.KeepAll, Patience: 200 * time.Millisecond}))
	}
	before, again := run("old.json", 5), run("again.json", 6)
	mutant := run("new.json", 5, server.WithBug(server.SecureIgnoredOnPlain))

	same, err := results.Compare(before, again)
	if err != nil || len(same.Changes) > 0 || same.Status() != 0 || same.Compared != len(plan.Jobs) {
		t.Fatalf("the same server, another seed: %v, %d compared, %+v", err, same.Compared, same.Changes)
	}

	allowed := map[string]login.CellResult{}
	for _, c := range before.Report.Cells {
		if c.Setting == login.Allow {
			allowed[strings.Replace(c.ID, "/allow/", "/secure/", 1)] = c
		}
	}
	want := map[string]bool{} // and whether somebody gets in
	for _, c := range before.Report.Cells {
		as, known := allowed[c.ID]
		if known && c.Transport == login.Plain && (as.Outcome != c.Outcome || as.Exposure != c.Exposure) {
			want[c.ID] = as.Outcome == login.LoggedIn
		}
	}
	d, err := results.Compare(before, mutant)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, c := range d.Changes {
		if c.Of != "cell" || !c.Regression || !slices.Contains(c.Kinds, results.PassToFail) {
			t.Errorf("%s %s is %v, a regression: %v", c.Of, c.ID, c.Kinds, c.Regression)
		}
		got[c.ID] = slices.Contains(c.Kinds, results.NewlyAccepted)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells that the rule is about against those in the diff:\n%s", diff)
	}
	in := 0
	for accepted := range maps.Values(got) {
		if accepted {
			in++
		}
	}
	if in == 0 || in == len(got) || d.Status() != 1 || d.Totals[results.NewExposure] == 0 {
		t.Errorf("%d of %d newly accepted, status %d, %v", in, len(got), d.Status(), d.Totals)
	}
	t.Logf("%d of %d cells changed: %v", len(got), len(before.Report.Cells), d.Totals)

	mended, err := results.Compare(mutant, before)
	if err != nil || mended.Status() != 0 || mended.Totals[results.Fixed] != len(got) || mended.Totals[results.NewlyRefused] != in {
		t.Errorf("the other way round: %v, status %d, %v", err, mended.Status(), mended.Totals)
	}
}
