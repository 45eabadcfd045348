package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A page that is written beside a store shows the run among those that were
// kept, and report convert makes the same of the saved report.
func TestHistoryInThePage(t *testing.T) {
	dir := t.TempDir()
	kept, page, saved, again := filepath.Join(dir, "results.db"), filepath.Join(dir, "run.html"), filepath.Join(dir, "run.json"), filepath.Join(dir, "again.html")
	run := []string{"run", "--mechanism", "CRAM-MD5", "--protocol", "smtp", "--profile", "eudora", "--seed", "7", "--format", "csv", "--store", kept}
	for range 2 {
		if status, _, says := mailmatrix(t, slices.Concat(run, []string{"--output", "html=" + page, "--output", "json=" + saved})...); status != 0 {
			t.Fatal(says)
		}
	}
	html, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"history":[{"schema":"mailmatrix/history/1","target":"reference","runs":[{"id":1,`, `{"id":2,`, `"changes":[]`,
		`"policies":[{"name":"modern@2026.1",`, `"name":"wingate-example@2026.1"`} {
		if !bytes.Contains(html, []byte(want)) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if status, _, says := mailmatrix(t, "report", "convert", saved, "--store", kept, "--format", "csv", "--output", "html="+again); status != 0 || says != "" {
		t.Fatalf("exit status %d, says %q", status, says)
	}
	if converted, err := os.ReadFile(again); err != nil || !bytes.Equal(html, converted) {
		t.Errorf("converted, the page is another (%v)", err)
	}
	status, out, says := mailmatrix(t, "report", "history", "reference", "--store", kept, "--format", "html")
	if status != 0 || says != "" || !strings.Contains(out, `"history":[{`) || !strings.Contains(out, "<title>reference - mailmatrix</title>") {
		t.Errorf("exit status %d, says %q: %.300s", status, says, out)
	}
	for _, row := range []struct{ args, says, why string }{
		{"report convert " + saved + " --store " + kept, "--store is for a page", "nothing else shows it"},
		{"report convert " + saved + " --store nosuch.db --output html=x.html", "there is no store nosuch.db", "it is read, not made"},
		{"report convert " + saved + " --store " + kept + " --output html=" + kept, "one would be lost", "the page would take its place"},
	} {
		t.Chdir(t.TempDir())
		status, out, says := mailmatrix(t, strings.Fields(row.args)...)
		if status != 2 || out != "" || !strings.Contains(says, row.says) || strings.Count(says, "\n") != 1 {
			t.Errorf("%s (%s): exit status %d, output %q, says %q", row.args, row.why, status, out, says)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v (%v)", row.args, left, err)
		}
	}
}

// What cannot be kept is written all the same, and the error is told.
func TestStoreFailsOutputsStay(t *testing.T) {
	s := checkOutput{forms: reportOutput{format: "csv"}, given: new(pflag.FlagSet), kept: keeping{name: filepath.Join(t.TempDir(), "results.db")}}
	var out, says bytes.Buffer
	err := s.write(t.Context(), terminal{Out: &out, Err: &says}, func() (login.Report, error) {
		return login.Report{Schema: login.Schema, Complete: true}, s.kept.kept.Close()
	})
	if err == nil || !strings.Contains(err.Error(), "results.db") || out.Len() == 0 || says.Len() > 0 {
		t.Errorf("error %v, output %q, says %q", err, out.String(), says.String())
	}
}
