package reports

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
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
			if !strings.HasSuffix(page, fmt.Sprintf("Exit status %d.\n", c.report.ExitStatus())) {
				t.Errorf("it ends in %q", page[len(page)-100:])
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

// Whatever a server says, and whatever a report that was read from a file calls its
// results, the page has no link, tag or address of theirs, and calls nobody.
func TestMarkdownQuotes(t *testing.T) {
	excused := hostileReport()
	excused.Cells[1].Excused = hostile
	several := severalReport()
	several.Targets[1].Name = hostile
	for i := range several.Scenarios {
		several.Scenarios[i].ID, several.Scenarios[i].Reason = "scenario/door/"+hostile, hostile
	}
	pages := map[string]string{}
	for name, r := range map[string]login.Report{"a run": hostileReport(), "known": excused, "several": several} {
		r.Count()
		pages[name] = string(written(t, "markdown", r, Options{}))
	}
	d := sampleDiff()
	d.Changes[1].Target, d.Notes = hostile, []string{hostile}
	for i := range d.Changes { // so that the pattern that cells have in common is theirs as well
		d.Changes[i].ID += "/" + hostile
	}
	d.Old.File = hostile
	pages["a diff"] = fitted(func(m *markdown) { m.diff(d) })
	for name, page := range pages {
		if !strings.Contains(page, "octocat") {
			t.Errorf("%s: what was said left no trace", name)
		}
		for line := range strings.Lines(outsideFences(page)) {
			raw := line
			line = escaped.ReplaceAllString(line, "")
			for _, live := range []string{
				"](http", "://evil", "@octocat", "octocat@evil", "www.evil", "~~", "#1", "GH-1", "$a", "a$", ":tada:", ":+1:", "<script", "</text", "`x",
			} {
				if strings.Contains(line, live) && !strings.Contains(line, comparison) {
					t.Errorf("%s: %q is live in %.300s", name, live, raw)
				}
			}
			if strings.HasPrefix(raw, "-ERR") || strings.HasPrefix(raw, "- -") {
				t.Errorf("%s: it begins a list: %.300s", name, raw)
			}
		}
	}
}

// escaped is a mark that a backslash has made plain text.
var escaped = regexp.MustCompile(`\\[!-/:-@\[-\x60{-~]`)

// outsideFences is the page without its conversations, in which nothing lives.
func outsideFences(page string) string {
	var out []string
	for i, part := range strings.Split(page, "```\n") {
		if i%2 == 0 {
			out = append(out, part)
		}
	}
	return strings.Join(out, "")
}

// What stands in no danger is left as it can be read.
func TestMarkdownText(t *testing.T) {
	for _, c := range []struct{ why, text, want string }{
		{"an ID of ours", "smtp/auth/003@smtp", "smtp/auth/003@smtp"},
		{"a time of day", "2026-11-29 09:00:00", "2026-11-29 09:00:00"},
		{"a hyphen", "rough-1", "rough-1"},
		{"a name", "@octocat", "<span>@</span>octocat"},
		{"a team", "(@org/team)", "(<span>@</span>org/team)"},
		{"an address of mail", "a@b-c.example", "a<span>@</span>b<span>-</span>c<span>.</span>example"},
		{"with an underscore", "a@b_c.example", `a<span>@</span>b\_c<span>.</span>example`},
		{"an address of a page", "http://x", "http<span>:</span>//x"},
		{"without a scheme", "WWW.x", "WWW<span>.</span>x"},
		{"an issue", "a/b#1 gh-2", "a/b<span>#</span>1 gh<span>-</span>2"},
		{"a formula", "$x$", "<span>$</span>x<span>$</span>"},
		{"an emoji", ":white_check_mark:", `<span>:</span>white\_check\_mark<span>:</span>`},
		{"two that share a colon", ":a:b:", "<span>:</span>a<span>:</span>b:"},
		{"struck out", "~~x~~", `\~\~x\~\~`},
	} {
		if got := markdownText(c.text); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
	for _, c := range []struct{ why, text, want string }{
		{"a list", "- x", `\- x`},
		{"a list of numbers", "12. x", `12\. x`},
		{"a quotation", "> x", `\> x`},
		{"a heading of the line before", "===", `\===`},
		{"code", "    x", "x"},
		{"what is left out", "... and 2 more", "... and 2 more"},
		{"a reply", "235 2.7.0 welcome", "235 2.7.0 welcome"},
	} {
		if got := markdownLine(c.text); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

// Of forty servers the page has the overview whole and the exit status, and
// shortens what was found with each.
func TestMarkdownOfManyServers(t *testing.T) {
	one := checkReport()
	for i := range one.Scenarios {
		if one.Scenarios[i].Verdict != login.Pass {
			one.Scenarios[i].Transcript = keep(&one, slices.Repeat([]string{"S 250 " + strings.Repeat("go on ", 20)}, 30)...)
		}
	}
	for _, row := range []struct{ many, unkept int }{{40, 0}, {150, 0}, {40, 50}} {
		many := row.many
		var parts []results.Part
		for i := range many {
			next := one
			next.Targets = slices.Clone(one.Targets)
			next.Targets[0].Name = fmt.Sprintf("mail%d.example", i)
			parts = append(parts, results.Part{Name: next.Targets[0].Name, Report: next})
		}
		r, err := results.Merge(parts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range row.unkept {
			r.Expectations = append(r.Expectations, login.ExcuseProblem{Pattern: fmt.Sprint(i), Problem: login.ExcuseUnused,
				Reason: strings.Repeat("it matches nothing, ", 100)})
		}
		page := string(written(t, "markdown", r, Options{}))
		if len(page) > markdownRoom || !strings.HasSuffix(page, "Exit status 1.\n") {
			t.Errorf("%d servers: %d characters, that end in %q", many, len(page), page[len(page)-100:])
		}
		if n := strings.Count(page, ".example | NOT conforming"); n != many {
			t.Errorf("%d of %d servers are in the overview", n, many)
		}
		if !strings.Contains(page, "earlier line") && !strings.Contains(page, "What was found with each of them: see the JSON report.") {
			t.Errorf("%d servers: nothing says what was left out", many)
		}
	}
}
