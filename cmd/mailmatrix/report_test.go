package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/reports"
)

// One line says what was wrong, and nothing is printed as if it were a result.
func TestReportBadInput(t *testing.T) {
	garbage := file(t, "garbage.json", "hello\n")
	other := file(t, "other.json", `{"schema": "mailmatrix/0"}`)
	damaged := file(t, "damaged.json", `{"schema": "mailmatrix/1", "cells": [{"id": "x", "target": 4}]}`)
	whole := file(t, "whole.json", `{"schema": "mailmatrix/1", "targets": [{"name": "reference", "kind": "reference"}]}`)
	remote := file(t, "remote.json", `{"schema": "mailmatrix/1", "targets": [{"name": "mail", "kind": "remote"}]}`)
	for _, row := range []struct{ args, want string }{
		{"report convrt x", `did you mean "convert"?`},
		{"report convert", "`mailmatrix report convert FILE [flags]` is what is wanted, not 0 files"},
		{"report convert a b", "not 2 files"},
		{"report convert /nonexistent.json", "no such file"},
		{"report convert " + garbage, "is no report in JSON"},
		{"report convert " + other, `its schema is "mailmatrix/0"`},
		{"report convert " + damaged, "the report is damaged: it speaks of target 4, and there are 0"},
		{"report convert " + whole + " --format pdf", `unknown format "pdf"`},
		{"report convert " + whole + " --format sarif", "give --policy FILE or --expect FILE"},
		{"report convert " + whole + " --output json=/nonexistent/x", "cannot write /nonexistent/x"},
		{"report diff " + whole, "not 1 files"},
		{"report diff " + whole + " " + other, `its schema is "mailmatrix/0"`},
		{"report diff " + whole + " " + remote, "they were not asked the same"},
		{"report diff " + whole + " " + whole + " --format csv", `unknown format of a diff "csv"`},
		{"report merge", "not 0 files"},
		{"report merge " + whole + " " + garbage, "is no report in JSON"},
		{"report merge " + whole + " " + whole, "are both about reference reference, and not shards of one run"},
		{"report merge " + whole + " " + remote + " --output json=x --write-expect ./x", "two outputs to x"},
		{"run --shard 4/3 --seed 7", `unknown shard "4/3"`},
		{"run --shard 0/3 --seed 7", `unknown shard "0/3"`},
		{"run --shard 2 --seed 7", `unknown shard "2"`},
		{"run --shard +2/3 --seed 7", `unknown shard "+2/3"`},
		{"run --shard 2/3", "--shard wants --seed"},
		{"run --shard 2/3 --seed 7 --store x.db", "--store is about a whole run, and --shard 2/3 is a part of one: save it with --output json=FILE, and give --store to `mailmatrix report merge`"},
		{"run --shard 2/3 --seed 7 --baseline " + whole, "give --baseline to `mailmatrix report merge`"},
		{"run --shard 2/3 --seed 7 --fail-on must", "give --fail-on to `mailmatrix report merge`"},
		{"run --shard 2/3 --seed 7 --write-expect x.yaml", "give --write-expect to `mailmatrix report merge`"},
		{"report merge " + whole + " --output json=x --store ./x", "two outputs to x"},
		{"report merge " + whole + " --store " + garbage, "this is no database"},
	} {
		t.Run(row.args, func(t *testing.T) {
			status, out, diagnostics := mailmatrix(t, strings.Fields(row.args)...)
			if status != 2 || out != "" || !strings.Contains(diagnostics, row.want) || strings.Count(diagnostics, "\n") != 1 {
				t.Errorf("exit status %d, output %.200q, says %q, want %q", status, out, diagnostics, row.want)
			}
		})
	}
	for _, verb := range []string{"report", "report convert", "report diff", "report merge"} {
		status, out, _ := mailmatrix(t, append(strings.Fields(verb), "--help")...)
		if status != 0 || !strings.Contains(out, "Examples:\n  mailmatrix report") {
			t.Errorf("%q: exit status %d, help %q", verb, status, out)
		}
	}
}

// times are the parts of a report that differ between two runs of the same.
var times = regexp.MustCompile(`"(started|elapsed_ms)": ?("[^"]*"|[0-9.e+-]+)`)

func timeless(text string) string { return times.ReplaceAllString(text, `"$1": 0`) }

// What is converted is what the run would have written.
func TestReportConvert(t *testing.T) {
	dir := t.TempDir()
	saved, policy := filepath.Join(dir, "run.json"), file(t, "mine.yaml", "policy: {USER/PASS: secure}\n")
	args := []string{"run", "--profile", "probe", "--protocol", "pop3", "--flavour", "modern", "--database", "nt", "--seed", "7", "--transcripts", "all",
		"--policy", policy, "--fail-on", "should", "--output", "json=" + saved}
	for _, f := range reports.All() {
		args = append(args, "--output", f.Name+"="+filepath.Join(dir, "run-"+f.Name))
	}
	status, _, diagnostics := mailmatrix(t, args...)
	if status != 0 {
		t.Fatalf("exit status %d, says %s", status, diagnostics)
	}
	convert := []string{"report", "convert", saved, "--verbose", "--policy", policy}
	for _, f := range reports.All() {
		convert = append(convert, "--output", f.Name+"="+filepath.Join(dir, "again-"+f.Name))
	}
	if status, _, diagnostics = mailmatrix(t, convert...); status != 0 || diagnostics != "" {
		t.Fatalf("exit status %d, says %s", status, diagnostics)
	}
	for _, f := range reports.All() {
		want, err := os.ReadFile(filepath.Join(dir, "run-"+f.Name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "again-"+f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%s: of the run against converted\n%.2000s", f.Name, cmp.Diff(string(want), string(got)))
		}
	}
}

// A run is divided into three, on three machines as it were. One is killed, with
// no chance to say goodbye, and goes on. Together they are the run that nobody
// divided and nobody killed.
func TestShardsKilledAndMerged(t *testing.T) {
	dir := t.TempDir()
	args := []string{"run", "--profile", "eudora", "--protocol", "pop3", "--seed", "7", "--parallel", "2", "--format", "json"}
	status, whole, diagnostics := mailmatrix(t, args...)
	if status != 0 {
		t.Fatalf("exit status %d, says %s", status, diagnostics)
	}
	merge := []string{"report", "merge", "--format", "json"}
	for _, shard := range []string{"3/3", "1/3", "2/3"} {
		name := filepath.Join(dir, shard[:1]+".json")
		part := append(args[:len(args):len(args)], "--shard", shard, "--output", "json="+name)
		if shard == "1/3" {
			journal := filepath.Join(dir, "journal")
			part = append(part, "--journal", journal)
			killed(t, journal, 60, part)
			part = append(part, "--resume")
		}
		status, out, diagnostics := mailmatrix(t, part...)
		if status != 0 || !strings.Contains(out, `"shard":["`+shard+`"]`) {
			t.Fatalf("shard %s: exit status %d, says %s", shard, status, diagnostics)
		}
		validate(t, []byte(out))
		merge = append(merge, name)
	}
	status, merged, diagnostics := mailmatrix(t, merge...)
	if status != 0 || diagnostics != "" {
		t.Fatalf("exit status %d, says %s", status, diagnostics)
	}
	validate(t, []byte(merged))
	if timeless(whole) != timeless(merged) {
		t.Errorf("whole against merged\n%.3000s", cmp.Diff(timeless(whole), timeless(merged)))
	}

	// What is kept is the whole.
	kept := filepath.Join(dir, "results.db")
	if status, _, says := mailmatrix(t, append(merge, "--store", kept)...); status != 0 || says != "mailmatrix: kept in "+kept+" as run 1\n" {
		t.Errorf("exit status %d, says %q", status, says)
	}
	// What one of them would have found, nobody knows.
	if status, out, diagnostics := mailmatrix(t, merge[:len(merge)-1]...); status != 2 || out != "" || !strings.Contains(diagnostics, "shard 2/3 is missing") {
		t.Errorf("exit status %d, says %s", status, diagnostics)
	}
	// A run is the same as the whole of its parts.
	saved := file(t, "whole.json", whole)
	again := file(t, "merged.json", merged)
	if status, out, _ := mailmatrix(t, "report", "diff", saved, again); status != 0 || !strings.Contains(out, "NO CHANGE") {
		t.Errorf("exit status %d\n%s", status, out)
	}
	// A part of it has lost the rest, and that is no regression.
	if status, out, _ := mailmatrix(t, "report", "diff", saved, merge[4], "--format", "json"); status != 0 || !strings.Contains(out, `"vanished"`) {
		t.Errorf("exit status %d\n%.500s", status, out)
	}
}

// killed starts the program and kills it once the journal has so many lines.
func killed(t *testing.T, journal string, lines int, args []string) {
	t.Helper()
	child := exec.Command(os.Args[0], args...) //nolint:gosec // this very program
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
	limit := time.After(time.Minute)
	for len(whole(journal)) < lines {
		select {
		case <-tick.C:
		case err := <-ended:
			t.Fatalf("ended before it could be killed (%v): %s", err, &out)
		case <-limit:
			_ = child.Process.Kill()
			t.Fatal("it writes nothing into its journal")
		}
	}
	if err := child.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	if err := <-ended; err == nil || out.Len() > 0 {
		t.Fatalf("it was not killed in the middle: %v, %.300s", err, &out)
	}
}
