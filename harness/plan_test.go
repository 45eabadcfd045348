package harness_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The default run, counted by hand. Each combination of client, protocol,
// transport and mechanism is crossed with 2 flavours and 3 settings, with the
// databases (four for the probe, else two, and full besides for Kerberos), and
// with the pairs of override and credential: 5 of passwords, 4 of what is
// issued, 2 of nothing.
func TestDefaultPlan(t *testing.T) {
	p := plan(t, harness.Grid{})
	want := map[string]int{
		// Twenty with passwords (nine of SMTP, two more in POP3), four for which
		// something is issued, and ANONYMOUS; no auto.
		"probe":             6 * 4 * 3 * ((9+11)*5 + (4+4)*4 + (1+1)*2),
		"outlook":           6 * 2 * (3*2 + 2*3) * 5, // NTLM, auto; USER/PASS, NTLM, auto without STLS
		"outlook-express":   6 * 2 * (3*2 + 2*3) * 5,
		"eudora":            6 * 3 * (2*(3+4)*5 + 3*(1+1)*4), // GSSAPI with full too
		"eudora-7-win":      6 * 3 * (2*(4+3)*5 + 3*(1+1)*4), // LOGIN more, POP3 CRAM-MD5 less
		"outlook-express-6": 6 * 2 * (3*3 + 2*3) * 5,
	}
	got := map[string]int{}
	ids := map[string]bool{}
	for _, j := range p.Jobs {
		if ids[j.ID()] {
			t.Errorf("%s is planned twice", j.ID())
		}
		ids[j.ID()] = true
		if j.Scenario == nil && j.Case == nil && j.Client == nil {
			got[j.Cell.Profile]++
			if len(j.Expect.Outcomes) != 1 || len(j.Expect.Refs) == 0 {
				t.Errorf("%s: nothing is expected", j.ID())
			}
		}
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s: %d cells, want %d", name, got[name], n)
		}
	}
	for _, lack := range []login.Lack{
		{Profile: "outlook", Protocol: login.POP3, Mechanism: login.APOP},
		{Profile: "outlook", Protocol: login.POP3, Transport: login.StartTLS},
	} {
		if !slices.Contains(p.Lacks, lack) {
			t.Errorf("%+v is not listed", lack)
		}
	}
}

// A flag that narrows cells narrows the scenarios that have the field, and
// the controls always run.
func TestNarrowedPlan(t *testing.T) {
	p := plan(t, harness.Grid{Profiles: []string{"OUTLOOK"}, Protocols: []login.Protocol{login.POP3}})
	controls := 0
	for _, j := range p.Jobs {
		switch s := j.Scenario; {
		case s == nil:
			if j.Cell.Profile != "outlook" || j.Cell.Protocol != login.POP3 {
				t.Errorf("%s was not asked for", j.ID())
			}
		case s.Kind == login.KindControl:
			controls++
		case s.Profile != "" && s.Profile != "outlook" || s.Protocol == login.SMTP:
			t.Errorf("%s was not asked for", j.ID())
		}
	}
	if controls != 48 {
		t.Errorf("%d controls, want all 48", controls)
	}
	if got := p.Selection["protocol"]; !slices.Equal(got, []string{"pop3"}) {
		t.Errorf("selection %v", p.Selection)
	}
}

func TestNothingMatches(t *testing.T) {
	_, err := harness.NewPlan(harness.Grid{Profiles: []string{"outlook"}, Mechanisms: []login.Mechanism{login.APOP}})
	var nothing *harness.NothingMatchedError
	if !errors.As(err, &nothing) || !strings.Contains(err.Error(), "profile outlook") {
		t.Errorf("got %v", err)
	}
	if _, err := harness.NewPlan(harness.Grid{Profiles: []string{"outlok"}}); err == nil || !strings.Contains(err.Error(), `"outlook"`) {
		t.Errorf("a typing error: %v", err)
	}
}

// A profile of somebody's own runs in its plain case; --full crosses all.
func TestExtraProfile(t *testing.T) {
	mine, err := clientsim.Get("eudora")
	if err != nil {
		t.Fatal(err)
	}
	mine.Name = "mine"
	g := harness.Grid{Extra: []clientsim.Profile{mine}, Profiles: []string{"mine"}}
	few := plan(t, g).Cells()
	g.Full = true
	// Seven with passwords and twice GSSAPI, on three transports.
	if all := plan(t, g).Cells(); few != 6*3*(7+2) || all != 6*3*4*(7*5+2*4) {
		t.Errorf("%d cells, and %d with --full", few, all)
	}
}

// A policy takes the place of mechanism and setting.
func TestPolicyPlan(t *testing.T) {
	policy, err := harness.LoadPolicy("test", []byte("policy: {PLAIN: secure}\nsmtp: {CRAM-MD5: allow}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range plan(t, harness.Grid{Policy: &policy}).Jobs {
		if j.Scenario != nil {
			continue
		}
		if j.Cell.Setting != login.Declared || (j.Cell.Mechanism == login.Auto) == (j.Cell.Profile == "probe") {
			t.Errorf("%s", j.ID())
		}
		if j.Policy.For(login.SMTP, login.CRAMMD5) != login.Allow || j.Policy.For(login.POP3, login.CRAMMD5) != login.Deny {
			t.Errorf("%s runs under %v", j.ID(), j.Policy)
		}
	}
}

func TestLoadPolicy(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"unknown mechanism", "policy: {PLIAN: allow}", `did you mean "PLAIN"`},
		{"unknown setting", "policy: {PLAIN: maybe}", "PLAIN: unknown setting"},
		{"unknown key", "polcy: {PLAIN: allow}", `policy test:1:1: unknown field "polcy"`},
		{"not in this protocol", "smtp: {APOP: allow}", "APOP does not exist in smtp"},
		{"twice", "policy: {USER/PASS: allow, USER-PASS: deny}", "named twice"},
		{"empty", "", "says nothing"},
		{"two documents", "policy: {PLAIN: allow}\n---\npolicy: {PLAIN: deny}\n", "more than one YAML document"},
		{"no YAML", "policy: {", "policy test:1:9: could not find flow mapping end token"},
		{"an account file, by mistake", "accounts: [{name: carol, password: hunter2}]", `policy test:1:1: unknown field "accounts"`},
		{"unknown is not for an administrator", "policy: {PLAIN: unknown}", "nobody has tried PLAIN"},
	} {
		_, err := harness.LoadPolicy("test", []byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: it says %q", row.name, err)
		}
	}
}

// Two profiles of one name would share every ID.
func TestProfileNamedTwice(t *testing.T) {
	mine := clientsim.All()[0]
	_, err := harness.NewPlan(harness.Grid{Extra: []clientsim.Profile{mine}})
	if err == nil || !strings.Contains(err.Error(), mine.Name) {
		t.Errorf("got %v", err)
	}
}
