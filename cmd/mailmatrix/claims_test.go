package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sarif is what matters here of a SARIF log.
type sarif struct {
	Runs []struct {
		Results []struct {
			RuleID    string
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}

// places are where a log says that its results are: rule, file, line.
func places(t *testing.T, log string) [][3]any {
	t.Helper()
	var s sarif
	if err := json.Unmarshal([]byte(log), &s); err != nil || len(s.Runs) != 1 {
		t.Fatalf("%d runs, %v in\n%s", len(s.Runs), err, log)
	}
	var all [][3]any
	for _, r := range s.Runs[0].Results {
		at := r.Locations[0].PhysicalLocation
		all = append(all, [3]any{r.RuleID, at.ArtifactLocation.URI, at.Region.StartLine})
	}
	return all
}

// A format with nothing to point at is refused before the work begins, and leaves
// nothing behind.
func TestSARIFWantsAFile(t *testing.T) {
	for _, args := range []string{
		"run --profile eudora --format sarif",
		"run --profile eudora --output sarif=out.sarif",
		"run --profile eudora --output sarif=out.sarif --policy modern --write-expect new.yaml",
		"check smtp://127.0.0.1:1 --format sarif",
		"policy check modern smtp://127.0.0.1:1 --format sarif",
	} {
		t.Run(args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			status, out, diagnostics := mailmatrix(t, strings.Fields(args)...)
			if status != 2 || out != "" || strings.Count(diagnostics, "\n") != 1 ||
				!strings.HasPrefix(diagnostics, "mailmatrix: sarif points at lines of the file that makes a claim: give --policy FILE or --expect FILE") {
				t.Errorf("exit status %d, output %q, says %q", status, out, diagnostics)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

// What does not hold is shown at the entry that says it, under the name by which
// the repository knows the file.
func TestExpectationsHaveLines(t *testing.T) {
	t.Chdir(t.TempDir())
	const cell = "classic/smtp/starttls/CRAM-MD5/secure/eudora/wingate/none/account"
	if err := os.WriteFile("known.yaml", []byte("# mine\n\n- {pattern: "+cell+", verdict: fail, reason: r, source: s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("known.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"./known.yaml", here} {
		status, out, _ := mailmatrix(t, "run", "--profile", "eudora", "--mechanism", "CRAM-MD5", "--protocol", "smtp", "--expect", name,
			"--format", "annotations", "--output", "sarif=out.sarif")
		log, err := os.ReadFile("out.sarif")
		if err != nil {
			t.Fatal(err)
		}
		want := [3]any{"expectation/unexpected-pass", "known.yaml", 3}
		if got := places(t, string(log)); status != 1 || len(got) != 1 || got[0] != want {
			t.Errorf("%s: exit status %d, %v, want %v", name, status, got, want)
		}
		if !strings.HasPrefix(out, "::error file=known.yaml,line=3,title=expectation%3A "+cell+"::") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// What a server does against a policy is shown at the line that it breaks.
func TestPoliciesHaveLines(t *testing.T) {
	mine := file(t, "mine.yaml", "policy:\n  PLAIN: secure\n  # never again\n  CRAM-MD5: deny\n")
	args := append([]string{"check", "--policy", mine, "--format", "sarif"}, served(t, "legacy")...)
	status, out, diagnostics := mailmatrix(t, args...)
	if status != 1 {
		t.Fatalf("exit status %d, says %s", status, diagnostics)
	}
	want := [3]any{"scenario/door/denied-offered", "file://" + filepath.ToSlash(mine), 4}
	if got := places(t, out); !slices.Contains(got, want) {
		t.Errorf("%v is not in %v", want, got)
	}
}
