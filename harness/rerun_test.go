package harness_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What is run again is what failed, warned or was broken, and the controls.
func TestRerun(t *testing.T) {
	r := excusable()
	r.Cells[1].Excused = "known"
	failed := harness.Failed(&r)
	want := []string{"both/policy/003@smtp", eudoraCell, "client/smtp/009@smtplib", "scenario/relay/login/remote", "scenario/startup/der"}
	if !slices.Equal(failed, want) {
		t.Errorf("failed are %q", failed)
	}

	whole := plan(t, harness.Grid{})
	again, missing, err := whole.Rerun(append(failed, "smtp/gone/001@smtp"), "old.json")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(missing, "smtp/gone/001@smtp") || slices.Contains(missing, eudoraCell) {
		t.Errorf("missing are %q", missing)
	}
	controls := 0
	for _, j := range again.Jobs {
		switch {
		case j.Scenario != nil && j.Scenario.Kind == login.KindControl:
			controls++
		case !slices.Contains(failed, j.ID()):
			t.Errorf("%s did not fail", j.ID())
		}
	}
	if controls == 0 || len(again.Jobs) != controls+len(failed)+1-len(missing) || len(again.Clients) > 0 {
		t.Errorf("%d jobs, %d of them controls, %d missing", len(again.Jobs), controls, len(missing))
	}
	if whole.Selection["rerun-failed"] != nil || again.Selection["rerun-failed"][0] != "old.json" {
		t.Errorf("the selection is %v", again.Selection)
	}
	report := login.Report{Selection: again.Selection}
	if !report.Narrowed() {
		t.Error("the report does not say that it was narrowed")
	}

	for _, row := range []struct {
		why  string
		ids  []string
		want string
	}{
		{"nothing failed", nil, "old.json: nothing failed there, so there is nothing to run again"},
		{"it was another plan", []string{"smtp/gone/001@smtp"}, "old.json: nothing of what failed there is in this plan (smtp/gone/001@smtp"},
	} {
		if _, _, err := whole.Rerun(row.ids, "old.json"); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

// An experiment is run alone, whatever it is, with the controls.
func TestOnly(t *testing.T) {
	whole := plan(t, harness.Grid{})
	for _, row := range []struct {
		why  string
		ids  []string
		want []string
	}{
		{"a cell", []string{eudoraCell}, []string{eudoraCell}},
		{"a scenario of two protocols, which no axis narrows to", []string{"scenario/contents/smtp-to-pop3/classic/plain"}, []string{"scenario/contents/smtp-to-pop3/classic/plain"}},
		{"a case at one kind of door", []string{"both/policy/012@pop3"}, []string{"both/policy/012@pop3"}},
		{"a case at each", []string{"both/policy/012"}, []string{"both/policy/012@smtp", "both/policy/012@pop3"}},
		{"a client's case, and another", []string{"client/smtp/009@mutt", "both/policy/012@pop3"}, []string{"both/policy/012@pop3", "client/smtp/009@mutt"}},
		{"a control, which runs anyway", []string{"scenario/control/canary/classic/smtp/plain/last"}, nil},
	} {
		only, err := whole.Only(row.ids)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		var ids []string
		controls := 0
		for _, j := range only.Jobs {
			if j.Scenario != nil && j.Scenario.Kind == login.KindControl {
				controls++
			} else {
				ids = append(ids, j.ID())
			}
		}
		if !slices.Equal(ids, row.want) || controls == 0 || !slices.Equal(only.Selection["only"], row.ids) || len(only.Clients) > 0 {
			t.Errorf("%s: %q, %d controls, selection %v", row.why, ids, controls, only.Selection)
		}
	}
	for _, row := range []struct{ id, want string }{
		{"scenario/contents/smtp-to-pop3/classic", `no experiment of this plan is "scenario/contents/smtp-to-pop3/classic", did you mean "scenario/contents/smtp-to-pop3/classic/plain"?`},
		{"both/policy/012@imap", `did you mean "both/policy/012@smtp"?`},
		{"", `no experiment of this plan is "";`},
	} {
		if _, err := whole.Only([]string{eudoraCell, row.id}); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", row.id, err)
		}
	}
}

// A file that is no report of ours is refused by name.
func TestReadReport(t *testing.T) {
	for _, row := range []struct{ why, text, want string }{
		{"no JSON", "hello", "old.json is no report in JSON"},
		{"another verdict", `{"schema": "mailmatrix/1", "cells": [{"verdict": "fial"}]}`, `did you mean "fail"?`},
		{"another program's", `{"schema": "other/3"}`, `its schema is "other/3"`},
		{"one of ours", `{"schema": "mailmatrix/1", "cells": [{"id": "x", "verdict": "fail"}], "flaky": [{"id": "x", "verdicts": {"pass": 1, "fail": 2}}]}`, ""},
	} {
		r, err := harness.ReadReport("old.json", []byte(row.text))
		if row.want == "" && (err != nil || r.Cells[0].Verdict != login.Fail || r.Flaky[0].Verdicts[login.Fail] != 2) {
			t.Errorf("%s: %+v, %v", row.why, r, err)
		}
		if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}

// Of repetitions the worst counts, with its own conversation, and what differs is
// said.
func TestRepeated(t *testing.T) {
	p := onlyCells(fakePlan(t))
	answers := []string{"535 5.7.8 wrong", "235 2.7.0 in", "535 5.7.8 wrong"}
	var runs []login.Report
	for _, answer := range answers {
		runs = append(runs, harness.Run(context.Background(), p, harness.Config{Transcripts: harness.KeepAll, Seed: 3,
			Target: fake{answer: talkative(func(string) string { return answer })}}))
	}
	all := harness.Repeated(runs)
	if len(all.Cells) != len(p.Jobs) || all.Cells[0].Verdict != login.Fail || all.Totals.WronglyAccepted != 1 || !all.Complete {
		t.Fatalf("%+v", all.Totals)
	}
	if said := strings.Join(all.Transcript(all.Cells[0].Transcript), "\n"); !strings.Contains(said, "235 2.7.0 in") {
		t.Errorf("its conversation is\n%s", said)
	}
	flake := all.Flaky[0]
	if len(all.Flaky) != 1 || flake.ID != all.Cells[0].ID || flake.Verdicts[login.Fail] != 1 || flake.Verdicts[login.Pass] != 2 {
		t.Errorf("flaky are %v", all.Flaky)
	}
	if again := harness.Repeated(runs[:1]); len(again.Flaky) > 0 || again.Totals != runs[0].Totals {
		t.Errorf("one run is flaky: %v", again.Flaky)
	}
	runs[2].Complete = false
	if harness.Repeated(runs).Complete {
		t.Error("it is complete, and one of the runs was not")
	}
}

// Two doors may speak one protocol: their results stay two.
func TestRepeatedTwins(t *testing.T) {
	one := login.Report{Complete: true, Targets: []login.TargetResult{{Doors: []login.DoorResult{{Protocol: login.SMTP}, {Protocol: login.SMTP}}}},
		Cases: []login.CaseResult{{ID: "x/y/001", Door: 0, Verdict: login.Pass}, {ID: "x/y/001", Door: 1, Verdict: login.Fail}}}
	all := harness.Repeated([]login.Report{one, one})
	if len(all.Cases) != 2 || len(all.Flaky) > 0 || all.Cases[0].Verdict != login.Pass || all.CaseTotals.Fail != 1 {
		t.Errorf("%+v, flaky %v", all.Cases, all.Flaky)
	}
}
