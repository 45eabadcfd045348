package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// asProgram is set where the test binary is to be the program itself.
const asProgram = "MAILMATRIX_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // it exits
	}
	if folder := os.Getenv(asTheirs); folder != "" {
		if err := theirServer(folder, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// whole are the whole lines of a file; none where it is not there yet.
func whole(name string) []string {
	data, _ := os.ReadFile(name)
	lines := strings.SplitAfter(string(data), "\n")
	return lines[:len(lines)-1]
}

// The program is killed in the middle of a run, with no chance to say goodbye.
// Its journal has everything but what was under way, and the run that goes on
// reports what one reports that nobody killed.
func TestKilledAndResumed(t *testing.T) {
	dir := t.TempDir()
	journal := filepath.Join(dir, "journal")
	const parallel = 2
	args := []string{"run", "--profile", "eudora", "--protocol", "pop3", "--seed", "7", "--transcripts", "all", "--parallel", fmt.Sprint(parallel), "--format", "json"}

	child := exec.Command(os.Args[0], append(args, "--journal", journal)...) //nolint:gosec // this very program
	child.Env = append(os.Environ(), asProgram+"=1")
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	const wanted = 150
	for len(whole(journal)) < wanted {
		select {
		case <-tick.C:
		case err := <-ended:
			t.Fatalf("ended before it could be killed (%v): %s", err, &out)
		}
	}
	if err := child.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if err := <-ended; err == nil || out.Len() > 0 {
		t.Fatalf("it was not killed in the middle: %v, %.300s", err, &out)
	}
	before := whole(journal)

	status, whatsoever, diagnostics := mailmatrix(t, append(args, "--journal", journal, "--resume")...)
	var resumed, uninterrupted login.Report
	if err := json.Unmarshal([]byte(whatsoever), &resumed); status != 0 || err != nil {
		t.Fatalf("exit status %d, %v, says %s", status, err, diagnostics)
	}
	validate(t, []byte(whatsoever))
	jobs := len(resumed.Cells) + len(resumed.Scenarios) + len(resumed.Cases)
	if done := len(before) - 1; done < wanted-1 || done >= jobs || !strings.Contains(diagnostics, fmt.Sprintf("%d of %d experiments are done", done, jobs)) {
		t.Errorf("%d of %d were done when it was killed, says %q", done, jobs, diagnostics)
	}

	status, whatsoever, _ = mailmatrix(t, args...)
	if err := json.Unmarshal([]byte(whatsoever), &uninterrupted); status != 0 || err != nil {
		t.Fatalf("exit status %d, %v", status, err)
	}
	if resumed.Totals != uninterrupted.Totals || resumed.ScenarioTotals != uninterrupted.ScenarioTotals || resumed.CaseTotals != uninterrupted.CaseTotals {
		t.Errorf("%+v %+v %+v, without interruption %+v %+v %+v", resumed.Totals, resumed.ScenarioTotals, resumed.CaseTotals,
			uninterrupted.Totals, uninterrupted.ScenarioTotals, uninterrupted.CaseTotals)
	}
	// Where their conversations are in the table depends on scenarios that break
	// connections off, which may hear a last word or not.
	if diff := cmp.Diff(uninterrupted.Cells, resumed.Cells, cmpopts.IgnoreFields(login.CellResult{}, "ElapsedMS", "Transcript")); diff != "" {
		t.Errorf("without and with interruption:\n%s", diff)
	}

	// What was done before it was killed was not done again, the controls aside.
	count := map[string]int{}
	for i, line := range whole(journal) {
		var l struct{ Job string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("line %d: %v in %q", i+1, err, line)
		}
		count[l.Job]++
		if count[l.Job] > 1 && !strings.HasPrefix(l.Job, "scenario/control/") {
			t.Errorf("%s was run again", l.Job)
		}
	}
	if len(count)-1 != jobs { // the header has no job
		t.Errorf("%d of %d jobs are in the journal", len(count)-1, jobs)
	}
}
