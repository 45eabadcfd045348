package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// narrowRun is a short run of the reference server, saved, and the flags that
// make it.
func narrowRun(t *testing.T) (name string, flags []string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "run.json")
	flags = []string{"--profile", "eudora", "--mechanism", "CRAM-MD5", "--protocol", "smtp"}
	if status, _, says := mailmatrix(t, slices.Concat([]string{"run", "--format", "csv", "--output", "json=" + name}, flags)...); status != 0 {
		t.Fatalf("exit status %d: %s", status, says)
	}
	return name, flags
}

func claimed(t *testing.T, args ...string) string {
	t.Helper()
	status, out, says := mailmatrix(t, append([]string{"report", "claim", "--subject", "Example Mail", "--version", "4.2"}, args...)...)
	if status != 0 || says != "" {
		t.Fatalf("exit status %d: %s", status, says)
	}
	return file(t, "claim.yaml", out)
}

// A claim is made of a run, kept by it and by one more, broken by one in which
// something fails, and serves as the file of expectations that it is.
func TestClaim(t *testing.T) {
	run, flags := narrowRun(t)
	claim := claimed(t, run)
	for _, args := range [][]string{{run}, {"--run"}} {
		status, out, says := mailmatrix(t, append([]string{"report", "verify", claim}, args...)...)
		if status != 0 || says != "" || !strings.Contains(out, "\nKEPT   ") || !strings.HasSuffix(out, "exit status 0\n") {
			t.Errorf("%v: exit status %d, says %q:\n%s", args, status, says, out)
		}
	}
	status, _, says := mailmatrix(t, slices.Concat([]string{"run", "--expect", claim}, flags)...)
	if status != 0 || says != "" {
		t.Errorf("as a file of expectations: exit status %d, says %q", status, says)
	}

	bad := changed(t, run, func(r *login.Report) { r.Cells[0].Verdict, r.Cells[0].Reason = login.Fail, "let in" })
	status, out, _ := mailmatrix(t, "report", "verify", claim, bad)
	if status != 1 || !strings.Contains(out, "\nBROKEN   ") || !strings.Contains(out, ": fail: let in\n") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
	// What another file excuses is no less a failure.
	hidden := changed(t, bad, func(r *login.Report) { r.Cells[0].Excused = "never mind" })
	if status, out, _ := mailmatrix(t, "report", "verify", claim, hidden); status != 1 {
		t.Errorf("exit status %d:\n%s", status, out)
	}

	// A claim of the worse run says so, and is broken when that is mended.
	honest := claimed(t, bad)
	if status, out, _ := mailmatrix(t, "report", "verify", honest, bad); status != 0 {
		t.Errorf("exit status %d:\n%s", status, out)
	}
	if status, out, _ := mailmatrix(t, "report", "verify", honest, run); status != 1 || !strings.Contains(out, "unexpected pass") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
	other := changed(t, run, func(r *login.Report) { r.Catalogue = "2020.1" })
	if status, out, _ := mailmatrix(t, "report", "verify", claim, other); status != 2 || !strings.Contains(out, "\nCANNOT SAY\n") {
		t.Errorf("exit status %d:\n%s", status, out)
	}
}

// Reasons and sources of a file are taken, and what of it does not hold is left
// out, and said.
func TestClaimExpect(t *testing.T) {
	run, _ := narrowRun(t)
	bad := changed(t, run, func(r *login.Report) { r.Cells[0].Verdict = login.Fail; r.Cells[1].Verdict = login.Warn })
	var r login.Report
	text, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	expect := file(t, "known.yaml", "- {pattern: "+r.Cells[0].ID+", verdict: fail, reason: the gateway, source: issue 12}\n"+
		"- {pattern: "+r.Cells[2].ID+", verdict: fail, reason: mended, source: issue 13}\n")
	status, out, says := mailmatrix(t, "report", "claim", "--subject", "x", "--version", "1", "--expect", expect, bad)
	if status != 0 || !strings.Contains(says, "left out of the claim: "+expect+":2: ") || strings.Count(says, "\n") != 1 {
		t.Errorf("exit status %d, says %q", status, says)
	}
	for _, want := range []string{"reason: the gateway", "source: issue 12", "- pattern: " + r.Cells[1].ID + "\n", "source: observed by mailmatrix " + version} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "mended") {
		t.Error("an entry that does not hold is in the claim")
	}
}

// changed is a saved report with a change.
func changed(t *testing.T, name string, change func(*login.Report)) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r login.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	change(&r)
	r.Count()
	if text, err = json.Marshal(r); err != nil {
		t.Fatal(err)
	}
	return file(t, "changed.json", string(text))
}

// Bad input is one line, exit status 2, and nothing is printed as if it were a
// result.
func TestBadClaims(t *testing.T) {
	run, _ := narrowRun(t)
	cut := changed(t, run, func(r *login.Report) { r.Complete = false })
	foreign := changed(t, run, func(r *login.Report) { r.Targets[0].Kind = "remote" })
	judged := changed(t, foreign, func(r *login.Report) {
		r.Selection = map[string][]string{"lab": {"true"}, "policy": {"mine.yaml"}}
	})
	claim := claimed(t, run)
	list := file(t, "list.yaml", "- {pattern: a, verdict: fail, reason: b, source: c}\n")
	text, err := os.ReadFile(claim)
	if err != nil {
		t.Fatal(err)
	}
	remote := strings.Replace(string(text), "kind: reference", "kind: remote", 1)
	declared := file(t, "declared.yaml", strings.Replace(remote, "standing: reproducible", "standing: self-declared", 1))
	image := file(t, "image.yaml", strings.Replace(remote, "made:", "start:\n  image: a@sha256:"+strings.Repeat("0", 64)+"\nmade:", 1))
	unlike := file(t, "unlike.yaml", strings.Replace(remote, "made:", "start:\n  command: touch started\nmade:", 1))
	hostile := file(t, "hostile.yaml", strings.Replace(string(text), "  selection:\n", "  selection:\n    output: [json=pwned]\n", 1))
	for _, row := range []struct{ args, says string }{
		{"claim", "wanted"},
		{"claim " + run, "name it by --subject, and its --version"},
		{"claim /nonexistent --subject a --version 1", "no such file"},
		{"claim " + list + " --subject a --version 1", "is no report"},
		{"claim " + cut + " --subject a --version 1", "nothing can be claimed: the run is not complete"},
		{"claim " + run + " --subject a --version 1 --start ./x", "leave that out"},
		{"claim " + run + " --subject a --version 1 --policy x", "of use only to who knows"},
		{"claim " + run + " --subject a --version 1 --start ./x --policy /nonexistent", "who repeats the run needs this file"},
		{"claim " + foreign + " --subject a --version 1 --start ./x", "is checked with --lab, and this run was made without it"},
		{"claim " + judged + " --subject a --version 1 --start ./x", "who repeats the run would make another: the claim was made with --policy mine.yaml, and the run without --policy"},
		{"claim " + foreign + " --subject a --version 1 --start PASSWORD=hunter2", `it would publish a secret, "PASSWORD": have the command read it from a file or from $VARIABLE`},
		{"claim " + run + " --subject a --version 1 --start x@sha256:1", "64 hexadecimal digits"},
		{"claim " + run + " --subject a --version 1 --expect /nonexistent", "no such file"},
		{"verify", "wants the FILE with a claim"},
		{"verify " + claim, "name a report in JSON of a fresh run, or say --run"},
		{"verify " + claim + " " + run + " --run", "held against one run"},
		{"verify " + list + " " + run, "list.yaml"},
		{"verify " + claim + " " + claim, "is no report"},
		{"verify " + declared + " --run", "the claim is self-declared"},
		{"verify " + image + " --run", "start a@sha256:" + strings.Repeat("0", 64) + " yourself, then: mailmatrix check --lab"},
		{"verify " + unlike + " --run", "the claim was made without --lab, and the run with --lab true: make the claim again"},
		{"verify " + hostile + " --run", "a run with --output, which cannot be repeated from here"},
	} {
		t.Run(row.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			status, out, says := mailmatrix(t, append([]string{"report"}, strings.Fields(row.args)...)...)
			if status != 2 || out != "" || !strings.Contains(says, row.says) || strings.Count(says, "\n") != 1 {
				t.Errorf("exit status %d, output %q, says %q, want %q", status, out, says, row.says)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}

// Somebody else repeats the run from the claim alone: his server is put into
// every policy by the command that stands in it.
func TestVerifyRun(t *testing.T) {
	folder, args := theirs(t)
	run := filepath.Join(folder, "run.json")
	status, _, says := mailmatrix(t, slices.Concat([]string{"check", "--mechanism", "PLAIN", "--protocol", "smtp", "--setting", "deny,secure",
		"--format", "csv", "--output", "json=" + run}, args)...)
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, says)
	}
	claim := claimed(t, run, "--start", "sh "+folder+"/restart.sh {policy.yaml}", "--accounts", filepath.Join(folder, "accounts.yaml"))
	if text, err := os.ReadFile(claim); err != nil || strings.Contains(string(text), "-Secret") {
		t.Errorf("a password stands in the claim (%v)", err)
	}
	status, out, says := mailmatrix(t, "report", "verify", claim, "--run")
	if status != 0 || !strings.Contains(out, "\nKEPT   ") {
		t.Fatalf("exit status %d, says %q:\n%s", status, says, out)
	}
	t.Setenv("EDIT", "s/secure/allow/")
	if err := os.Remove(filepath.Join(folder, "policy.yaml")); err != nil { // or the last policy would still be in force
		t.Fatal(err)
	}
	status, out, _ = mailmatrix(t, "report", "verify", claim, "--run")
	if status != 1 || !strings.Contains(out, " BROKEN  remote/smtp/plain/PLAIN/secure/") {
		t.Errorf("its server has forgotten that secure is not allow, and exit status %d:\n%s", status, out)
	}
}

// A claim's server is started, and asked to end with all that it has started.
func TestStartSubject(t *testing.T) {
	folder := t.TempDir()
	fifo, tidied := filepath.Join(folder, "started"), filepath.Join(folder, "tidied")
	// The shell's child would outlive it if the shell alone were told to end.
	command := "trap 'wait; echo bye > " + tidied + "; exit 0' TERM; mkfifo " + fifo + "; (trap 'echo child > " + tidied + ".child; exit 0' TERM; echo up > " + fifo + "; while :; do sleep 0.05; done) & wait"
	out := newSyncBuffer()
	_, end, err := startSubject(t.Context(), terminal{Out: out, Err: out}, command)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the server", func() bool { _, err := os.Stat(fifo); return err == nil })
	if text, err := os.ReadFile(fifo); err != nil || string(text) != "up\n" {
		t.Errorf("%q, %v", text, err)
	}
	end()
	for name, want := range map[string]string{tidied: "bye\n", tidied + ".child": "child\n"} {
		if text, err := os.ReadFile(name); err != nil || string(text) != want {
			t.Errorf("%s: it was not asked: %q, %v; the server has said %q", name, text, err, out)
		}
	}
}

// A server that ignores the request is killed, with all that it has started.
func TestSubjectThatDoesNotEnd(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "alive")
	out := newSyncBuffer()
	// Whoever is left of it has the fifo open.
	_, end, err := startSubject(t.Context(), terminal{Out: out, Err: out},
		"trap '' TERM; mkfifo "+fifo+"; exec 3> "+fifo+"; (while :; do sleep 0.05; done) & while :; do sleep 0.05; done")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the server", func() bool { _, err := os.Stat(fifo); return err == nil })
	alive, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	end()
	gone := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, alive); gone <- errors.Join(err, alive.Close()) }()
	select {
	case err := <-gone:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("some of it goes on")
	}
}

// A server that cannot start is told of at once, and not when everybody is tired of
// waiting for it.
func TestSubjectThatFails(t *testing.T) {
	out := newSyncBuffer()
	started, end, err := startSubject(t.Context(), terminal{Out: out, Err: out}, "echo the port is taken >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	<-started.Done()
	if cause := context.Cause(started); cause == nil || cause.Error() != "exit status 3" {
		t.Errorf("says %v", cause)
	}
}

// The example in the repository can be put to the test: the run that it asks for
// is the run that it was made from.
func TestExampleIsRepeatable(t *testing.T) {
	claim, _, err := readClaim(t.Context(), "../../examples/claim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// What the run would say of its flags, the flags say.
	c := newCheck(terminal{})
	args := rerun(claim)
	if err := c.ParseFlags(args[1:]); err != nil {
		t.Fatal(err)
	}
	if why := claim.SelectedOtherwise(new(remoteFlags).selection(c)); len(why) > 0 {
		t.Errorf("%s: %v", commandOf(args), why)
	}
	if why := claim.SelectedOtherwise(rerunSelection(claim)); len(why) > 0 {
		t.Error(why)
	}
}

// The command line that repeats a run is one that a person would write.
func TestRerunCommand(t *testing.T) {
	for _, row := range []struct {
		why   string
		claim results.Claim
		want  string
	}{
		{"the reference server", results.Claim{Made: results.Made{Kind: "reference", Selection: map[string][]string{
			"profile": {"curl", "mutt"}, "full": {"true"}, "policy": {"mine.yaml"}}}},
			"run --full --policy mine.yaml --profile curl,mutt --"},
		{"a server that is started", results.Claim{Start: &results.Start{Command: "./start.sh", Policy: "mine.yaml", Accounts: "who.yaml"},
			Made: results.Made{Doors: []string{"smtp://127.0.0.1:25"}, Selection: map[string][]string{"policy": {"mine.yaml"}}}},
			"check --lab --wait 1m --policy mine.yaml --account-file who.yaml -- smtp://127.0.0.1:25"},
		{"a server that is reconfigured", results.Claim{Start: &results.Start{Command: "./set {policy.yaml}"},
			Made: results.Made{Doors: []string{"smtp://127.0.0.1:25"}, Selection: map[string][]string{"cases": {"smtp"}}}},
			"check --lab --wait 1m --apply './set {policy.yaml}' --cases smtp -- smtp://127.0.0.1:25"},
	} {
		if got := commandOf(rerun(row.claim)); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
