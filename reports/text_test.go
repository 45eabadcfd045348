package reports

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestScreenFits(t *testing.T) {
	for name, report := range everyReport {
		lines := strings.Split(strings.TrimSuffix(string(written(t, "text", report(), Options{})), "\n"), "\n")
		// One of everything, skips and warnings included, may be a bit longer.
		if most := shortLines; len(lines) > most && name != "small" {
			t.Errorf("%s has %d lines, at most %d fit", name, len(lines), most)
		}
		for _, line := range lines {
			if len(line) > DefaultWidth {
				t.Errorf("%s: %d columns: %s", name, len(line), line)
			}
		}
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, "exit status ") {
			t.Errorf("%s ends in %q", name, last)
		}
	}
}

func TestScreenIsASCII(t *testing.T) {
	for name, report := range everyReport {
		for _, format := range []string{"text", "markdown"} {
			for i, c := range written(t, format, report(), Options{Verbose: true}) {
				if c != '\n' && (c < ' ' || c > '~') {
					t.Errorf("%s as %s: octet %#x at %d", name, format, c, i)
					break
				}
			}
		}
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Colour only adds: without it the same words stand in the same places.
func TestColourOnlyAdds(t *testing.T) {
	for name, report := range everyReport {
		for _, verbose := range []bool{false, true} {
			without := string(written(t, "text", report(), Options{Verbose: verbose}))
			with := string(written(t, "text", report(), Options{Verbose: verbose, Color: true}))
			if strings.Contains(without, "\x1b") {
				t.Errorf("%s: colour, though nobody asked for it", name)
			}
			if !strings.Contains(with, "\x1b[") {
				t.Errorf("%s: no colour", name)
			}
			var stripped []string
			for _, line := range strings.Split(ansi.ReplaceAllString(with, ""), "\n") {
				stripped = append(stripped, strings.TrimRight(line, " "))
			}
			if got := strings.Join(stripped, "\n"); got != without {
				t.Errorf("%s: with colour it reads\n%s\nwithout\n%s", name, got, without)
			}
		}
	}
}

// The last line is what the program ends with.
func TestExitStatusIsSaid(t *testing.T) {
	for name, want := range map[string]string{
		"empty": "2", "full": "0", "failing": "1", "narrow": "0", "policy": "0", "interrupted": "2", "small": "1",
		"excused": "0", "unkept": "1",
		"check": "1", "check-conforming": "0", "check-probed": "1", "check-silent": "2", "check-differing": "1", "check-blind": "0",
		"check-crowded": "1",
	} {
		text := string(written(t, "text", everyReport[name](), Options{}))
		if !strings.HasSuffix(text, "\nexit status "+want+"\n") {
			t.Errorf("%s: want exit status %s in\n%s", name, want, text)
		}
	}
}

func TestConclusionGivesTheReason(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*login.Report)
		want string
	}{
		{"interrupted", func(r *login.Report) { r.Complete = false }, "INCOMPLETE     interrupted"},
		{"a control failed, whatever else did", func(r *login.Report) {
			r.Scenarios[0].Verdict = login.Fail
			r.Cells[0].Verdict = login.Fail
		}, "INCOMPLETE     a control failed, so the rest proves nothing: scenario/control/known-login"},
		{"nothing but skips", func(r *login.Report) {
			r.Scenarios = nil
			for i := range r.Cells {
				r.Cells[i].Verdict = login.Skip
			}
		}, "INCOMPLETE     nothing was tested"},
		{"nothing at all", func(r *login.Report) { r.Cells, r.Scenarios = nil, nil }, "INCOMPLETE     nothing was measured"},
		{"unjudged", func(r *login.Report) { r.Cells[0].Verdict = login.Unjudged }, "INCOMPLETE     not everything"},
		{"broken", func(r *login.Report) { r.Cells[0].Verdict = login.Broken }, "INCOMPLETE     the harness itself failed"},
		{"broken and failed", func(r *login.Report) {
			r.Cells[0].Verdict, r.Cells[1].Verdict = login.Broken, login.Fail
		}, "NOT CONFORMING"},
		{"warned", func(r *login.Report) { r.Cells[0].Verdict = login.Warn }, "\nCONFORMING"},
		{"failed, as was to be expected", func(r *login.Report) {
			r.Cells[0].Verdict, r.Cells[0].Excused = login.Fail, "known"
		}, "\nCONFORMING"},
		{"an expectation that is not kept", func(r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Pattern: "x", Problem: login.ExcusePass, Reason: "take it out"}}
		}, "\nNOT AS EXPECTED 0 wrongly accepted"},
		{"a failure and an expectation that is not kept", func(r *login.Report) {
			r.Cells[0].Verdict = login.Fail
			r.Expectations = []login.ExcuseProblem{{Pattern: "x", Problem: login.ExcuseExpired, Reason: "take it out"}}
		}, "\nNOT CONFORMING"},
		{"an expectation that matches nothing", func(r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Pattern: "x", Problem: login.ExcuseUnused, Reason: "take it out"}}
		}, "INCOMPLETE     what was to be expected was put to no test"},
	} {
		r := fullReport()
		c.do(&r)
		r.Count()
		if text := string(written(t, "text", r, Options{})); !strings.Contains(text, c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, text)
		}
	}
}

// The long form leaves nothing out, the short one says how much it leaves out.
func TestVerboseShowsAllFailures(t *testing.T) {
	r := fullReport()
	for i := range r.Cells {
		r.Cells[i].Verdict = login.Fail
	}
	r.Count()
	long := string(written(t, "text", r, Options{Verbose: true}))
	for _, c := range r.Cells {
		if !strings.Contains(long, " FAIL  "+c.ID+"\n") {
			t.Fatalf("%s is not in the long form", c.ID)
		}
	}
	if short := string(written(t, "text", r, Options{})); !strings.Contains(short, " more: -v shows all") {
		t.Errorf("the short form does not say what it leaves out:\n%s", short)
	}
	if md := string(written(t, "markdown", r, Options{Verbose: true})); len(md) > 65536 || !strings.Contains(md, "1,502 more") {
		t.Errorf("%d characters of Markdown do not fit a pull request, or do not say what is left out", len(md))
	}
}

// Conversations that were kept of what passed are shown on demand.
func TestConversations(t *testing.T) {
	r := narrowReport()
	r.Cells[0].Transcript = keep(&r, "S 220 ready", "C QUIT")
	if text := string(written(t, "text", r, Options{Verbose: true})); !strings.Contains(text, "       S 220 ready\n       C QUIT\n") {
		t.Errorf("no conversation in\n%s", text)
	}
}

// A report that was read from a file may be damaged; that is no reason to panic.
func TestDanglingTranscripts(t *testing.T) {
	r := failingReport()
	far := 99
	r.Cells[0].Transcript, r.Cells[0].Verdict = &far, login.Fail
	r.Transcripts[0][0] = -1
	r.Transcripts[0][1] = 1000
	for _, f := range All() {
		written(t, f.Name, r, Options{Verbose: true})
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name, text string
		width      int
		want       string
	}{
		{"fits", "one two", 7, "one two"},
		{"breaks at a space", "one two three", 8, "one two|three"},
		{"a long word stands alone", "a verylongword b", 5, "a|verylongword|b"},
		{"empty", "", 5, ""},
	} {
		if got := strings.Join(wrap(c.text, c.width), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLists(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"},
		"a, b, c, d, e and 2 more": {"a", "b", "c", "d", "e", "f", "g"},
	} {
		if got := shortList(names); got != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
}

// A run about override passwords alone says of each table what it is about.
func TestAccessNamesTheServer(t *testing.T) {
	r := narrowReport()
	for i := range r.Cells {
		r.Cells[i].Override, r.Cells[i].Credential = login.OverrideSet, login.WithOverride
	}
	const want = "classic, database nt, POP3 override password set, presenting the override password"
	if text := string(written(t, "text", r, Options{})); !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

// What was not asked for has no column, in either format.
func TestAccessHasTheColumnsAskedFor(t *testing.T) {
	r := narrowReport()
	r.Selection["transport"] = []string{"starttls"}
	r.Cells = slices.DeleteFunc(r.Cells, func(c login.CellResult) bool { return c.Transport != login.StartTLS })
	for _, format := range []string{"text", "markdown"} {
		got := string(written(t, format, r, Options{}))
		if !strings.Contains(got, "STARTTLS / STLS") {
			t.Errorf("%s: the column is missing in\n%s", format, got)
		}
		for _, gone := range []string{"not measured", "encryption off", "TLS (465, 995)"} {
			if strings.Contains(got, gone) {
				t.Errorf("%s: still %q in\n%s", format, gone, got)
			}
		}
	}
}

// A pass with a reason is a note: no problem, and in the long form alone.
func TestNotes(t *testing.T) {
	r := narrowReport()
	const want = "NOTES\n *  5 results: ntlm: too weak a response: NTLM2-session, and NTLMv2 is the minimum\n" +
		"    such as modern/smtp/starttls/NTLM/secure/outlook/nt/none/account\n"
	for verbose, says := range map[bool]bool{true: true, false: false} {
		text := string(written(t, "text", r, Options{Verbose: verbose}))
		if strings.Contains(text, want) != says {
			t.Errorf("verbose %v:\n%s", verbose, text)
		}
		if strings.Contains(text, "WORTH A LOOK") || !strings.HasSuffix(text, "exit status 0\n") {
			t.Errorf("a note is taken for a problem:\n%s", text)
		}
	}
}

// A reading is said where something rests on it, be it a scenario.
func TestReadings(t *testing.T) {
	const ours = "notexample.test does not match *.example.test"
	r := narrowReport()
	if got := strings.Join(open(&r).readings(), "\n"); strings.Contains(got, ours) {
		t.Errorf("no wildcard was shown, and still:\n%s", got)
	}
	r.Scenarios = append(r.Scenarios, login.ScenarioResult{ID: "scenario/certificate/wildcard/notexample.test/default/eudora/smtp/starttls"})
	if got := strings.Join(open(&r).readings(), "\n"); !strings.Contains(got, ours) {
		t.Errorf("a wildcard was shown, and only:\n%s", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 60660: "60,660", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}
