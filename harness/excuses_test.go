package harness_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// today is when these tests are run.
var today = time.Date(2026, 11, 29, 23, 30, 0, 0, time.UTC)

const eudoraCell = "classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account"

// excusable is a report that has every sort of result.
func excusable() login.Report {
	r := login.Report{Complete: true, Targets: []login.TargetResult{{Doors: []login.DoorResult{{Protocol: login.SMTP}, {Protocol: login.POP3}}}}}
	r.Cells = []login.CellResult{
		{ID: eudoraCell, Verdict: login.Fail, WronglyAccepted: true, Basis: "measured", Reason: "expected not-offered, saw logged-in"},
		{ID: "classic/smtp/plain/LOGIN/deny/probe/nt/none/account", Verdict: login.Warn, Basis: "measured", Reason: "503, not 504"},
		{ID: "classic/smtp/plain/LOGIN/allow/curl+sasl-ir/full/none/account", Verdict: login.Pass, Basis: "measured"},
		{ID: "remote/smtp/plain/LOGIN/unknown/eudora/unknown/none/account", Basis: "predicted"},
	}
	r.Scenarios = []login.ScenarioResult{
		{ID: "scenario/control/canary/classic/smtp/plain/first", Kind: login.KindControl, Verdict: login.Pass},
		{ID: "scenario/relay/login/remote", Kind: login.KindRelay, Verdict: login.Fail, Reason: "relayed"},
		{ID: "scenario/relay/none/remote", Kind: login.KindRelay, Verdict: login.Skip, Why: login.WhyCannot},
		{ID: "scenario/relay/none/local", Kind: login.KindRelay, Verdict: login.Skip, Why: login.WhyBudget},
		{ID: "scenario/startup/der", Kind: login.KindStartup, Verdict: login.Broken},
	}
	r.Cases = []login.CaseResult{
		{ID: "both/policy/003", Door: 0, Verdict: login.Fail, Reason: "no"},
		{ID: "both/policy/003", Door: 1, Verdict: login.Pass},
		{ID: "client/smtp/009", Profile: "smtplib", Verdict: login.Fail, Reason: "falls back"},
		{ID: "client/smtp/009", Profile: "curl+sasl-ir", Verdict: login.Pass},
	}
	r.Count()
	return r
}

func entry(pattern string, v login.Verdict) harness.Excuse {
	return harness.Excuse{Pattern: pattern, Verdict: v, Reason: "known", Source: "a test"}
}

// One entry, one report: which results it excuses, and what is wrong with it.
func TestApplyExcuses(t *testing.T) {
	const fail, warn = login.Fail, login.Warn
	narrowed := func(r *login.Report) { r.Selection = map[string][]string{"protocol": {"smtp"}} }
	interrupted := func(r *login.Report) { r.Complete = false }
	expired := func(e harness.Excuse) harness.Excuse {
		e.Until = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
		return e
	}
	lastDay := func(e harness.Excuse) harness.Excuse {
		e.Until = time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
		return e
	}
	for _, row := range []struct {
		why     string
		excuse  harness.Excuse
		change  func(*login.Report)
		excused []string
		problem login.ExcuseFault
	}{
		{"a cell by its ID", entry(eudoraCell, fail), nil, []string{eudoraCell}, ""},
		{"a scenario by its ID", entry("scenario/relay/login/remote", fail), nil, []string{"scenario/relay/login/remote"}, ""},
		{"a case in one protocol", entry("both/policy/003@smtp", fail), nil, []string{"both/policy/003"}, ""},
		{"a case in all of them", entry("both/policy/003", fail), nil, []string{"both/policy/003"}, ""},
		{"a case of one client", entry("client/smtp/009@smtplib", fail), nil, []string{"client/smtp/009"}, ""},
		{"clients by a pattern", entry("client/smtp/009@smtp*", fail), nil, []string{"client/smtp/009"}, ""},
		{"* stays within a segment", entry("classic/*/PLAIN/secure/eudora/wingate/none/account", fail), nil, nil, login.ExcuseUnused},
		{"* is a segment, or a part of one", entry("classic/smtp/*/PL*/secure/eudora/wingate/none/account", fail), nil, []string{eudoraCell}, ""},
		{"** spans them", entry("classic/**/account", warn), nil, []string{"classic/smtp/plain/LOGIN/deny/probe/nt/none/account"}, ""},
		{"nothing else is special", entry("both.policy.003@smtp", fail), nil, nil, login.ExcuseUnused},
		{"+ is a letter", entry("client/smtp/009@curl+sasl-ir", fail), nil, nil, login.ExcusePass},
		{"a cell has nothing behind @", entry(eudoraCell+"@smtp", fail), nil, nil, login.ExcuseUnused},
		{"all that it matches passes", entry("both/policy/003@pop3", fail), nil, nil, login.ExcusePass},
		{"another verdict", entry("both/policy/003@smtp", warn), nil, nil, login.ExcuseVerdict},
		{"one of those it matches is enough", entry("**", warn), nil, []string{"classic/smtp/plain/LOGIN/deny/probe/nt/none/account"}, ""},
		{"it matches nothing", entry("smtp/nowhere/001", fail), nil, nil, login.ExcuseUnused},
		{"a skip decides nothing", entry("scenario/relay/none/remote", fail), nil, nil, login.ExcuseUnused},
		{"unless somebody chose it", entry("scenario/relay/none/local", fail), nil, nil, ""},
		{"what is broken is said already", entry("scenario/startup/der", fail), nil, nil, ""},
		{"a control is no finding", entry("scenario/*/canary/**", fail), func(r *login.Report) { r.Scenarios[0].Verdict = fail }, nil, login.ExcuseUnused},
		{"what is predicted is no result", entry("remote/**", fail), nil, nil, login.ExcuseUnused},
		{"its last day", lastDay(entry(eudoraCell, fail)), nil, []string{eudoraCell}, ""},
		{"its date has passed", expired(entry(eudoraCell, fail)), nil, nil, login.ExcuseExpired},
		{"a date passes in a narrowed run too", expired(entry("smtp/nowhere/001", fail)), narrowed, nil, login.ExcuseExpired},
		{"narrowed: it may be about what was left out", entry("smtp/nowhere/001", fail), narrowed, nil, ""},
		{"narrowed: the failure may be among what was left out", entry("**", warn), func(r *login.Report) {
			narrowed(r)
			r.Cells = r.Cells[2:]
		}, nil, ""},
		{"narrowed: a single result passes all the same", entry("both/policy/003@pop3", fail), narrowed, nil, login.ExcusePass},
		{"narrowed: one protocol of several", entry("client/smtp/009", fail), func(r *login.Report) {
			narrowed(r)
			r.Cases = r.Cases[3:]
		}, nil, ""},
		{"interrupted: it may be about what was not done", entry("smtp/nowhere/001", fail), interrupted, nil, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := excusable()
			if row.change != nil {
				row.change(&r)
			}
			r.Count()
			before := r.Sum()
			problems := harness.ApplyExcuses(&r, []harness.Excuse{row.excuse}, today)
			var excused []string
			for _, c := range r.Cells {
				if c.Excused != "" {
					excused = append(excused, c.ID)
				}
			}
			for _, s := range r.Scenarios {
				if s.Excused != "" {
					excused = append(excused, s.ID)
				}
			}
			for _, c := range r.Cases {
				if c.Excused != "" {
					excused = append(excused, c.ID)
				}
			}
			if !slices.Equal(excused, row.excused) {
				t.Errorf("excuses %v, want %v", excused, row.excused)
			}
			var fault login.ExcuseFault
			for _, p := range problems {
				fault = p.Problem
				if p.Pattern != row.excuse.Pattern || p.Reason == "" || strings.Contains(p.Reason, "\n") {
					t.Errorf("%+v", p)
				}
			}
			if fault != row.problem || !slices.Equal(r.Expectations, problems) {
				t.Errorf("problem %q, want %q; the report says %v", fault, row.problem, r.Expectations)
			}
			after := r.Sum()
			if lost := before.Fail + before.Warn - after.Fail - after.Warn; lost != len(row.excused) || after.Excused != lost || after.Cells != before.Cells {
				t.Errorf("totals %+v, before %+v", after, before)
			}
			if after.Pass != before.Pass || after.Skip != before.Skip || after.Broken != before.Broken {
				t.Errorf("what is no finding is counted anew: %+v, before %+v", after, before)
			}
		})
	}
}

// What is excused keeps its verdict and changes no exit status; what is wrong
// with the excuses does.
func TestExcusesAndExitStatus(t *testing.T) {
	all := []harness.Excuse{entry("classic/**", login.Fail), entry("classic/**", login.Warn), entry("scenario/relay/login/remote", login.Fail),
		entry("both/policy/003@smtp", login.Fail), entry("client/smtp/009@smtplib", login.Fail)}
	for _, row := range []struct {
		why     string
		excuses []harness.Excuse
		want    int
	}{
		{"nothing is excused", nil, 1},
		{"one failure is not", all[1:], 1},
		{"everything is", all, 0},
		{"a claim is not kept", append(slices.Clone(all), entry("both/policy/003@pop3", login.Fail)), 1},
		{"an entry matches nothing", append(slices.Clone(all), entry("smtp/nowhere/001", login.Fail)), 2},
		{"an entry matches nothing, and something failed", append(all[1:], entry("smtp/nowhere/001", login.Fail)), 1},
	} {
		r := excusable()
		r.Scenarios = r.Scenarios[:4] // nothing is broken
		r.Cells = r.Cells[:3]
		harness.ApplyExcuses(&r, row.excuses, today)
		if got := r.ExitStatus(); got != row.want {
			t.Errorf("%s: exit status %d, want %d; %v", row.why, got, row.want, r.Expectations)
		}
		if r.Cells[0].Verdict != login.Fail || r.Cells[1].Verdict != login.Warn {
			t.Errorf("%s: a verdict was changed", row.why)
		}
	}
}

// Two files, such as known findings and a user's own, are applied one after
// the other: the first reason stands, and neither undoes the other.
func TestExcusesTwice(t *testing.T) {
	r := excusable()
	harness.ApplyExcuses(&r, []harness.Excuse{entry(eudoraCell, login.Fail), entry("nowhere", login.Fail)}, today)
	second := entry("classic/**", login.Fail)
	second.Reason = "another"
	if problems := harness.ApplyExcuses(&r, []harness.Excuse{second}, today); len(problems) > 0 {
		t.Error(problems)
	}
	if r.Cells[0].Excused != "known" || len(r.Expectations) != 1 || r.Totals.Excused != 1 || r.Totals.WronglyAccepted != 0 {
		t.Errorf("excused %q, %v, %+v", r.Cells[0].Excused, r.Expectations, r.Totals)
	}
}

const goodEntry = "- {pattern: smtp/auth/003@smtp, verdict: fail, reason: why, source: where"

// Each mistake is one line with file, line and what to do.
func TestLoadExcusesRefuses(t *testing.T) {
	for _, row := range []struct{ why, yaml, want string }{
		{"no YAML", "- pattern: [", "known.yaml:1:12: "},
		{"no list", "pattern: x\n", "known.yaml:1:8: "},
		{"an unknown key", "# one\n" + goodEntry + ", resaon: x}\n", `known.yaml:2:76: unknown field "resaon"; wanted is a list of entries with pattern (`},
		{"a key twice", goodEntry + ", reason: x}\n", "known.yaml:1:76: "},
		{"two documents", goodEntry + "}\n---\n" + goodEntry + "}\n", "known.yaml: more than one YAML document"},
		{"a star without quotes", "- {pattern: *, verdict: fail, reason: a, source: b}\n", "known.yaml"},
		{"no pattern", "- {verdict: fail, reason: a, source: b}\n", "known.yaml:1: pattern is missing: say an ID"},
		{"no verdict", "- {pattern: a, reason: a, source: b}\n", "known.yaml:1: verdict is missing: say fail or warn"},
		{"no reason", "- {pattern: a, verdict: fail, source: b}\n", "known.yaml:1: reason is missing: say why"},
		{"no source", "\n\n- {pattern: a, verdict: fail, reason: b}\n", "known.yaml:3: source is missing: say where"},
		{"blank is nothing", "- {pattern: a, verdict: fail, reason: '  ', source: b}\n", "known.yaml:1: reason is missing"},
		{"an empty entry", "-\n", "known.yaml:1: pattern is missing"},
		{"a skip needs no excuse", "- {pattern: a, verdict: skip, reason: a, source: b}\n", "known.yaml:1: verdict \"skip\": only fail and warn"},
		{"what is broken is ours", "- {pattern: a, verdict: broken, reason: a, source: b}\n", "known.yaml:1: verdict \"broken\": only fail and warn"},
		{"no date", goodEntry + ", until: soon}\n", `known.yaml:1: until "soon" is no date: write it as 2027-06-30`},
		{"a day that is none", goodEntry + ", until: 2026-02-30}\n", "is no date"},
		{"two patterns in one", "- {pattern: a b, verdict: fail, reason: a, source: b}\n", "known.yaml:1: pattern \"a b\": only * and **"},
		{"another sort of pattern", "- {pattern: 'a?', verdict: fail, reason: a, source: b}\n", "only * and **"},
		{"nobody behind @", "- {pattern: a@, verdict: fail, reason: a, source: b}\n", "write ID, or ID@PROTOCOL"},
		{"a control", "- {pattern: scenario/control/**, verdict: fail, reason: a, source: b}\n", "a control cannot be excused"},
		{"the same twice", goodEntry + "}\n" + goodEntry + "}\n", "known.yaml:2: smtp/auth/003@smtp is excused of fail already in known.yaml:1"},
		{"two mistakes", "- {pattern: a}\n- {pattern: b, verdict: fail}\n", "known.yaml:1: verdict is missing: say fail or warn\nknown.yaml:2: reason"},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := harness.LoadExcuses("known.yaml", []byte(row.yaml))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.HasPrefix(err.Error(), row.want) && !strings.Contains(err.Error(), row.want) {
				t.Errorf("says %q, want %q", err, row.want)
			}
			if lines := strings.Count(err.Error(), "\n"); lines > strings.Count(row.want, "\n") {
				t.Errorf("one line is wanted, not %q", err)
			}
		})
	}
}

// What is written can be read, whatever a server said.
func TestExcusesRoundTrip(t *testing.T) {
	r := excusable()
	r.Cells[0].Reason = "-ERR no | <b>\"not\"</b>: # here\x1b[31m\r\n* 'a' \\ \xff {x: y} %"
	r.Cells[1].Reason = ""
	r.Cases[0].Reason = "2026-01-01"
	written := harness.ExcusesFor(&r, "observed by mailmatrix test on 2026-11-29")
	if len(written) != 5 {
		t.Fatalf("%d entries, want 5: %v", len(written), written)
	}
	written[2].Until = today.Truncate(24 * time.Hour)
	written[3].Reason = "Grüße: größer"
	var b bytes.Buffer
	if err := harness.WriteExcuses(&b, written); err != nil {
		t.Fatal(err)
	}
	read, err := harness.LoadExcuses("x.yaml", b.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, &b)
	}
	if diff := cmp.Diff(written, read, cmpopts.IgnoreUnexported(harness.Excuse{})); diff != "" {
		t.Errorf("written and read again:\n%s\n%s", diff, &b)
	}
	r.Scenarios = r.Scenarios[:4]
	if problems := harness.ApplyExcuses(&r, read, today); len(problems) > 0 || r.ExitStatus() != 0 {
		t.Errorf("the report that the entries were made of: exit status %d, %v", r.ExitStatus(), problems)
	}
	if more := harness.ExcusesFor(&r, "x"); len(more) > 0 {
		t.Errorf("excused already, and still %v", more)
	}
}

func TestNothingToExcuse(t *testing.T) {
	var b bytes.Buffer
	if err := harness.WriteExcuses(&b, nil); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{b.String(), "", "# nothing\n", "[]\n"} {
		if read, err := harness.LoadExcuses("x.yaml", []byte(text)); err != nil || len(read) > 0 {
			t.Errorf("%q: %v, %v", text, read, err)
		}
	}
}

// Keep leaves out what does not hold, and nothing else.
func TestKeepExcuses(t *testing.T) {
	read, err := harness.LoadExcuses("x.yaml", []byte("- {pattern: '**', verdict: fail, reason: a, source: b}\n"+
		"- {pattern: 'classic/**', verdict: warn, reason: a, source: b}\n- {pattern: nowhere, verdict: warn, reason: a, source: b}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := excusable()
	r.Cells[1].Verdict = login.Pass
	problems := harness.ApplyExcuses(&r, read, today)
	if kept := harness.Keep(read, problems); len(problems) != 2 || len(kept) != 1 || kept[0].Verdict != login.Fail {
		t.Errorf("%v, kept %v", problems, kept)
	}
	if problems[0].Entry != "x.yaml:2" || problems[1].Entry != "x.yaml:3" {
		t.Errorf("%v", problems)
	}
}

// No ID of a plan holds what is special in a pattern.
func TestIDsAreNoPatterns(t *testing.T) {
	p := plan(t, harness.Grid{})
	for _, j := range p.Jobs {
		id := j.ID()
		if j.Scenario == nil && j.Cell == (login.Cell{}) {
			id, _, _ = strings.Cut(id, "@") // a case, and whom it is about
		}
		if j.Client != nil {
			id = j.Client.ID
		}
		if strings.ContainsAny(id, "*@?[]{} \t") {
			t.Errorf("%q would be misread", id)
		}
	}
}

// Files of known findings that are in the repository can be read.
func TestKnownFilesAreRead(t *testing.T) {
	for _, pattern := range []string{"../interop/known/*.yaml", "../scenarios/clientcases/known.yaml"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err == nil {
				_, err = harness.LoadExcuses(name, data)
			}
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Error(err)
			}
		}
	}
}
