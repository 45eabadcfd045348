package reports

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// excusedReport is the failing one, but for the failure of ours, with every
// finding known.
func excusedReport() login.Report {
	r := failingReport()
	spoil(&r, "classic/smtp/plain/LOGIN/deny/probe/nt/none/account",
		login.Ruling{Verdict: login.Warn, Reason: `right refusal, wrong code: expected "504 5.5.4", got "503 no"`}, login.RefusedPolicy,
		"S 220 mail.example.test ESMTP", "C AUTH LOGIN", "S 503 no")
	for i := range r.Cells {
		switch c := &r.Cells[i]; c.Verdict {
		case login.Fail:
			c.Excused = "the shop's old server, replaced in May"
		case login.Warn:
			c.Excused = "503 since 1999: no client minds \x1b"
		case login.Broken:
			c.Verdict, c.Outcome, c.Reason = login.Pass, login.RefusedCredentials, ""
		}
	}
	r.Selection = map[string][]string{"expect": {"known.yaml"}}
	r.Count()
	return r
}

// unkeptReport is one in which everything passes that was not to.
func unkeptReport() login.Report {
	r := fullReport()
	for _, pattern := range []string{"smtp/auth/003@smtp", "client/smtp/009@smtplib", "**", "scenario/relay/*/remote"} {
		r.Expectations = append(r.Expectations, login.ExcuseProblem{Pattern: pattern, Problem: login.ExcusePass, Entry: "known.yaml:7",
			Reason: "unexpected pass: it says fail, and the result passes; take the entry out"})
	}
	r.Expectations[2].Problem, r.Expectations[2].Reason = login.ExcuseExpired, "its date has passed: look again, then give it another, or take the entry out"
	r.Count()
	return r
}

// What is excused is in every format, by its reason; in none is it a failure.
func TestExcusedIsNeverSilent(t *testing.T) {
	r := excusedReport()
	for _, f := range All() {
		got := string(written(t, f.Name, r, Options{Verbose: true}))
		if f.Name == "svg" { // a badge has no room for more than their number
			got = strings.ReplaceAll(got, "3 known findings", "the shop's old server")
		}
		if !strings.Contains(got, "the shop's old server") && !strings.Contains(got, "the shop&#39;s old server") {
			t.Errorf("%s does not say what is known", f.Name)
		}
		if strings.Contains(got, "WHAT FAILED") || strings.Contains(got, "<failure") || strings.Contains(got, "WORTH A LOOK") {
			t.Errorf("%s takes it for a failure", f.Name)
		}
	}
	for _, format := range []string{"text", "markdown", "annotations", "sarif"} {
		if text := string(written(t, format, severalReport(), Options{Verbose: true})); !strings.Contains(text, "older than RFC 4954") {
			t.Errorf("of several servers, %s does not say what is known", format)
		}
	}
	for _, want := range []struct {
		text   string
		report login.Report
	}{
		{"3 known findings (known.yaml)", r},
		{"!! a known finding: -v", r},
		{"\nKNOWN FINDINGS\n *  2 results fail: known\n    such as ", knownReport()},
	} {
		if text := string(written(t, "text", want.report, Options{})); !strings.Contains(text, want.text) {
			t.Errorf("no %q in\n%s", want.text, text)
		}
	}
}

// knownReport has room for what is known.
func knownReport() login.Report {
	r := narrowReport()
	for i := range 2 {
		r.Cells[i].Verdict, r.Cells[i].Excused = login.Fail, "known"
	}
	r.Count()
	return r
}

// However much is known, the short screen stays short and says so.
func TestManyFindings(t *testing.T) {
	r := narrowReport()
	for i := range r.Cells {
		r.Cells[i].Verdict, r.Cells[i].Excused = login.Fail, strings.Repeat("long ", 30)+r.Cells[i].ID
	}
	r.Count()
	text := string(written(t, "text", r, Options{}))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > shortLines || !strings.Contains(text, " more: -v") || !strings.Contains(text, count(len(r.Cells))+" known findings") {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
	for _, line := range lines {
		if len(line) > DefaultWidth {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// A failure that is known is skipped in JUnit, and what happened is kept; an
// expectation that does not hold is red there.
func TestJUnitOfExcuses(t *testing.T) {
	r := excusedReport()
	r.Expectations = append(unkeptReport().Expectations[:1], login.ExcuseProblem{Pattern: "nowhere", Problem: login.ExcuseUnused, Reason: "it matches nothing"})
	root := parse(t, written(t, "junit", r, Options{}))
	root.check(t)
	children := map[string][]string{}
	for _, suite := range root.children {
		for _, c := range suite.children {
			for _, child := range c.children {
				children[c.attrs["name"]] = append(children[c.attrs["name"]], child.name+" "+child.attrs["message"])
			}
		}
	}
	for name, want := range map[string]string{
		"classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account": "skipped known finding: the shop's old server, replaced in May|system-out ",
		"classic/smtp/plain/LOGIN/deny/probe/nt/none/account":         "system-out ",
		"smtp/auth/003@smtp": "failure unexpected pass: it says fail, and the result passes; take the entry out",
		"nowhere":            "error it matches nothing",
	} {
		if got := strings.Join(children[name], "|"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
