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

// What a setting rests on is the line that names the mechanism, on the link
// where it is had.
func TestObserveRemarks(t *testing.T) {
	yes, no := new(true), new(false)
	row := func(m login.Mechanism, offered, starts *bool, line, reply string) login.MechanismResult {
		return login.MechanismResult{Mechanism: m, Offered: offered, Starts: starts, Evidence: line, Reply: reply}
	}
	const clear, inside, greeting = "250-AUTH CRAM-MD5", "250-AUTH CRAM-MD5 LOGIN PLAIN", "+OK ready"
	smtp := door(login.SMTP, "587", map[login.Mechanism]login.Setting{
		login.LOGIN: login.Secure, login.PLAIN: login.Secure, login.CRAMMD5: login.Allow, login.NTLM: login.Deny, login.DIGESTMD5: login.Unknown,
		login.XOAUTH2: login.Secure},
		login.TransportResult{Transport: login.Plain, Mechanisms: []login.MechanismResult{
			row(login.LOGIN, no, nil, clear, ""), row(login.PLAIN, no, no, clear, "530 5.7.0 TLS first"), row(login.CRAMMD5, yes, nil, clear, ""),
			row(login.NTLM, no, no, clear, "504 5.5.4 no"), row(login.DIGESTMD5, no, nil, clear, "454 4.7.0 later"),
			row(login.XOAUTH2, no, no, clear, "530 5.7.0 TLS first")}},
		login.TransportResult{Transport: login.StartTLS, Mechanisms: []login.MechanismResult{
			row(login.LOGIN, yes, nil, inside, ""), row(login.PLAIN, yes, yes, inside, "334 "), row(login.CRAMMD5, yes, nil, inside, ""),
			row(login.XOAUTH2, yes, nil, "250-AUTH LOGIN PLAIN xoauth2 OAUTHBEARER", "")}})
	pop3 := door(login.POP3, "110", map[login.Mechanism]login.Setting{login.APOP: login.Deny},
		login.TransportResult{Transport: login.Plain, Mechanisms: []login.MechanismResult{
			{Mechanism: login.APOP, Offered: no, Completes: no, Evidence: greeting}, row(login.PLAIN, no, nil, "SASL LOGIN", "")}})
	o := policy.Observe([]login.DoorResult{smtp, pop3})
	for _, row := range []struct {
		protocol  login.Protocol
		mechanism login.Mechanism
		want, why string
	}{
		{login.SMTP, login.LOGIN, "not offered in clear, not tried there; port 587, starttls: " + inside, "its absence in clear is no refusal"},
		{login.SMTP, login.PLAIN, "port 587, starttls: " + inside, "in clear it was refused"},
		{login.SMTP, login.CRAMMD5, "port 587, plain: " + clear, "it is had in clear"},
		{login.SMTP, login.NTLM, "port 587, plain: 504 5.5.4 no", "the refusal, and no list"},
		{login.SMTP, login.DIGESTMD5, "undecided: port 587, plain: 454 4.7.0 later", "it was tried"},
		{login.SMTP, login.GSSAPI, "nobody tried: not in any list", "there is no row"},
		{login.POP3, login.APOP, "port 110: no timestamp in the greeting", "the greeting would have offered it"},
		{login.SMTP, login.XOAUTH2, "port 587, starttls: 250-AUTH ... xoauth2 ...", "a long list is cut, and still names it"},
		{login.POP3, login.PLAIN, "nobody tried: port 110, plain: SASL LOGIN", "the list that could have named it"},
	} {
		if got := o.Remark(row.protocol, row.mechanism); got != row.want {
			t.Errorf("%s %s: %q, want %q: %s", row.protocol, row.mechanism, got, row.want, row.why)
		}
	}
}

// A port for TLS alone cannot tell Allow from Secure.
func TestObserveImplicit(t *testing.T) {
	at := func(port string, s login.Setting) login.DoorResult {
		d := door(login.SMTP, port, map[login.Mechanism]login.Setting{login.PLAIN: s})
		d.Implicit = port == "465"
		return d
	}
	for _, row := range []struct {
		why   string
		doors []login.DoorResult
		want  login.Setting
	}{
		{"it agrees with Allow", []login.DoorResult{at("465", login.Secure), at("587", login.Allow)}, login.Allow},
		{"and with Secure", []login.DoorResult{at("465", login.Secure), at("587", login.Secure)}, login.Secure},
		{"not with Deny", []login.DoorResult{at("465", login.Secure), at("587", login.Deny)}, login.Unknown},
		{"alone it is the stricter", []login.DoorResult{at("465", login.Secure)}, login.Secure},
		{"its refusal is one", []login.DoorResult{at("465", login.Deny), at("587", login.Secure)}, login.Unknown},
		{"it settles nothing for others", []login.DoorResult{at("465", login.Secure), at("587", login.Unknown)}, login.Unknown},
		{"the others still differ", []login.DoorResult{at("465", login.Secure), at("587", login.Secure), at("25", login.Allow)}, login.Unknown},
	} {
		if got := policy.Observe(row.doors).Policy.For(login.SMTP, login.PLAIN); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}

// Of what was not looked at nothing is said.
func TestUnseen(t *testing.T) {
	unseen := policy.Unseen([]login.DoorResult{{Protocol: login.SMTP, Stages: map[login.Stage]string{login.StageConnect: "refused"}}})
	if len(unseen) != 1 || unseen[0] != login.POP3 {
		t.Errorf("%v", unseen)
	}
	everything := policy.Explain(login.Policy{}, nil, clients(), nil)
	left := everything.Without(unseen)
	if len(left.Clients) == 0 || len(left.Clients) >= len(everything.Clients) {
		t.Errorf("%d of %d clients are left", len(left.Clients), len(everything.Clients))
	}
	for _, c := range left.Clients {
		if _, there := c.In(login.POP3); there || len(c.Access) != 1 || c.Standing != c.Access[0].Standing {
			t.Errorf("%+v", c)
		}
	}
}
