package harness

import (
	"errors"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

func TestJudgeScenario(t *testing.T) {
	verifier := login.ShowsVerifier
	s := scenarios.Scenario{Expected: []string{"refused"}, Shown: &verifier}
	for _, row := range []struct {
		name    string
		outcome string
		shown   login.ExposureClass
		err     error
		want    login.Ruling
	}{
		{"as expected", "refused", login.ShowsVerifier, nil, login.Ruling{Verdict: login.Pass}},
		{"ours", "refused", login.ShowsVerifier, errors.New("no"), login.Ruling{Verdict: login.Broken}},
		{"let in", "accepted", login.ShowsVerifier, nil, login.Ruling{Verdict: login.Fail, WronglyAccepted: true}},
		{"leaks", "refused", login.ShowsPassword, nil, login.Ruling{Verdict: login.Fail}},
		{"deaf", "refused", login.ShowsNothing, nil, login.Ruling{Verdict: login.Broken}},
	} {
		got := judge(s, login.ScenarioResult{Outcome: row.outcome, Exposure: row.shown}, row.err)
		if (got.Reason == "") != (got.Verdict == login.Pass) {
			t.Errorf("%s: reason %q", row.name, got.Reason)
		}
		if got.Reason = ""; got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
	s.Expected = []string{"accepted"}
	if got := judge(s, login.ScenarioResult{Outcome: "refused", Exposure: verifier}, nil); !got.WronglyRefused || got.WronglyAccepted {
		t.Errorf("locked out: %+v", got)
	}
}

// The canary that must be seen is one: the control says exactly what.
func TestCanaryControls(t *testing.T) {
	canaries := 0
	for _, s := range scenarios.All(clientsim.All()) {
		if s.Kind == login.KindControl && s.Shown != nil && *s.Shown == login.ShowsPassword {
			canaries++
		}
	}
	if canaries != 8 {
		t.Errorf("%d canaries; want 2 flavours x 2 protocols, first and last", canaries)
	}
}
