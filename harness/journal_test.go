package harness_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// journalled runs the plan with a journal. Where it is to be cut off, it is so
// after that many results.
func journalled(t *testing.T, name string, resume bool, p harness.Plan, c harness.Config, cutAfter int) login.Report {
	t.Helper()
	journal, err := harness.OpenJournal(name, resume, p, c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.Journal = journal
	if cutAfter > 0 {
		c.Progress = func(done, _ int) {
			if done == cutAfter {
				cancel()
			}
		}
	}
	report := harness.Run(ctx, p, c)
	if err := journal.Close(); err != nil {
		t.Error(err)
	}
	return report
}

// jobsIn are the jobs of a journal, in its order.
func jobsIn(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []string
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")[1:] {
		var l struct{ Job string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		jobs = append(jobs, l.Job)
	}
	return jobs
}

// journalPlan has cells, scenarios and cases, and is small. Scenarios that
// break connections off may hear a last word or not, and are not in it.
func journalPlan(t *testing.T) harness.Plan {
	p := plan(t, harness.Grid{Profiles: []string{"eudora"}, Protocols: []login.Protocol{login.POP3}})
	p.Jobs = slices.DeleteFunc(slices.Clone(p.Jobs), func(j harness.Job) bool {
		return j.Scenario != nil && j.Scenario.Kind != login.KindControl && j.Scenario.Kind != login.KindRelay
	})
	p.Jobs = append(p.Jobs, plan(t, harness.Grid{Cases: []string{"smtp/auth/003"}}).Jobs...)
	seen := map[string]bool{} // both plans have the controls
	p.Jobs = slices.DeleteFunc(p.Jobs, func(j harness.Job) bool {
		known := seen[j.ID()]
		seen[j.ID()] = true
		return known
	})
	return p
}

// A run that was cut off goes on, and its report is that of a run which was
// not: nothing is done twice but the controls, which must hold for both parts.
func TestResume(t *testing.T) {
	p := journalPlan(t)
	// A server that is wrong has more to tell.
	target := reference(t, server.WithBug(server.WrongAccepted))
	c := harness.Config{Target: target, Seed: 11, Transcripts: harness.KeepAll, Tool: "mailmatrix test", Patience: patience}
	dir := t.TempDir()
	want := journalled(t, filepath.Join(dir, "whole"), false, p, c, 0)
	if !want.Complete || want.Sum().Fail == 0 || want.Sum().WronglyAccepted == 0 {
		t.Fatalf("nothing to compare with: %+v", want.Sum())
	}
	name := filepath.Join(dir, "cut")
	for i, at := range []int{40, 200, 400} {
		part := journalled(t, name, i > 0, p, c, at)
		if part.Complete || part.Seed != 11 {
			t.Fatalf("cut off after %d of %d: complete %v", at, len(p.Jobs), part.Complete)
		}
		c.Seed = 0 // the journal has it
	}
	got := journalled(t, name, true, p, c, 0)
	times := cmp.Options{
		cmpopts.IgnoreFields(login.Report{}, "Started", "ElapsedMS"),
		cmpopts.IgnoreFields(login.CellResult{}, "ElapsedMS"),
		cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, got, times); diff != "" {
		t.Errorf("without and with interruption:\n%s", diff)
	}
	count := map[string]int{}
	for _, id := range jobsIn(t, name) {
		count[id]++
		if count[id] > 1 && !strings.HasPrefix(id, "scenario/control/") {
			t.Errorf("%s was run again", id)
		}
	}
	if len(count) != len(p.Jobs) {
		t.Errorf("%d of %d jobs are in the journal", len(count), len(p.Jobs))
	}
	again := journalled(t, name, true, p, c, 0)
	if diff := cmp.Diff(got, again, times); diff != "" {
		t.Errorf("nothing was left to be done, and still:\n%s", diff)
	}
	if again.ElapsedMS < got.ElapsedMS || !again.Started.Equal(got.Started) {
		t.Errorf("the whole work took %f ms since %v, and %f ms since %v", got.ElapsedMS, got.Started, again.ElapsedMS, again.Started)
	}
}

// Wherever the last line was cut off, the rest is kept and the run goes on.
func TestTornJournal(t *testing.T) {
	p := journalPlan(t)
	p.Jobs = p.Jobs[len(p.Jobs)-5:]
	c := harness.Config{Target: reference(t), Seed: 3, Tool: "mailmatrix test", Patience: patience}
	dir := t.TempDir()
	name := filepath.Join(dir, "whole")
	journalled(t, name, false, p, c, 0)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	header := bytes.IndexByte(data, '\n') + 1
	for _, end := range []int{0, 1, header - 1, header, header + 1, len(data) - 2, len(data) - 1} {
		torn := filepath.Join(dir, fmt.Sprint(end))
		if err := os.WriteFile(torn, data[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		report := journalled(t, torn, true, p, c, 0)
		if !report.Complete || report.Sum().Cells != len(p.Jobs) || report.Sum().Pass != len(p.Jobs) {
			t.Errorf("cut off after %d octets of %d: %+v", end, len(data), report.Sum())
		}
		if jobs := jobsIn(t, torn); len(slices.Compact(slices.Sorted(slices.Values(jobs)))) != len(p.Jobs) {
			t.Errorf("cut off after %d octets: jobs %v", end, jobs)
		}
	}
}

// What a line calls a scenario is no result of a cell: the cell is done again.
func TestJournalOfAnotherKind(t *testing.T) {
	p := onlyCells(plan(t, harness.Grid{Profiles: []string{"eudora"}, Mechanisms: []login.Mechanism{login.APOP}}))
	c := harness.Config{Target: reference(t), Seed: 3, Patience: patience}
	name := filepath.Join(t.TempDir(), "journal")
	journalled(t, name, false, p, c, 0)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.ReplaceAll(data, []byte(`"cell":{`), []byte(`"scenario":{`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := journalled(t, name, true, p, c, 0); !report.Complete || report.Sum().Pass != len(p.Jobs) {
		t.Errorf("complete: %v, %+v of %d", report.Complete, report.Sum(), len(p.Jobs))
	}
}

// A journal is never overwritten, and a run goes on with its own alone.
func TestJournalRefuses(t *testing.T) {
	p := journalPlan(t)
	p.Jobs = p.Jobs[len(p.Jobs)-2:]
	c := harness.Config{Target: reference(t), Seed: 3, Tool: "mailmatrix test", Patience: patience}
	dir := t.TempDir()
	name := filepath.Join(dir, "journal")
	journalled(t, name, false, p, c, 0)
	other := p
	other.Jobs = slices.Clone(p.Jobs)
	other.Jobs[0].Expect.Outcomes = []login.Outcome{login.Dropped}
	narrower := p
	narrower.Selection = map[string][]string{"setting": {"secure"}}
	shorter := p
	shorter.Jobs = p.Jobs[:1]
	later := p
	later.Catalogue = "2099.1"
	with := func(change func(*harness.Config)) harness.Config {
		changed := c
		change(&changed)
		return changed
	}
	garbage := filepath.Join(dir, "garbage")
	damaged := filepath.Join(dir, "damaged")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(garbage, []byte("hello\nworld\n"), 0o600),
		os.WriteFile(damaged, bytes.Replace(data, []byte("\n{\"job\""), []byte("\n{\"jab\" "), 1)[:len(data)], 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		why    string
		file   string
		resume bool
		plan   harness.Plan
		config harness.Config
		want   string
	}{
		{"it is there already", name, false, p, c, "is there already: go on with it by --resume"},
		{"it is not there", filepath.Join(dir, "nothing"), true, p, c, "there is no journal"},
		{"a folder", dir, true, p, c, "it is no regular file"},
		{"no folder", filepath.Join(dir, "no/where"), false, p, c, "no such file"},
		{"another program", name, true, p, with(func(c *harness.Config) { c.Tool = "mailmatrix 9" }), "begun by mailmatrix test, and this is mailmatrix 9"},
		{"another catalogue", name, true, later, c, "and this run about 2099.1"},
		{"another selection", name, true, narrower, c, "narrowed to profile eudora, protocol pop3, and this one to"},
		{"other transcripts", name, true, p, with(func(c *harness.Config) { c.Transcripts = harness.KeepAll }), "kept the transcripts of failed, and this one of all"},
		{"another target", name, true, p, with(func(c *harness.Config) { c.Target = panicking{} }), "and this run about panicking"},
		{"another seed", name, true, p, with(func(c *harness.Config) { c.Seed = 4 }), "has seed 3, and this one is to have 4: leave out --seed"},
		{"fewer jobs", name, true, shorter, c, "was of 2 experiments, and this one of 1"},
		{"other jobs", name, true, other, c, "a policy or a profile has changed"},
		{"no journal at all", garbage, true, p, c, "line 1: this is no journal"},
	} {
		journal, err := harness.OpenJournal(row.file, row.resume, row.plan, row.config)
		if err == nil {
			_ = journal.Close()
			t.Errorf("%s: accepted", row.why)
			continue
		}
		if !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: says %q, want %q", row.why, err, row.want)
		}
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(data, after) {
		t.Errorf("a journal that was refused was changed (%v)", err)
	}
	if _, err := harness.OpenJournal(damaged, true, p, c); err == nil || !strings.Contains(err.Error(), "line ") {
		t.Errorf("a damaged line: %v", err)
	}
}

// Secrets are veiled before anything is written down: of a good server, of one
// that takes wrong passwords, and of one that repeats what it was told.
func TestNoCanaryInTheJournal(t *testing.T) {
	const seed = 7
	s := harness.SecretsOf(seed)
	search := wire.NewSearcher(
		wire.Needle{Name: "password", Text: s.Password}, wire.Needle{Name: "override", Text: s.Override},
		wire.Needle{Name: "wrong password", Text: s.Wrong}, wire.Needle{Name: "Windows password", Text: s.WindowsPassword},
		wire.Needle{Name: "name", Text: s.Name}, wire.Needle{Name: "Windows user", Text: s.WindowsUser})
	small := plan(t, harness.Grid{Overrides: []login.Override{login.OverrideSet}, Databases: []login.Database{login.Full},
		Profiles: []string{"probe", "eudora-7-win"}, Protocols: []login.Protocol{login.POP3}})
	for _, row := range []struct {
		name   string
		plan   harness.Plan
		target harness.Target
	}{
		{"good", small, reference(t)},
		{"bad", small, reference(t, server.WithBug(server.WrongAccepted))},
		{"echo", fakePlan(t), fake{answer: talkative(func(line string) string { return "500 what is " + line + " \xff" })}},
	} {
		name := filepath.Join(t.TempDir(), row.name)
		report := journalled(t, name, false, row.plan, harness.Config{Target: row.target, Seed: seed, Transcripts: harness.KeepAll,
			Patience: patience}, 0)
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(data, []byte(`"transcript":["S`)) || len(report.Transcripts) == 0 {
			t.Fatalf("%s: no conversation in the journal: there is nothing to search", row.name)
		}
		for _, found := range search.Find(data) {
			t.Errorf("%s: the journal shows the %s", row.name, found.Name)
		}
	}
}

// Octets that are no UTF-8 come out the same whether there is a journal or not,
// or shards of which one was resumed would not make the report of the whole.
func TestOctetsWithAndWithoutJournal(t *testing.T) {
	p := fakePlan(t)
	c := harness.Config{Target: fake{answer: talkative(func(string) string { return "500 \xff" })}, Seed: 7, Transcripts: harness.KeepAll, Patience: patience}
	with := journalled(t, filepath.Join(t.TempDir(), "journal"), false, p, c, 0)
	without := harness.Run(context.Background(), p, c)
	if diff := cmp.Diff(with.Lines, without.Lines); diff != "" || !slices.Contains(with.Lines, `S 500 \xff`) {
		t.Errorf("%q, and with and without a journal:\n%s", with.Lines, diff)
	}
}
