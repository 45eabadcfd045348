package login

import (
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	yes, no := true, false
	seen := []Exposure{{Class: ShowsPassword, When: OnSuccess}}
	in := Observation{Outcome: LoggedIn, Offered: &yes, Used: PLAIN, Reply: "235 2.7.0 done",
		Exposures: seen}
	want := Expectation{Outcomes: []Outcome{LoggedIn}, Offered: &yes, Used: PLAIN, Exposures: seen,
		Replies: replyForms(SMTP)}
	for _, row := range []struct {
		name     string
		expect   func(*Expectation)
		observe  func(*Observation)
		verdict  Verdict
		reason   string
		accepted bool
		refused  bool
	}{
		{name: "as expected", verdict: Pass},
		{name: "nothing expected", expect: func(e *Expectation) { *e = Expectation{} }, verdict: Unjudged, reason: "nothing"},
		{name: "harness failed", observe: func(o *Observation) { o.Outcome = Error }, verdict: Broken, reason: "harness"},
		{name: "nothing observed", observe: func(o *Observation) { *o = Observation{} }, verdict: Broken, reason: "harness"},
		{name: "a hole", expect: func(e *Expectation) { e.Outcomes = []Outcome{RefusedPolicy} },
			verdict: Fail, reason: "expected refused-policy", accepted: true},
		{name: "a stranger", observe: func(o *Observation) { o.Stranger = true },
			verdict: Fail, reason: "Windows user", accepted: true},
		{name: "locked out", observe: func(o *Observation) { o.Outcome = RefusedPolicy },
			verdict: Fail, reason: "expected logged-in", refused: true},
		{name: "wrong refusal", expect: func(e *Expectation) { e.Outcomes = []Outcome{RefusedPolicy} },
			observe: func(o *Observation) { o.Outcome = RefusedCredentials }, verdict: Fail, reason: "expected refused-policy"},
		{name: "offered in vain", expect: func(e *Expectation) { e.Offered = &no }, verdict: Fail, reason: "offered, although"},
		{name: "hidden", observe: func(o *Observation) { o.Offered = &no }, verdict: Fail, reason: "not offered", refused: true},
		{name: "another choice", observe: func(o *Observation) { o.Used = LOGIN }, verdict: Fail, reason: "choose PLAIN"},
		{name: "leak", expect: func(e *Expectation) { e.Exposures = []Exposure{} }, verdict: Fail, reason: "read more"},
		{name: "leaks later", expect: func(e *Expectation) { e.Exposures = []Exposure{{Class: ShowsPassword, When: AfterRefusal}} },
			verdict: Fail, reason: "read more"},
		{name: "did not look", observe: func(o *Observation) { o.Offered = nil }, verdict: Broken, reason: "did not look"},
		{name: "blind tap", observe: func(o *Observation) { o.Exposures = nil }, verdict: Broken, reason: "tap"},
		{name: "wrong code", observe: func(o *Observation) { o.Reply = "235 2.0.0 done" }, verdict: Warn, reason: "235 2.7.0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e, o := want, in
			if row.expect != nil {
				row.expect(&e)
			}
			if row.observe != nil {
				row.observe(&o)
			}
			got := e.Judge(o)
			if got.Verdict != row.verdict || !strings.Contains(got.Reason, row.reason) ||
				got.WronglyAccepted != row.accepted || got.WronglyRefused != row.refused {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestReplyForm(t *testing.T) {
	policy := pop3Forms[RefusedPolicy]
	for reply, want := range map[string]bool{
		"-ERR not here": true, "-ERR": true, "-ERR [AUTH] no": false, "+OK": false,
	} {
		if got := policy.matches(reply); got != want {
			t.Errorf("%q matches %v, want %v", reply, got, want)
		}
	}
}

func served(kind string, doors ...DoorResult) []TargetResult {
	return []TargetResult{{Name: "mail.example.test", Kind: kind, Doors: doors}}
}

// at is a guessed door that came so far.
func at(banner string) DoorResult {
	return DoorResult{Found: FoundPort, Stages: map[Stage]string{StageConnect: StageOK, StageBanner: banner}}
}

// stopped is a server in service that has had enough.
func stopped(doors ...DoorResult) []TargetResult {
	all := served("remote", doors...)
	all[0].Effort = &Effort{Stopped: "421 go away"}
	return all
}

// lost is a door that was named, greeted, and did not say what it offers.
func lost() DoorResult {
	d := at(StageOK)
	d.Address, d.Found, d.Stages[StageHello] = "192.0.2.10:587", FoundNamed, "silent"
	return d
}

func TestExitStatus(t *testing.T) {
	pass := CellResult{Verdict: Pass}
	unasked := DoorResult{Found: FoundPort, Stages: map[Stage]string{StageConnect: ConnectStopped}}
	decided, open := []CaseResult{{Verdict: Pass}}, []CaseResult{{Verdict: Skip, Why: WhyBudget}}
	for _, row := range []struct {
		name   string
		report Report
		want   int
	}{
		{"nothing ran", Report{Complete: true}, 2},
		{"all pass", Report{Complete: true, Cells: []CellResult{pass}}, 0},
		{"one failed", Report{Complete: true, Cells: []CellResult{pass, {Verdict: Fail}}}, 1},
		{"failed and broken", Report{Complete: true, Cells: []CellResult{{Verdict: Fail}, {Verdict: Broken}}}, 1},
		{"broken", Report{Complete: true, Cells: []CellResult{pass, {Verdict: Broken}}}, 2},
		{"unjudged", Report{Complete: true, Cells: []CellResult{pass, {}}}, 2},
		{"predicted counts nowhere", Report{Complete: true, Cells: []CellResult{pass, {Basis: "predicted"}}}, 0},
		{"only skips", Report{Complete: true, Cells: []CellResult{{Verdict: Skip}}}, 2},
		{"skips and passes", Report{Complete: true, Cells: []CellResult{pass, {Verdict: Skip}}}, 0},
		{"warnings", Report{Complete: true, Cells: []CellResult{{Verdict: Warn}}}, 0},
		{"interrupted", Report{Cells: []CellResult{pass, {Verdict: Fail}}}, 2},
		{"control failed", Report{Complete: true, Cells: []CellResult{pass, {Verdict: Fail}},
			Scenarios: []ScenarioResult{{ID: "it", Kind: KindControl, Verdict: Fail}}}, 2},
		{"control skipped", Report{Complete: true, Cells: []CellResult{pass},
			Scenarios: []ScenarioResult{{ID: "scenario/control/canary/a", Kind: KindControl, Verdict: Skip}}}, 2},
		{"control of the same sort passed", Report{Complete: true, Cells: []CellResult{pass},
			Scenarios: []ScenarioResult{{ID: "scenario/control/canary/a", Kind: KindControl, Verdict: Skip},
				{ID: "scenario/control/canary/b", Kind: KindControl, Verdict: Pass}}}, 0},
		{"only skips beside controls", Report{Complete: true, Cells: []CellResult{{Verdict: Skip}},
			Scenarios: []ScenarioResult{{ID: "scenario/control/canary/a", Kind: KindControl, Verdict: Pass}}}, 2},
		{"only controls", Report{Complete: true,
			Scenarios: []ScenarioResult{{ID: "scenario/control/canary/a", Kind: KindControl, Verdict: Pass}}}, 0},
		{"a MUST is inconclusive", Report{Complete: true, Cells: []CellResult{pass},
			Cases: []CaseResult{{Level: Must, Verdict: Skip, Why: WhyInconclusive}}}, 2},
		{"a MUST does not apply", Report{Complete: true, Cells: []CellResult{pass},
			Cases: []CaseResult{{Level: Must, Verdict: Skip, Why: WhyNotApplicable}}}, 0},
		{"a SHOULD is inconclusive", Report{Complete: true, Cells: []CellResult{pass},
			Cases: []CaseResult{{Level: Should, Verdict: Skip, Why: WhyInconclusive}}}, 0},
		{"a client does not tell", Report{Complete: true, Cells: []CellResult{pass},
			Cases: []CaseResult{{Level: Must, Profile: "x", Verdict: Skip, Why: WhyInconclusive}}}, 0},
		{"the login that was asked for is undecided", Report{Complete: true, Cells: []CellResult{pass}, Scenarios: []ScenarioResult{
			{ID: "scenario/door/login/smtp/587", Kind: KindDoor, Verdict: Skip, Why: WhyInconclusive, Reason: "no login has succeeded"}}}, 2},
		{"another door's finding is inconclusive", Report{Complete: true, Cells: []CellResult{pass}, Scenarios: []ScenarioResult{
			{ID: "scenario/door/offered-fails/smtp/587/tls", Kind: KindDoor, Verdict: Skip, Why: WhyInconclusive}}}, 0},
		{"no door of a server answers", Report{Complete: true, Cells: []CellResult{pass}, Targets: served("remote", at("refused"), at("turned-away"))}, 2},
		{"one of its doors answers", Report{Complete: true, Cells: []CellResult{pass}, Targets: served("remote", at("refused"), at(StageOK))}, 0},
		{"one of two servers answers", Report{Complete: true, Cells: []CellResult{pass},
			Targets: append(served("remote", at(StageOK)), served("remote", at("silent"))...)}, 2},
		{"none answers, and something failed", Report{Complete: true, Cells: []CellResult{{Verdict: Fail}}, Targets: served("remote", at("refused"))}, 1},
		{"a named door greets and no more", Report{Complete: true, Cells: []CellResult{pass}, Targets: served("remote", at(StageOK), lost())}, 2},
		{"left alone before a case was decided", Report{Complete: true, Cells: []CellResult{pass}, Cases: open, Targets: stopped(at(StageOK))}, 2},
		{"left alone after that", Report{Complete: true, Cells: []CellResult{pass}, Cases: decided, Targets: stopped(at(StageOK))}, 0},
		{"left alone before a door", Report{Complete: true, Cells: []CellResult{pass}, Cases: decided, Targets: stopped(at(StageOK), unasked)}, 2},
		{"left alone, and something failed", Report{Complete: true, Cells: []CellResult{{Verdict: Fail}}, Targets: stopped(at(StageOK))}, 1},
		{"nobody looked at the doors", Report{Complete: true, Cells: []CellResult{pass}, Targets: served("remote", DoorResult{}, DoorResult{})}, 0},
		{"a server of ours", Report{Complete: true, Cells: []CellResult{pass}, Targets: served("reference", at("refused"))}, 0},
		{"scenario failed", Report{Complete: true, Cells: []CellResult{pass},
			Scenarios: []ScenarioResult{{Kind: "relay", Verdict: Fail}}}, 1},
	} {
		row.report.Count()
		if got := row.report.ExitStatus(); got != row.want {
			t.Errorf("%s: exit status %d, want %d", row.name, got, row.want)
		}
	}
}
