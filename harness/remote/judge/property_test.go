package judge

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// evidence is anything that doors could show, sensible or not.
func evidence(t *rapid.T) Evidence {
	tri := rapid.SampledFrom([]string{"-", "y", "n"})
	status := rapid.SampledFrom([]string{"", "ok", "bad", login.CertificateExpired, login.CertificateOtherName})
	name := rapid.SampledFrom(append(mech.Names(), "X-NEW", "", "BAD'; rm -rf /"))
	var e Evidence
	for range rapid.IntRange(0, 5).Draw(t, "doors") {
		d := login.DoorResult{
			Protocol: rapid.SampledFrom(login.Protocols()).Draw(t, "protocol"),
			Address:  rapid.SampledFrom([]string{"192.0.2.1:25", "192.0.2.1:587", "[2001:db8::1]:465", "x/y:995", "", "110"}).Draw(t, "address"),
			Host:     rapid.SampledFrom([]string{"", "mail.example.test", "a'b; reboot", "-x", "2001:db8::1"}).Draw(t, "host"),
			Found: rapid.SampledFrom([]login.Found{"", login.FoundNamed, login.FoundPort, login.FoundSRV, login.FoundMX,
				login.FoundAutoconfig}).Draw(t, "found"),
			Software: rapid.SampledFrom([]string{"", "Postfix", "Dovecot", "Exim", "mox"}).Draw(t, "software"),
			Implicit: rapid.Bool().Draw(t, "implicit"), Stages: map[login.Stage]string{},
		}
		for _, s := range login.Stages() {
			if v := status.Draw(t, string(s)); v != "" {
				d.Stages[s] = v
			}
		}
		if rapid.Bool().Draw(t, "certificate") {
			d.Certificate = &login.CertificateResult{Days: rapid.IntRange(-9, 60).Draw(t, "days"), SHA256: status.Draw(t, "sum")}
		}
		for range rapid.IntRange(0, 4).Draw(t, "links") {
			l := login.TransportResult{Transport: rapid.SampledFrom(append(login.Transports(), "")).Draw(t, "transport")}
			for range rapid.IntRange(0, 6).Draw(t, "rows") {
				l.Mechanisms = append(l.Mechanisms, row(name.Draw(t, "mechanism"), tri.Draw(t, "offered")+tri.Draw(t, "starts")+tri.Draw(t, "completes")))
			}
			d.Transports = append(d.Transports, l)
		}
		e.Doors = append(e.Doors, d)
	}
	if rapid.Bool().Draw(t, "declared") {
		e.Policy = &login.Policy{Common: map[login.Mechanism]login.Setting{}}
		for _, m := range mech.Names() {
			e.Policy.Common[m] = rapid.SampledFrom([]login.Setting{login.Deny, login.Secure, login.Allow, login.Unknown}).Draw(t, "setting")
		}
	}
	e.Blind = rapid.SampledFrom([]string{"", "", "from here nothing can be said"}).Draw(t, "blind")
	e.Strangers = map[int]bool{rapid.IntRange(-1, 5).Draw(t, "stranger"): true}
	e.Login, e.Passwords = rapid.Bool().Draw(t, "login"), rapid.IntRange(0, 2).Draw(t, "passwords")
	e.Unlike = map[int]string{rapid.IntRange(-1, 5).Draw(t, "unlike"): "it differs"}
	return e
}

// TestAnyEvidence: whatever doors show, the findings are complete, their IDs are
// unique, and the same evidence gives the same findings.
func TestAnyEvidence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := evidence(t)
		all := All(e)
		if again := All(e); !reflect.DeepEqual(all, again) {
			t.Fatal("the same evidence gave other findings")
		}
		seen := map[string]bool{}
		for _, r := range all {
			switch {
			case seen[r.ID]:
				t.Fatalf("%s comes twice", r.ID)
			case !strings.HasPrefix(r.ID, "scenario/door/") || strings.Count(r.ID, "/") < 4 || strings.Count(r.ID, "/") > 5:
				t.Fatalf("%s is no ID of a door's scenario", r.ID)
			case r.Kind != login.KindDoor, r.Door == nil, *r.Door < 0, *r.Door >= len(e.Doors):
				t.Fatalf("%s is of no door", r.ID)
			case len(r.Refs) == 0, r.Verdict == login.Unjudged, len(r.Expected) != 1:
				t.Fatalf("%s is incomplete: %+v", r.ID, r.ScenarioResult)
			case (r.Verdict == login.Skip) != (r.Why != ""):
				t.Fatalf("%s: %v for the reason %q", r.ID, r.Verdict, r.Why)
			case r.Verdict != login.Pass && r.Reason == "":
				t.Fatalf("%s: %v without a reason", r.ID, r.Verdict)
			case r.Verdict == login.Fail && (r.Advice == nil || r.Advice.Command == "" || len(r.Advice.Fix) == 0):
				t.Fatalf("%s fails and nobody says what to do: %+v", r.ID, r.Advice)
			case e.Strangers[*r.Door] && (r.Verdict == login.Fail || r.Verdict == login.Warn):
				t.Fatalf("%s: %v of a stranger", r.ID, r.Verdict)
			case r.Verdict != login.Fail && (r.WronglyAccepted || r.WronglyRefused):
				t.Fatalf("%s: %v is counted as a failure", r.ID, r.Verdict)
			}
			seen[r.ID] = true
		}
	})
}
