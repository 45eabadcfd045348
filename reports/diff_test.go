package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// sampleDiff has a change of every kind, and what a hostile server said.
func sampleDiff() *results.Diff {
	side := func(file string) results.Side {
		return results.Side{File: file, Tool: "mailmatrix 0.1.0", Catalogue: "2026.1", Targets: []string{"reference"},
			Started: time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)}
	}
	d := &results.Diff{Schema: results.DiffSchema, Old: side("old.json"), New: side("new.json"), Compared: 812, Totals: map[results.ChangeKind]int{},
		Notes: []string{"the runs were narrowed differently"}}
	add := func(of, id string, before, after *results.Finding, regression bool, kinds ...results.ChangeKind) {
		d.Changes = append(d.Changes, results.Change{Kinds: kinds, Of: of, ID: id, Old: before, New: after, Regression: regression})
		for _, k := range kinds {
			d.Totals[k]++
		}
		if regression {
			d.Regressions++
		}
	}
	pass := &results.Finding{Verdict: login.Pass, Outcome: "refused-policy"}
	fail := &results.Finding{Verdict: login.Fail, Outcome: "logged-in", Exposure: login.ShowsPassword, Reason: "expected refused-policy, saw logged-in"}
	for _, profile := range []string{"eudora", "probe"} {
		for i := range 7 {
			add("cell", fmt.Sprintf("modern/smtp/plain/M-%d/secure/%s/wingate/none/account", i, profile), pass, fail, true,
				results.NewlyAccepted, results.NewExposure, results.PassToFail)
		}
	}
	add("case", "both/policy/003@smtp", &results.Finding{Verdict: login.Pass},
		&results.Finding{Verdict: login.Fail, Reason: "it said \x1b[31m|<b>`*503"}, true, results.PassToFail)
	add("case", "smtp/auth/003@smtp", &results.Finding{Verdict: login.Fail}, &results.Finding{Verdict: login.Pass}, false, results.Fixed)
	add("case", "smtp/auth/004@smtp", &results.Finding{Verdict: login.Pass}, &results.Finding{Verdict: login.Fail, Excused: "known"}, false, results.OtherChange)
	add("mechanism", "pop3:110/plain/USER-PASS", &results.Finding{Outcome: "offered"}, &results.Finding{Outcome: "not offered"}, false, results.NewlyRefused)
	add("scenario", "scenario/posture/x", pass, fail, false, results.ChangeFlaky)
	add("scenario", "scenario/relay/x", nil, pass, false, results.Appeared)
	add("scenario", "scenario/relay/y", pass, nil, false, results.Vanished)
	return d
}

func TestDiffGoldens(t *testing.T) {
	sameAgain := sampleDiff()
	sameAgain.Changes, sameAgain.Regressions, sameAgain.Totals, sameAgain.Notes = []results.Change{}, 0, map[results.ChangeKind]int{}, []string{}
	for _, row := range []struct {
		name, format string
		diff         *results.Diff
		options      Options
	}{
		{"diff.txt", "text", sampleDiff(), Options{}},
		{"diff-verbose.txt", "text", sampleDiff(), Options{Verbose: true}},
		{"diff-none.txt", "text", sameAgain, Options{}},
		{"diff.md", "markdown", sampleDiff(), Options{}},
		{"diff-none.md", "markdown", sameAgain, Options{}},
		{"diff.json", "json", sameAgain, Options{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteDiff(&b, row.diff, row.format, row.options); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "golden", row.name)
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil { //nolint:gosec // it is to be read
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path) //nolint:gosec // one of ours
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("golden against now:\n%s", diff)
			}
			if strings.Contains(b.String(), "\x1b") && row.format != "json" {
				t.Error("what a stranger said reaches the terminal")
			}
			for line := range strings.Lines(b.String()) {
				if row.format == "text" && len(line) > DefaultWidth+1 {
					t.Errorf("%d columns: %s", len(line), line)
				}
			}
		})
	}
}

// A diff of everything fits a pull request, and says how much it left out; as JSON
// it has all.
func TestDiffOfEverything(t *testing.T) {
	d := sampleDiff()
	for range 20_000 {
		d.Changes = append(d.Changes, d.Changes[0])
	}
	var page, all bytes.Buffer
	if err := WriteDiff(&page, d, "markdown", Options{}); err != nil {
		t.Fatal(err)
	}
	if page.Len() > markdownRoom || !strings.Contains(page.String(), "more rows") {
		t.Errorf("%d octets", page.Len())
	}
	if err := WriteDiff(&all, d, "json", Options{}); err != nil {
		t.Fatal(err)
	}
	var again results.Diff
	if err := json.Unmarshal(all.Bytes(), &again); err != nil || len(again.Changes) != len(d.Changes) {
		t.Errorf("%d changes, %v", len(again.Changes), err)
	}
	if err := WriteDiff(&all, d, "csv", Options{}); err == nil {
		t.Error("there is no such form")
	}
}

// Several servers in one report: every form can be written, and a diff of it with
// itself has nothing to say.
func TestMergedTargets(t *testing.T) {
	ours, theirs := smallReport(), checkReport()
	theirs.Catalogue = ours.Catalogue
	for _, parts := range [][]results.Part{
		{{Name: "ours", Report: ours}, {Name: "theirs", Report: theirs}},
		{{Name: "theirs", Report: theirs}, {Name: "ours", Report: ours}},
	} {
		merged, err := results.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		if err := results.Sound(&merged); err != nil {
			t.Fatal(err)
		}
		for _, f := range All() {
			if f.Points { // which wants a file of the user's
				continue
			}
			if got := written(t, f.Name, merged, Options{}); len(got) == 0 {
				t.Errorf("%s is empty", f.Name)
			}
		}
		both := results.Part{Name: "both", Report: merged}
		if d, err := results.Compare(both, both); err != nil || len(d.Changes) > 0 || d.Compared == 0 {
			t.Errorf("%v, %+v", err, d.Changes)
		}
	}
}
