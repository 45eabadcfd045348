package reports

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// history is four runs of a server: a quiet one, one in which much changes, from
// elsewhere and by another catalogue, and one that was cut off.
func history() login.History {
	run := func(id int64, day int) login.KeptRun {
		return login.KeptRun{ID: id, Started: time.Date(2026, 11, day, 8, 30, 0, 0, time.UTC), Tool: "mailmatrix 0.1.0", Catalogue: "2026.1",
			Vantage: "192.0.2.1", Complete: true, Facts: 400}
	}
	h := login.History{Target: "mail.example.test", Runs: []login.KeptRun{run(3, 1), run(4, 8), run(7, 15), run(9, 22)}}
	h.Runs[2].Catalogue, h.Runs[2].Vantage = "2026.2", ""
	h.Runs[1].Selection, h.Runs[2].Selection = map[string][]string{}, map[string][]string{"policy": {"modern"}, "probe": {}} // of the first nobody knows
	h.Runs[3].Catalogue, h.Runs[3].Vantage, h.Runs[3].Complete = "2026.2", "", false
	h.Changes = []login.FactChange{
		{ID: "door/smtp/587/plain/PLAIN", Before: 4, Run: 7, Was: login.Fact{Outcome: "not offered"}, Is: login.Fact{Outcome: "offered"}},
		{ID: "smtp/auth/003@smtp", Before: 3, Run: 7, Was: login.Fact{Verdict: login.Pass}, Is: login.Fact{Verdict: login.Fail}},
	}
	for i := range 12 {
		h.Changes = append(h.Changes, login.FactChange{ID: fmt.Sprintf("remote/smtp/plain/PLAIN/secure/client-%02d/unknown/none/account", i), Before: 4, Run: 7,
			Was: login.Fact{Verdict: login.Pass, Outcome: "not-offered"},
			Is:  login.Fact{Verdict: login.Fail, Outcome: "logged-in", Exposure: login.ShowsPassword}})
	}
	h.Changes = append(h.Changes, login.FactChange{ID: "smtp/auth/003@smtp", Before: 7, Run: 9, Was: login.Fact{Verdict: login.Fail}, Is: login.Fact{Verdict: login.Pass}})
	return h
}

func TestHistory(t *testing.T) {
	quiet := history()
	quiet.Changes = nil
	quiet.Runs = quiet.Runs[:1]
	for _, row := range []struct {
		file, why, format string
		history           login.History
		options           Options
	}{
		{"history.txt", "when what changed, the newest first", "text", history(), Options{}},
		{"history-verbose.txt", "nothing is left out", "text", history(), Options{Verbose: true}},
		{"history.md", "one table", "markdown", history(), Options{}},
		{"history.json", "for programs, and for the page", "json", history(), Options{}},
		{"history-quiet.txt", "one run, no change", "text", quiet, Options{}},
		{"history-quiet.md", "one run, no change", "markdown", quiet, Options{}},
		{"history-none.json", "no list is null", "json", login.History{Target: "x"}, Options{}},
	} {
		t.Run(row.file, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteHistory(&b, row.history, row.format, row.options); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "golden", row.file)
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s:\n%s", row.why, diff)
			}
		})
	}
	if err := WriteHistory(&bytes.Buffer{}, history(), "pdf", Options{}); err == nil {
		t.Error("there is no such form")
	}
}

// What is in a store may have been put there by anybody: a terminal obeys none of
// it, and no page shows it as more than text.
func TestHistoryHostile(t *testing.T) {
	h := history()
	const bad = "\x1b[2J<script>|`\n# x"
	h.Target, h.Runs[2].Tool, h.Runs[2].Catalogue, h.Changes[0].ID, h.Changes[0].Is.Outcome = bad, bad, bad, bad, bad
	for _, format := range []string{"text", "markdown", "html"} {
		var b bytes.Buffer
		if err := WriteHistory(&b, h, format, Options{}); err != nil {
			t.Fatal(err)
		}
		if out := b.String(); strings.Contains(out, "\x1b") || strings.Contains(out, "\n# x") || format != "text" && strings.Contains(out, "<script>|") {
			t.Errorf("%s:\n%s", format, out)
		}
	}
}
