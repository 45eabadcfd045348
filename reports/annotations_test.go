package reports

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// workflowCommand is one as GitHub's runner reads it: properties end at a comma,
// the command at the next "::".
var workflowCommand = regexp.MustCompile(`^::(error|warning|notice) (?:file=([^,:]+),line=([1-9]\d*),)?title=([^,:]+)::(.+)$`)

func TestAnnotationsAreCommands(t *testing.T) {
	everything := map[string]func() login.Report{"hostile": hostileReport, "crowd": func() login.Report { return crowd(40) }}
	for name, report := range everyReport {
		everything[name] = report
	}
	for name, report := range everything {
		for _, claims := range [][]Claim{nil, testClaims()} {
			shown := map[string]int{}
			for line := range bytes.Lines(written(t, "annotations", report(), Options{Claims: claims})) {
				m := workflowCommand.FindStringSubmatch(strings.TrimSuffix(string(line), "\n"))
				if m == nil {
					t.Errorf("%s: no command: %q", name, line)
					continue
				}
				if bytes.ContainsAny(line, "\r\x1b\x00") || strings.HasPrefix(m[4], "owned") {
					t.Errorf("%s: the server commands: %q", name, line)
				}
				shown[m[1]]++
			}
			for level, n := range shown {
				if n > annotationsMost {
					t.Errorf("%s: %d of %s, of which %d are shown", name, n, level, annotationsMost)
				}
			}
			if shown["notice"] == 0 {
				t.Errorf("%s: no summary", name)
			}
		}
	}
}

// What is not shown is counted, and what decides the job is shown first.
func TestAnnotationsCountTheRest(t *testing.T) {
	text := string(written(t, "annotations", crowd(40), Options{}))
	if want := "::notice title=mailmatrix::40 results, 35 fail, 5 warn, exit status 1; 25 more errors not shown here\n"; !strings.HasSuffix(text, want) {
		t.Errorf("want %q at the end of\n%s", want, text)
	}
	if n := strings.Count(text, "::warning "); n != 5 {
		t.Errorf("%d warnings, want 5: they have room of their own", n)
	}
	broken := emptyReport()
	if text := string(written(t, "annotations", broken, Options{})); !strings.HasPrefix(text, "::error title=mailmatrix%3A incomplete::interrupted") {
		t.Errorf("a run that did nothing: %s", text)
	}
	if text := string(written(t, "annotations", fullReport(), Options{})); strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "exit status 0\n") {
		t.Errorf("a run without findings: %s", text)
	}
}
