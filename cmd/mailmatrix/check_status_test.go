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

// quick is a run that takes no time.
var quick = []string{"run", "--profile", "eudora", "--protocol", "pop3", "--transport", "plain", "--mechanism", "APOP", "--flavour", "modern"}

func with(args []string, more ...string) []string { return append(args[:len(args):len(args)], more...) }

// worsened is the report of that run, with one cell that failed in it.
func worsened(t *testing.T) (name, cell string) {
	t.Helper()
	status, out, says := mailmatrix(t, with(quick, "--format", "json")...)
	var r login.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v: %s", status, err, says)
	}
	r.Cells[0].Verdict, r.Cells[0].Reason = login.Fail, "made to fail"
	r.Count()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, r.Cells[0].ID
}

// A run against a baseline says what is better, and is written as it is judged.
func TestBaselineFlag(t *testing.T) {
	old, cell := worsened(t)
	status, out, says := mailmatrix(t, with(quick, "--baseline", old, "--fail-on", "must,regression", "--format", "json")...)
	if status != 0 || says != "mailmatrix: better than in "+old+": "+cell+": pass, was fail\n" {
		t.Errorf("exit status %d: %s", status, says)
	}
	validate(t, []byte(out))
	var r login.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Selection["baseline"][0] != old || strings.Join(r.Selection["fail-on"], ",") != "must,regression" {
		t.Errorf("%v, %v", r.Selection, err)
	}
}

// What failed is run again, so many times, and nothing else but the controls.
func TestRerunFlag(t *testing.T) {
	old, cell := worsened(t)
	status, out, says := mailmatrix(t, with(quick, "--rerun-failed", old, "--repeat", "3", "--format", "json")...)
	var r login.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v: %s", status, err, says)
	}
	if len(r.Cells) != 1 || r.Cells[0].ID != cell || !strings.Contains(says, "results are flaky in 3 runs") {
		t.Errorf("%d cells, %s", len(r.Cells), says)
	}
	validate(t, []byte(out))
}

// One experiment is run as it was in the whole run, by the same number.
func TestOnlyFlag(t *testing.T) {
	const id = "scenario/contents/smtp-to-pop3/classic/plain"
	status, out, says := mailmatrix(t, "run", "--only", id, "--seed", "7", "--transcripts", "all", "--format", "json")
	var r login.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v: %s", status, err, says)
	}
	validate(t, []byte(out))
	found := slices.ContainsFunc(r.Scenarios, func(s login.ScenarioResult) bool { return s.ID == id && s.Transcript != nil })
	if !found || len(r.Cells)+len(r.Cases) > 0 || r.Seed != 7 || r.Selection["only"][0] != id || !r.Narrowed() {
		t.Errorf("found %t, %d cells, %d cases, seed %d, selection %v", found, len(r.Cells), len(r.Cases), r.Seed, r.Selection)
	}
	_, out, _ = mailmatrix(t, "run", "--only", id, "--transcripts", "all", "-v")
	if _, said, _ := strings.Cut(out, "WHAT WAS SAID\n"); !strings.HasPrefix(said, " "+id+"\n") || strings.Contains(said, "scenario/control") {
		t.Errorf("it is buried among the controls:\n%s", out)
	}
}

// Bad input of these flags: one line, exit status 2, nothing on standard output.
func TestBadStatusFlags(t *testing.T) {
	damaged := file(t, "damaged.json", `{"schema": "mailmatrix/1", "cells": [{"id": "x", "target": 4}]}`)
	fine := filepath.Join(t.TempDir(), "fine.json")
	if status, _, says := mailmatrix(t, with(quick, "--output", "json="+fine)...); status != 0 {
		t.Fatal(says)
	}
	other := file(t, "other.json", `{"schema": "other/1"}`)
	for _, row := range []struct{ args, want string }{
		{"--fail-on mist", `unknown value of --fail-on "mist", did you mean "must"?`},
		{"--fail-on=", "--fail-on is empty"},
		{"--fail-on regression", "--fail-on regression wants --baseline FILE"},
		{"--baseline /nonexistent.json", "no such file"},
		{"--baseline " + other, `its schema is "other/1", and not "mailmatrix/1"`},
		{"--rerun-failed /nonexistent.json", "rerun-failed: open /nonexistent.json: no such file"},
		{"--baseline " + damaged, "baseline: " + damaged + ": the report is damaged: it speaks of target 4, and there are 0"},
		{"--rerun-failed " + damaged, "rerun-failed: " + damaged + ": the report is damaged: it speaks of target 4, and there are 0"},
		{"--rerun-failed " + fine, fine + ": nothing failed there"},
		{"--only smtp/auth/03@smtp", `--only: no experiment of this plan is "smtp/auth/03@smtp"`},
		{"--only=", "--only is empty"},
		{"--only x --rerun-failed " + fine, "--only names what is run, and so does --rerun-failed"},
		{"--repeat 0", "--repeat wants a number of times"},
		{"--repeat x", "invalid argument"},
		{"--repeat 2 --journal j", "--journal keeps one run, and --repeat makes several"},
	} {
		t.Run(row.args, func(t *testing.T) {
			status, out, says := mailmatrix(t, with(quick, strings.Fields(row.args)...)...)
			if status != 2 || out != "" || !strings.Contains(says, row.want) || strings.Count(says, "\n") != 1 {
				t.Errorf("exit status %d, prints %q, says %q", status, out, says)
			}
		})
	}
}

// A flaky result is said on the way, and stands in the report.
func TestFlaky(t *testing.T) {
	report := func(v login.Verdict) login.Report {
		return login.Report{Schema: login.Schema, Complete: true, Cells: []login.CellResult{{ID: "a/b", Verdict: v, Basis: "measured"}}}
	}
	verdicts := []login.Verdict{login.Pass, login.Fail, login.Pass}
	var says strings.Builder
	all := (&again{times: len(verdicts)}).run(&says, func() login.Report {
		r := report(verdicts[0])
		verdicts = verdicts[1:]
		return r
	})
	if all.Cells[0].Verdict != login.Fail || says.String() != "mailmatrix: flaky: a/b: pass 2, fail 1\nmailmatrix: 1 of 1 results are flaky in 3 runs\n" {
		t.Errorf("%s, %s", all.Cells[0].Verdict, &says)
	}
}
