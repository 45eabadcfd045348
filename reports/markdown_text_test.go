package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A page that is too long is not shown at all.
func TestMarkdownFits(t *testing.T) {
	long := func(lines int, line string) login.Report {
		r := crowd(12)
		for i := range r.Cells {
			r.Cells[i].Transcript = keep(&r, slices.Repeat([]string{fmt.Sprintf("S %d %s", i, line)}, lines)...)
		}
		return r
	}
	left := fullReport()
	for i := range 5000 {
		left.NotTested = append(left.NotTested, login.NotTested{What: fmt.Sprintf("experiment %d", i), Why: login.WhyBudget, Flag: "--max-failures"})
	}
	endless := crowd(3)
	endless.Cells[0].Reason = strings.Repeat("<all work and no play> ", 10000)
	guests := crowd(2000)
	for i := range guests.Cells {
		guests.Cells[i].Setting = login.Declared
	}
	check := checkReport()
	for i := range check.Scenarios {
		check.Scenarios[i].Transcript = keep(&check, slices.Repeat([]string{strings.Repeat("S <go> ", 100)}, 500)...)
	}
	for _, c := range []struct {
		name   string
		report login.Report
		says   string
	}{
		{"conversations without end", long(5000, "go on"), "... 4,800 earlier lines"},
		{"lines without end", long(3, strings.Repeat("<secret> ", 3000)), "earlier line"},
		{"lists without end", left, "... and 4,800 more lines: see the JSON report."},
		{"a reason without end", endless, "more lines: see the JSON report."},
		{"a thousand clients", guests, "more rows: see the JSON report."},
		{"a check with conversations without end", check, "earlier lines"},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := string(written(t, "markdown", c.report, Options{}))
			if len(page) > markdownRoom {
				t.Errorf("%d bytes", len(page))
			}
			if !strings.Contains(page, c.says) {
				t.Errorf("%q is not in it; it ends in\n%s", c.says, page[max(0, len(page)-800):])
			}
			if strings.Count("\n"+page, "\n```")%2 != 0 || strings.Count(page, "<details>") != strings.Count(page, "</details>") {
				t.Errorf("something is left open; it ends in\n%s", page[max(0, len(page)-800):])
			}
		})
	}
}

// What fits is left alone.
func TestMarkdownIsWhole(t *testing.T) {
	for name, report := range everyReport {
		if page := string(written(t, "markdown", report(), Options{})); strings.Contains(page, "more row") || strings.Contains(page, "earlier line") {
			t.Errorf("%s is cut though it has but %d bytes", name, len(page))
		}
	}
}
