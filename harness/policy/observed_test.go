package policy_test

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func door(p login.Protocol, port string, settings map[login.Mechanism]login.Setting, ts ...login.TransportResult) login.DoorResult {
	return login.DoorResult{Protocol: p, Address: "192.0.2.1:" + port, Stages: map[login.Stage]string{login.StageBanner: login.StageOK}, Policy: settings, Transports: ts}
}

func lists(t login.Transport, m login.Mechanism, line string) login.TransportResult {
	return login.TransportResult{Transport: t, Mechanisms: []login.MechanismResult{{Mechanism: m, Evidence: line}}}
}

func TestObserve(t *testing.T) {
	doors := []login.DoorResult{
		door(login.SMTP, "587", map[login.Mechanism]login.Setting{login.PLAIN: login.Secure, login.LOGIN: login.Allow, login.NTLM: login.Unknown},
			lists(login.StartTLS, login.PLAIN, "250-AUTH PLAIN\r\npolicy: {PLAIN: allow}")),
		door(login.SMTP, "465", map[login.Mechanism]login.Setting{login.PLAIN: login.Secure, login.LOGIN: login.Deny, login.NTLM: login.Unknown}),
		{Protocol: login.POP3, Address: "192.0.2.1:110", Stages: map[login.Stage]string{login.StageConnect: "refused"}},
	}
	o := policy.Observe(doors)
	for m, want := range map[login.Mechanism]login.Setting{login.PLAIN: login.Secure, login.LOGIN: login.Unknown, login.NTLM: login.Unknown, login.GSSAPI: login.Unknown} {
		if got := o.Policy.For(login.SMTP, m); got != want {
			t.Errorf("%s: %s, want %s", m, got, want)
		}
	}
	if got := o.Remark(login.SMTP, login.LOGIN); got != "the doors differ: port 587: allow, port 465: deny" {
		t.Errorf("LOGIN: %s", got)
	}
	if len(o.Silent) != 1 || o.Silent[0] != login.POP3 || o.Differing != 1 {
		t.Errorf("%+v", o)
	}
	text := string(policy.Write(o.Policy, nil, o.Remark))
	if _, err := harness.LoadPolicy("made", []byte(text)); err == nil || !strings.Contains(err.Error(), "nobody has tried") || !strings.Contains(err.Error(), "LOGIN in smtp") {
		t.Errorf("what is unknown is refused: %v", err)
	}
	filled := strings.ReplaceAll(text, ": unknown ", ": deny ")
	p, err := harness.LoadPolicy("filled", []byte(filled))
	if err != nil || p.For(login.SMTP, login.PLAIN) != login.Secure || p.For(login.SMTP, login.LOGIN) != login.Deny {
		t.Errorf("a server's line takes effect, or nothing is read: %v\n%s", err, filled)
	}
}

func TestDoors(t *testing.T) {
	open := policy.Doors([]login.DoorResult{door(login.SMTP, "587", nil, lists(login.Plain, "", ""), lists(login.StartTLS, "", ""))})
	for _, row := range []struct {
		p    login.Protocol
		t    login.Transport
		want bool
	}{{login.SMTP, login.Plain, true}, {login.SMTP, login.StartTLS, true}, {login.SMTP, login.TLS, false}, {login.POP3, login.Plain, false}} {
		if open(row.p, row.t) != row.want {
			t.Errorf("%s %s: %v", row.p, row.t, !row.want)
		}
	}
}
