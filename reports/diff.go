package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// DiffFormats are the names of the forms in which a diff can be written.
func DiffFormats() []string { return []string{"text", "markdown", "json"} }

// WriteDiff writes a diff down in one of these forms.
func WriteDiff(w io.Writer, d *results.Diff, format string, o Options) error {
	switch format {
	case "text":
		return writeDiffText(w, d, o)
	case "markdown":
		_, err := io.WriteString(w, fitted(func(m *markdown) { m.diff(d) }))
		return err
	case "json":
		return writeIndented(w, d)
	default:
		return fmt.Errorf("a diff has no form %q", format)
	}
}

// changeTitles say what the kinds of changes mean.
var changeTitles = map[results.ChangeKind]string{
	results.NewlyAccepted: "newly accepted",
	results.NewlyRefused:  "newly refused",
	results.NewExposure:   "new exposure",
	results.PassToFail:    "pass to fail",
	results.Fixed:         "fixed",
	results.OtherChange:   "changed otherwise",
	results.ChangeFlaky:   "flaky",
	results.Appeared:      "appeared: decided now, and not before",
	results.Vanished:      "vanished: decided before, and not now",
}

// diffVerdict is the diff in a sentence.
func diffVerdict(d *results.Diff) string {
	switch {
	case d.Unproved:
		return "CANNOT SAY: a control failed"
	case d.Regressions > 0:
		return "WORSE: " + of(d.Regressions, "regression")
	case d.Compared == 0:
		return "NOTHING IN COMMON: no result is in both reports"
	case len(d.Changes) == 0:
		return "NO CHANGE"
	default:
		return "NO REGRESSION"
	}
}

// diffTally counts the changes of each kind, those that there are.
func diffTally(d *results.Diff) string {
	var parts []string
	for _, k := range results.ChangeKinds() {
		if n := d.Totals[k]; n > 0 {
			title, _, _ := strings.Cut(changeTitles[k], ":")
			parts = append(parts, count(n)+" "+title)
		}
	}
	return strings.Join(append(parts, count(d.Compared)+" compared"), ", ")
}

// findingText is what a result came to, in a few words.
func findingText(c results.Change, f *results.Finding) string {
	if f == nil {
		return "not there"
	}
	var parts []string
	if c.Of != "mechanism" { // which has no verdict
		parts = append(parts, f.Verdict.String())
	}
	if f.Outcome != "" {
		parts = append(parts, ascii(f.Outcome))
	}
	if f.Exposure > login.ShowsNothing {
		parts = append(parts, f.Exposure.String()+" readable")
	}
	if f.Excused != "" {
		parts = append(parts, "excused")
	}
	text := strings.Join(parts, ", ")
	if f == c.New && f.Reason != "" && c.Of != "cell" { // of which the outcome says it all
		text += ": " + ascii(f.Reason)
	}
	return text
}

// changeName is the ID of what changed, with its server where there are several.
func changeName(c results.Change) string {
	if c.Target != "" {
		return ascii(c.Target) + ": " + ascii(c.ID)
	}
	return ascii(c.ID)
}

// inCommon is the pattern of all cells among the changes, "" where one cell is
// not several, or nothing in their IDs is the same.
func inCommon(changes []results.Change) string {
	var common []string
	cells, differs := 0, false
	for _, c := range changes {
		if c.Of != "cell" {
			continue
		}
		segments := strings.Split(ascii(c.ID), "/")
		if cells++; cells == 1 {
			common = segments
			continue
		}
		if len(segments) != len(common) {
			return ""
		}
		for i, s := range segments {
			if common[i] != s {
				common[i], differs = "*", true
			}
		}
	}
	if pattern := strings.Join(common, "/"); differs && strings.Trim(pattern, "*/") != "" {
		return pattern
	}
	return ""
}
