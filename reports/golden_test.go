package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var update = flag.Bool("update", false, "write the golden files anew")

func written(t *testing.T, format string, r login.Report, o Options) []byte {
	t.Helper()
	f, err := Get(format)
	if err != nil {
		t.Fatal(err)
	}
	if f.Points && len(o.Claims) == 0 {
		o.Claims = []Claim{{File: "policy.yaml"}}
	}
	var b bytes.Buffer
	if err := f.Write(&b, r, o); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

var goldens = []struct {
	name    string
	why     string
	report  func() login.Report
	options Options
	formats []string
}{
	{"full", "the document's matrix and what follows from it", fullReport, Options{}, []string{"text", "markdown"}},
	{"failing", "a hole, a lock-out and a failure of ours", failingReport, Options{}, []string{"text", "markdown"}},
	{"failing-verbose", "nothing is left out", failingReport, Options{Verbose: true}, []string{"text"}},
	{"narrow", "who can log in, for a run that left things out", narrowReport, Options{}, []string{"text", "markdown"}},
	{"database", "who can log in, too long for a screen", databaseReport, Options{}, []string{"text"}},
	{"excused", "what was to be expected is told apart", excusedReport, Options{}, []string{"text", "markdown"}},
	{"excused-verbose", "and is shown at length", excusedReport, Options{Verbose: true}, []string{"text"}},
	{"unkept", "nothing failed, but not as expected", unkeptReport, Options{}, []string{"text", "markdown"}},
	{"policy", "who can log in under a policy", policyReport, Options{}, []string{"text", "markdown"}},
	{"interrupted", "what was done is kept", interruptedReport, Options{}, []string{"text"}},
	{"empty", "nothing is made up", emptyReport, Options{}, []string{"text", "markdown", "json", "junit", "csv", "jsonl", "svg", "sarif"}},
	{"small", "one of everything", smallReport, Options{}, []string{"text", "markdown", "json", "junit", "csv", "jsonl", "svg"}},
	{"claimed", "findings at the lines of a policy", smallReport, Options{Claims: testClaims()}, []string{"sarif"}},
	{"excused", "findings at the entries that excuse them", excusedReport, Options{Claims: testClaims()}, []string{"sarif"}},
	{"probed", "findings at doors, with what to change", probedReport, Options{Claims: testClaims()}, []string{"sarif"}},
	{"annotations", "findings at the lines of a policy", smallReport, Options{Claims: testClaims()}, []string{"annotations"}},
	{"annotations-excused", "known findings are notices", excusedReport, Options{Claims: testClaims()}, []string{"annotations"}},
	{"annotations-empty", "a run that did nothing is an error", emptyReport, Options{}, []string{"annotations"}},
	{"annotations-check", "no file claims anything", checkReport, Options{}, []string{"annotations"}},
	{"badge-conforming", "nothing failed", fullReport, Options{}, []string{"svg"}},
	{"check", "a server in service, as an administrator reads of it", checkReport, Options{}, []string{"text", "markdown", "junit", "csv"}},
	{"check-verbose", "and nothing is left out", checkReport, Options{Verbose: true}, []string{"text"}},
	{"check-conforming", "a stock server with a good certificate", conformingReport, Options{}, []string{"text"}},
	{"check-probed", "what attempts have shown, against a declared policy", probedReport, Options{}, []string{"text", "markdown", "csv"}},
	{"check-silent", "the door that was named does not answer", silentReport, Options{}, []string{"text", "markdown", "json"}},
	{"check-differing", "addresses and hosts that differ", differingReport, Options{}, []string{"text"}},
	{"check-blind", "from where little can be seen, and cut short", blindReport, Options{}, []string{"text"}},
	{"several", "our reference and two servers: whose failure, and where they differ", severalReport, Options{}, []string{"text", "markdown"}},
	{"check-crowded", "more than a screen holds", crowdedReport, Options{}, []string{"text"}},
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens {
		for _, name := range g.formats {
			format, err := Get(name)
			if err != nil {
				t.Fatal(err)
			}
			file := g.name + "." + format.Ext
			t.Run(file, func(t *testing.T) {
				got := written(t, name, g.report(), g.options)
				path := filepath.Join("testdata", "golden", file)
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s (%s), golden against now:\n%s", file, g.why, diff)
				}
			})
		}
	}
}
