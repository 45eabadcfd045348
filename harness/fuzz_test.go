package harness_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
)

// Whatever a file of excuses holds, it is read or refused, each mistake in a line, and what
// was read can be written and read again.
func FuzzLoadExcuses(f *testing.F) {
	f.Add([]byte("- pattern: smtp/auth/003@smtp\n  verdict: warn\n  reason: known\n  source: \"#1\"\n  until: 2027-06-30\n"))
	f.Add([]byte("- pattern: \"classic/smtp/*/NTLM/**\"\n  verdict: fail\n  reason: r\n  source: s\n"))
	f.Add([]byte("[]"))
	f.Add([]byte("- pattern: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := harness.LoadExcuses("known.yaml", data)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "known.yaml") { // one line for each mistake
					t.Fatalf("%q does not say where: %v", line, err)
				}
			}
			return
		}
		var b bytes.Buffer
		if err := harness.WriteExcuses(&b, list); err != nil {
			t.Fatal(err)
		}
		again, err := harness.LoadExcuses("known.yaml", b.Bytes())
		if err != nil || len(again) != len(list) {
			t.Fatalf("%d entries were written, and %d read: %v\n%s", len(list), len(again), err, b.Bytes())
		}
	})
}

// Whatever follows a journal's header, resuming it ends in an error of one line,
// or in a journal that claims no more jobs than there are.
func FuzzJournal(f *testing.F) {
	p, err := harness.NewPlan(harness.Grid{Cases: []string{"smtp/auth/003"}})
	if err != nil {
		f.Fatal(err)
	}
	name := filepath.Join(f.TempDir(), "journal.jsonl")
	config := harness.Config{Target: reference(f), TargetKind: "reference", Seed: 7}
	j, err := harness.OpenJournal(name, false, p, config)
	if err != nil {
		f.Fatal(err)
	}
	if err := j.Close(); err != nil {
		f.Fatal(err)
	}
	header, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"job":"smtp/auth/003@smtp"}` + "\n"))
	f.Add([]byte("{\"job\":\"smtp/auth/003@smtp\",\"transcript\":[\"C x\"]}\n{"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		name := filepath.Join(t.TempDir(), "journal.jsonl")
		if err := os.WriteFile(name, append(bytes.Clone(header), lines...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := harness.OpenJournal(name, true, p, config)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %v", err)
			}
			return
		}
		defer func() { _ = j.Close() }()
		if j.Done() > len(p.Jobs) {
			t.Fatalf("%d jobs of %d are done", j.Done(), len(p.Jobs))
		}
	})
}
