package harness_test

import (
	"slices"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What failed before is excused, what is new stays, and what is better is said.
func TestBaseline(t *testing.T) {
	const relayed = "scenario/relay/login/remote"
	warned := "classic/smtp/plain/LOGIN/deny/probe/nt/none/account"
	curl := "classic/smtp/plain/LOGIN/allow/curl+sasl-ir/full/none/account"
	for _, row := range []struct {
		why           string
		change        func(old, now *login.Report)
		better, worse []string
		fail, excused int
	}{
		{"nothing has changed", func(_, _ *login.Report) {}, nil, nil, 0, 5},
		{"one passes now", func(_, now *login.Report) { now.Scenarios[1].Verdict = login.Pass },
			[]string{relayed + ": pass, was fail"}, nil, 0, 4},
		{"one only warns now", func(_, now *login.Report) { now.Scenarios[1].Verdict = login.Warn },
			[]string{relayed + ": warn, was fail"}, nil, 0, 5},
		{"one fails that passed", func(_, now *login.Report) { now.Cells[2].Verdict = login.Fail }, nil, []string{curl + ": fail, was pass"}, 1, 5},
		{"one fails that warned", func(_, now *login.Report) { now.Cells[1].Verdict = login.Fail }, nil, []string{warned + ": fail, was warn"}, 1, 4},
		{"one fails that was not there", func(old, _ *login.Report) { old.Cases = old.Cases[1:] }, nil, nil, 1, 4},
		{"one fails that was skipped", func(old, _ *login.Report) { old.Cases[0].Verdict = login.Skip }, nil, nil, 1, 4},
		{"one is not there any more", func(_, now *login.Report) { now.Cases = now.Cases[1:] }, nil, nil, 0, 4},
		{"one is broken now", func(_, now *login.Report) { now.Cases[0].Verdict = login.Broken }, nil, nil, 0, 4},
	} {
		t.Run(row.why, func(t *testing.T) {
			old, now := excusable(), excusable()
			old.Started = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
			row.change(&old, &now)
			better, worse := harness.ApplyBaseline(&now, &old, today)
			if !slices.Equal(changes(better), row.better) || !slices.Equal(changes(worse), row.worse) {
				t.Errorf("better %q, worse %q", changes(better), changes(worse))
			}
			if sum := now.Sum(); sum.Fail != row.fail || sum.Excused != row.excused || len(now.Expectations) > 0 {
				t.Errorf("%+v, %v", sum, now.Expectations)
			}
			if c := now.Cells[0]; c.Excused != "already so on 2026-11-02" {
				t.Errorf("excused for %q", c.Excused)
			}
		})
	}
}

func changes(all []harness.Change) []string {
	var texts []string
	for _, c := range all {
		texts = append(texts, c.String())
	}
	return texts
}

// What is excused anyway is no regression.
func TestBaselineExcused(t *testing.T) {
	old, now := excusable(), excusable()
	now.Cells[2].Verdict = login.Fail
	harness.ApplyExcuses(&now, []harness.Excuse{entry(now.Cells[2].ID, login.Fail)}, today)
	if _, worse := harness.ApplyBaseline(&now, &old, today); len(worse) > 0 {
		t.Errorf("worse is %q", changes(worse))
	}
}

// Which of the ways to fail make the status 1.
func TestFailOn(t *testing.T) {
	must := func(r *login.Report) {
		r.Cases = []login.CaseResult{{ID: "a/b/001", Level: login.Must, Verdict: login.Fail}}
	}
	should := func(r *login.Report) {
		r.Cases = []login.CaseResult{{ID: "a/b/001", Level: login.Should, Verdict: login.Fail}}
	}
	warn := func(r *login.Report) { r.Cases[0].Verdict = login.Warn }
	hole := func(r *login.Report) { r.Cells[0].Verdict, r.Cells[0].WronglyAccepted = login.Fail, true }
	shows := func(class login.ExposureClass, transport login.Transport, secret login.SecretName) func(*login.Report) {
		return func(r *login.Report) {
			r.Cells[0].Verdict = login.Fail
			r.Cells[0].Exposures = []login.Exposure{{Class: class, Transport: transport, Secret: secret, When: login.AfterRefusal}}
		}
	}
	with := func(all ...func(*login.Report)) func(*login.Report) {
		return func(r *login.Report) {
			for _, change := range all {
				change(r)
			}
		}
	}
	listened := shows(login.ShowsVerifier, login.Plain, login.SecretAccount)
	for _, row := range []struct {
		why    string
		change func(*login.Report)
		// status without --fail-on, and on must, should, leak, regression
		want [5]int
	}{
		{"all is well", func(*login.Report) {}, [5]int{0, 0, 0, 0, 0}},
		{"a MUST fails", must, [5]int{1, 1, 1, 0, 0}},
		{"a SHOULD fails", should, [5]int{1, 0, 1, 0, 0}},
		{"something warns", warn, [5]int{0, 0, 1, 0, 0}},
		{"somebody was let in", hole, [5]int{1, 1, 1, 1, 0}},
		{"a hash could be read", listened, [5]int{1, 0, 1, 1, 0}},
		{"a name could be read", shows(login.ShowsIdentity, login.Plain, login.SecretAccount), [5]int{1, 0, 1, 0, 0}},
		{"a wrong password could be read", shows(login.ShowsPassword, login.Plain, login.SecretWrong), [5]int{1, 0, 1, 0, 0}},
		{"a password crossed TLS", shows(login.ShowsPassword, login.StartTLS, login.SecretAccount), [5]int{1, 0, 1, 0, 0}},
		{"somebody is locked out in clear", with(listened, func(r *login.Report) { r.Cells[0].WronglyRefused = true }), [5]int{1, 0, 1, 0, 0}},
		{"it is excused", with(hole, func(r *login.Report) { r.Cells[0].Excused = "known" }), [5]int{0, 0, 0, 0, 0}},
		{"a MUST is inconclusive", with(must, func(r *login.Report) {
			r.Cases[0].Verdict, r.Cases[0].Why = login.Skip, login.WhyInconclusive
		}), [5]int{2, 2, 2, 2, 2}},
		{"something of ours is broken", with(should, func(r *login.Report) { r.Cells[0].Verdict = login.Broken }), [5]int{1, 2, 1, 2, 2}},
		{"it was interrupted", with(must, func(r *login.Report) { r.Complete = false }), [5]int{2, 2, 2, 2, 2}},
		{"an excuse does not hold", func(r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Problem: login.ExcusePass}}
		}, [5]int{1, 1, 1, 1, 1}},
		{"an excuse was put to no test", func(r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Problem: login.ExcuseUnused}}
		}, [5]int{2, 2, 2, 2, 2}},
	} {
		r := login.Report{Complete: true, Cells: []login.CellResult{{ID: "x", Verdict: login.Pass, Basis: "measured"}},
			Cases: []login.CaseResult{{ID: "a/b/002", Level: login.Should, Verdict: login.Pass}}}
		row.change(&r)
		r.Count()
		got := [5]int{harness.StatusOf(&r, nil, nil)}
		for i, on := range harness.FailOns() {
			got[i+1] = harness.StatusOf(&r, []harness.FailOn{on}, nil)
		}
		if got != row.want {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
		}
	}
	r := login.Report{Complete: true, Cells: []login.CellResult{{ID: "x", Verdict: login.Warn, Basis: "measured"}}}
	r.Count()
	worse := []harness.Change{{ID: "x", Was: login.Pass, Now: login.Warn}}
	if got := harness.StatusOf(&r, []harness.FailOn{harness.FailOnMust, harness.FailOnRegression}, worse); got != 1 {
		t.Errorf("a regression is status %d", got)
	}
}
