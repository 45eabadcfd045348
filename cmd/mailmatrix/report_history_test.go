package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Runs and checks are kept, and their history is told in each form.
func TestHistory(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "results.db")
	narrow := []string{"run", "--mechanism", "CRAM-MD5", "--protocol", "smtp", "--format", "csv", "--store", kept}
	for i, profile := range []string{"eudora", "eudora,curl"} {
		status, _, says := mailmatrix(t, slices.Concat(narrow, []string{"--profile", profile})...)
		if want := "mailmatrix: kept in " + kept + " as run " + string(rune('1'+i)) + "\n"; status != 0 || says != want {
			t.Fatalf("exit status %d, says %q, want %q", status, says, want)
		}
	}
	status, out, says := mailmatrix(t, "report", "history", "reference", "--store", kept)
	if status != 0 || says != "" || !strings.HasPrefix(out, "reference   2 runs, ") || !strings.Contains(out, "NO CHANGE") {
		t.Errorf("exit status %d, says %q:\n%s", status, says, out)
	}
	status, out, _ = mailmatrix(t, "report", "history", "reference", "--store", kept, "--format", "json")
	var h login.History
	if err := json.Unmarshal([]byte(out), &h); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v", status, err)
	}
	if h.Schema != login.HistorySchema || len(h.Runs) != 2 || h.Changes == nil || h.Runs[0].Facts >= h.Runs[1].Facts || h.Runs[0].Vantage != "127.0.0.1" {
		t.Errorf("%+v", h)
	}

	doors := served(t, "intermediate")
	for range 2 {
		if _, _, says := mailmatrix(t, slices.Concat([]string{"check", "--format", "csv", "--store", kept}, doors)...); !strings.Contains(says, "kept in") {
			t.Fatalf("says %q", says)
		}
	}
	status, out, says = mailmatrix(t, "report", "history", "127.0.0.1", "--store", kept, "--format", "markdown")
	if status != 0 || says != "" || !strings.HasPrefix(out, "## 127.0.0.1: what changed\n\n2 runs, ") {
		t.Errorf("exit status %d, says %q:\n%s", status, says, out)
	}
}

// Bad input is one line and exit status 2, before anything is run.
func TestBadStores(t *testing.T) {
	text := file(t, "notes.txt", strings.Repeat("dear diary\n", 500))
	kept := filepath.Join(t.TempDir(), "results.db")
	if status, _, says := mailmatrix(t, "run", "--profile", "eudora", "--mechanism", "CRAM-MD5", "--format", "csv", "--store", kept); status != 0 {
		t.Fatal(says)
	}
	for _, row := range []struct{ args, says string }{
		{"run --store " + text, "store " + text + ": this is no database"},
		{"run --store /nonexistent/x.db", "store /nonexistent/x.db: it cannot be opened"},
		{"run --store x --output json=./x", "two outputs to x"},
		{"run --store=", "--store"},
		{"check 127.0.0.1 --store " + text, "this is no database"},
		{"report history reference", "name the --store FILE"},
		{"report history --store " + kept, "wanted"},
		{"report history reference --store nosuch.db", "there is no store nosuch.db"},
		{"report history reference --store " + text, "this is no database"},
		{"report history refreence --store " + kept, `unknown target "refreence", did you mean "reference"?`},
		{"report history reference --format pdf --store " + kept, `unknown format of a history "pdf"`},
	} {
		t.Run(row.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			status, out, says := mailmatrix(t, strings.Fields(row.args)...)
			if status != 2 || out != "" || !strings.Contains(says, row.says) || strings.Count(says, "\n") != 1 {
				t.Errorf("exit status %d, output %q, says %q, want %q", status, out, says, row.says)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v (%v)", left, err)
			}
		})
	}
}
