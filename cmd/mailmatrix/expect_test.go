package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Bad input of --expect, --write-expect, --journal and --resume: one clear
// line, exit status 2, nothing on standard output, and nothing is overwritten.
func TestBadExpectations(t *testing.T) {
	typo := file(t, "typo.yaml", "# mine\n- {pattern: a, verdict: fial, reason: b, source: c}\n")
	good := file(t, "good.yaml", "- {pattern: a, verdict: fail, reason: b, source: c}\n")
	journal := file(t, "journal", "")
	garbage := file(t, "garbage", "hello\n")
	for _, row := range []struct{ args, want string }{
		{"--expect /nonexistent.yaml", "no such file"},
		{"--expect " + typo, typo + `:2: verdict "fial": only fail and warn can be excused`},
		{"--write-expect " + good, good + " is there already: name another file, or read it by --expect as well"},
		{"--write-expect /nonexistent/x.yaml", "cannot write /nonexistent/x.yaml"},
		{"--write-expect x --output json=./x", "two outputs to x"},
		{"--journal x --output json=./x", "two outputs to x"},
		{"--resume", "--resume wants --journal FILE"},
		{"--journal " + journal, journal + " is there already: go on with it by --resume"},
		{"--journal /nonexistent/x", "no such file"},
		{"--journal /nonexistent/x --resume", "there is no journal /nonexistent/x"},
		{"--journal " + garbage + " --resume", "line 1: this is no journal"},
	} {
		t.Run(row.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			status, out, diagnostics := mailmatrix(t, append([]string{"run", "--profile", "eudora"}, strings.Fields(row.args)...)...)
			if status != 2 || out != "" {
				t.Errorf("exit status %d, output %q", status, out)
			}
			if !strings.HasPrefix(diagnostics, "mailmatrix: ") || !strings.Contains(diagnostics, row.want) || strings.Count(diagnostics, "\n") != 1 {
				t.Errorf("says %q, want %q", diagnostics, row.want)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

// Expectations that do not hold are said on standard error, one line each, stand
// in the report, and decide the exit status.
func TestExpectProblems(t *testing.T) {
	const cell = "classic/smtp/starttls/CRAM-MD5/secure/eudora/wingate/none/account"
	narrow := []string{"--profile", "eudora", "--mechanism", "CRAM-MD5", "--protocol", "smtp"}
	for _, row := range []struct {
		why, yaml string
		status    int
		says      string
	}{
		{"nothing is expected", "[]\n", 0, ""},
		{"an unexpected pass", "\n- {pattern: " + cell + ", verdict: fail, reason: r, source: s}\n", 1,
			":2: " + cell + ": unexpected pass: it says fail, and the result passes; take the entry out\n"},
		{"a passed date", "- {pattern: x, verdict: fail, reason: r, source: s, until: 2020-01-01}\n", 1, ":1: x: its date has passed"},
		{"what is left out is not judged", "- {pattern: x, verdict: fail, reason: r, source: s}\n", 0, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			expect := file(t, "known.yaml", row.yaml)
			status, out, diagnostics := mailmatrix(t, append([]string{"run", "--format", "json", "--expect", expect}, narrow...)...)
			if status != row.status || !strings.Contains(diagnostics, row.says) || row.says == "" && diagnostics != "" {
				t.Errorf("exit status %d, says %q, want %d and %q", status, diagnostics, row.status, row.says)
			}
			validate(t, []byte(out))
			var report login.Report
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err)
			}
			if got := len(report.Expectations); got != strings.Count(diagnostics, "\n") || report.Selection["expect"][0] != expect {
				t.Errorf("%v, %v", report.Expectations, report.Selection)
			}
		})
	}
}

// sickReport has two findings, and one result that passes.
func sickReport() login.Report {
	r := login.Report{Complete: true, Selection: map[string][]string{}, Started: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC),
		Targets: []login.TargetResult{{Doors: []login.DoorResult{{Protocol: login.SMTP}}}}}
	r.Cells = []login.CellResult{{ID: "classic/x", Basis: "measured", Verdict: login.Fail, Reason: "expected a, saw b"}}
	r.Cases = []login.CaseResult{
		{ID: "smtp/auth/003", Level: login.Should, Verdict: login.Warn, Reason: "502, not 503"},
		{ID: "smtp/auth/004", Level: login.Should, Verdict: login.Pass},
	}
	r.Count()
	return r
}

// What fails today is written down, is excused tomorrow, and is renewed when
// something of it is mended; what somebody wrote by hand is kept.
func TestWriteExpect(t *testing.T) {
	name := filepath.Join(t.TempDir(), "known.yaml")
	var said bytes.Buffer
	round := func(e *expectations, r *login.Report) {
		t.Helper()
		said.Reset()
		if err := e.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.apply(&said, r)
		if err := e.write(&said, r); err != nil {
			t.Fatal(err)
		}
	}
	r := sickReport()
	round(&expectations{into: name}, &r)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- pattern: classic/x\n  verdict: fail\n  reason: expected a, saw b\n  source: observed by mailmatrix " + version + " on 2026-11-29\n",
		"- pattern: smtp/auth/003@smtp\n  verdict: warn\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if r.ExitStatus() != 1 || !strings.Contains(said.String(), "0 kept, 2 new, 0 taken out") {
		t.Errorf("to write what is expected excuses nothing yet: exit status %d, says %q", r.ExitStatus(), &said)
	}

	r = sickReport()
	round(&expectations{from: name}, &r)
	if r.ExitStatus() != 0 || r.Sum().Excused != 2 || said.Len() > 0 {
		t.Errorf("exit status %d, %+v, says %q", r.ExitStatus(), r.Sum(), &said)
	}

	byHand := strings.Replace(string(text), "expected a, saw b", "known since May", 1)
	if err := os.WriteFile(name, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	r = sickReport()
	r.Cases[0].Verdict, r.Cases[1].Verdict = login.Pass, login.Fail
	round(&expectations{from: name, into: name}, &r)
	if r.ExitStatus() != 1 || !strings.Contains(said.String(), "smtp/auth/003@smtp: unexpected pass") ||
		!strings.Contains(said.String(), "1 kept, 1 new, 1 taken out") {
		t.Errorf("exit status %d, says %q", r.ExitStatus(), &said)
	}
	text, err = os.ReadFile(name)
	if err != nil || !strings.Contains(string(text), "known since May") || strings.Contains(string(text), "smtp/auth/003") ||
		!strings.Contains(string(text), "smtp/auth/004@smtp") {
		t.Errorf("%v\n%s", err, text)
	}
}

// A run that was interrupted does not say what is to be expected.
func TestWriteExpectInterrupted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "known.yaml")
	e := &expectations{into: name}
	if err := e.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := sickReport()
	r.Complete = false
	if err := e.write(&bytes.Buffer{}, &r); err == nil || !strings.Contains(err.Error(), "is not written") {
		t.Errorf("says %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(name)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}
