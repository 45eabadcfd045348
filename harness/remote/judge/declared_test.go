package judge

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestDeclared(t *testing.T) {
	set := func(m login.Mechanism, s login.Setting) login.Policy { return login.Only(m, s) }
	for _, c := range []struct {
		name, why string
		policy    login.Policy
		doors     []login.DoorResult
		id        string
		verdict   login.Verdict
		reason    string
		accepted  bool
		refused   bool
	}{
		{name: "denied and offered", why: "deny is never offered", policy: login.Policy{}, verdict: login.Fail,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "LOGIN y--", "PLAIN n--"))}, id: "denied-offered/smtp/587/starttls",
			reason: "port 587 inside TLS offers LOGIN, which the policy denies"},
		{name: "denied and taken", why: "Postfix's filter only hides", policy: login.Policy{}, verdict: login.Fail, accepted: true,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "LOGIN nyy"))}, id: "denied-taken/smtp/587/starttls",
			reason: "port 587 inside TLS takes LOGIN, which the policy denies"},
		{name: "secure, offered in clear", why: "secure is for TLS", policy: set(login.PLAIN, login.Secure), verdict: login.Fail,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "PLAIN y--"), link(login.StartTLS, "PLAIN y--"))}, id: "secure-offered/smtp/587/plain",
			reason: "port 587 without TLS offers PLAIN, which the policy permits inside TLS only"},
		{name: "secure, taken in clear", why: "the hole", policy: set(login.PLAIN, login.Secure), verdict: login.Fail, accepted: true,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "PLAIN ny-"))}, id: "secure-taken/smtp/587/plain",
			reason: "port 587 without TLS takes PLAIN, which the policy permits inside TLS only"},
		{name: "the timestamp comes before STLS", why: "the contract, rule 2", policy: set(login.APOP, login.Secure), verdict: login.Pass,
			doors: []login.DoorResult{pop3("110", link(login.Plain, "APOP yn-"), link(login.StartTLS, "APOP y--"))}, id: "policy/pop3/110/plain"},
		{name: "the timestamp of what is denied", why: "no exception for deny", policy: login.Policy{}, verdict: login.Fail,
			doors: []login.DoorResult{pop3("110", link(login.Plain, "APOP y--"), link(login.StartTLS))}, id: "denied-offered/pop3/110/plain",
			reason: "port 110 without TLS offers APOP, which the policy denies"},
		{name: "APOP taken before STLS", why: "the exception is for the greeting", policy: set(login.APOP, login.Secure), verdict: login.Fail, accepted: true,
			doors: []login.DoorResult{pop3("110", link(login.Plain, "APOP yyy"), link(login.StartTLS, "APOP yyy"))}, id: "secure-taken/pop3/110/plain",
			reason: "port 110 without TLS takes APOP, which the policy permits inside TLS only"},
		{name: "permitted and not listed", why: "clients that look do not find it", policy: set(login.PLAIN, login.Secure), verdict: login.Fail, refused: true,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN n--", "LOGIN n--"))}, id: "permitted-missing/smtp/587/starttls",
			reason: "port 587 inside TLS does not offer PLAIN, which the policy permits there"},
		{name: "permitted, and the server has it not", why: "a policy may permit more than a server can do", policy: set(login.CRAMMD5, login.Secure),
			verdict: login.Warn, doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--", "CRAM-MD5 n--"))}, id: "permitted-absent/smtp/587",
			reason: "the policy permits CRAM-MD5, and no SMTP door offers that"},
		{name: "permitted, and nobody gives out tokens", why: "that is a note", policy: set(login.XOAUTH2, login.Secure),
			verdict: login.Pass, doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--", "XOAUTH2 n--"))}, id: "permitted-needless/smtp/587",
			reason: "the policy permits XOAUTH2, and no SMTP door offers that"},
		{name: "permitted, and there is no list", why: "then nothing is known", policy: set(login.UserPass, login.Secure), verdict: login.Pass,
			doors: []login.DoorResult{pop3("995", link(login.TLS, "USER/PASS ---", "PLAIN -n-"))}, id: "policy/pop3/995/tls"},
		{name: "25 is for other servers", why: "no login is offered, and 587 is there", policy: set(login.PLAIN, login.Secure), verdict: login.Pass,
			doors: []login.DoorResult{smtp("25", link(login.StartTLS, "PLAIN n--")), clean("587")}, id: "permitted-missing/smtp/25/starttls",
			reason: "port 25 offers no login: it is where other servers bring mail"},
		{name: "25 alone", why: "then it is where users log in", policy: set(login.PLAIN, login.Secure), verdict: login.Fail, refused: true,
			doors: []login.DoorResult{smtp("25", link(login.StartTLS, "PLAIN n--"))}, id: "permitted-missing/smtp/25/starttls",
			reason: "port 25 inside TLS does not offer PLAIN, which the policy permits there"},
		{name: "permitted and refused", why: "offered, and refused at the command", policy: set(login.PLAIN, login.Secure), verdict: login.Fail, refused: true,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN ynn"))}, id: "permitted-refused/smtp/587/starttls",
			reason: "port 587 inside TLS refuses PLAIN, which the policy permits there"},
		{name: "permitted and fails", why: "twisted's APOP", policy: login.Policy{Common: map[login.Mechanism]login.Setting{login.PLAIN: login.Secure, login.APOP: login.Secure}},
			verdict: login.Fail, refused: true, doors: []login.DoorResult{pop3("995", link(login.TLS, "APOP yyn", "PLAIN yyy"))}, id: "permitted-fails/pop3/995/tls",
			reason: "port 995 lets nobody in by APOP, which the policy permits there, with credentials that are right elsewhere"},
		{name: "permitted and fails, as all do", why: "the password may be wrong", policy: set(login.PLAIN, login.Secure), verdict: login.Skip,
			doors: []login.DoorResult{pop3("995", link(login.TLS, "PLAIN yyn"))}, id: "permitted-fails/pop3/995/tls",
			reason: "no login with PLAIN succeeded, but none did anywhere: the name or the password may be wrong"},
		{name: "EXTERNAL is not offered", why: "no certificate was shown", policy: login.Policy{Common: map[login.Mechanism]login.Setting{login.EXTERNAL: login.Secure, login.PLAIN: login.Secure}},
			verdict: login.Pass, doors: []login.DoorResult{smtp("587", link(login.StartTLS, "EXTERNAL nn-", "PLAIN y--"))}, id: "policy/smtp/587/starttls"},
		{name: "-PLUS in clear, allowed", why: "without TLS there is no such mechanism", policy: set(login.SCRAMSHA1PLUS, login.Allow), verdict: login.Fail,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "SCRAM-SHA-1-PLUS y--"))}, id: "secure-offered/smtp/587/plain",
			reason: "port 587 without TLS offers SCRAM-SHA-1-PLUS, which the policy permits inside TLS only"},
		{name: "refused after the password", why: "in clear it has crossed", policy: set(login.UserPass, login.Secure), verdict: login.Fail,
			doors: []login.DoorResult{pop3("110", link(login.Plain, "USER/PASS nyn"))}, id: "asks-first/pop3/110/plain",
			reason: "port 110 without TLS asks for the secret of USER/PASS before it refuses it, as the policy has it: by then a listener has read it"},
		{name: "refused after the proof", why: "inside TLS it is a matter of manners", policy: login.Policy{}, verdict: login.Warn,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "CRAM-MD5 nyn"))}, id: "asks-first/smtp/587/starttls",
			reason: "port 587 inside TLS asks for the secret of CRAM-MD5 before it refuses it, as the policy has it"},
		{name: "allowed in clear", why: "declared, so a note", policy: set(login.PLAIN, login.Allow), verdict: login.Pass,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "PLAIN y--"))}, id: "cleartext/smtp/587/plain",
			reason: "the policy lets the password of PLAIN cross port 587 without TLS"},
		{name: "as declared", why: "one pass for the link", policy: set(login.PLAIN, login.Secure), verdict: login.Pass,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN yyy", "LOGIN nnn"))}, id: "policy/smtp/587/starttls"},
		{name: "a protocol of its own", why: "its map wins", policy: login.Policy{Common: map[login.Mechanism]login.Setting{login.PLAIN: login.Secure},
			Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.PLAIN: login.Deny}}}, verdict: login.Fail,
			doors: []login.DoorResult{pop3("995", link(login.TLS, "PLAIN y--"))}, id: "denied-offered/pop3/995/tls",
			reason: "port 995 offers PLAIN, which the policy denies"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := find(t, All(Evidence{Doors: c.doors, Policy: &c.policy}), c.id)
			if got.Verdict != c.verdict || got.Reason != c.reason || got.WronglyAccepted != c.accepted || got.WronglyRefused != c.refused {
				t.Errorf("%s\ngot  %v %q accepted %v refused %v\nwant %v %q accepted %v refused %v", c.why,
					got.Verdict, got.Reason, got.WronglyAccepted, got.WronglyRefused, c.verdict, c.reason, c.accepted, c.refused)
			}
		})
	}
}

// TestUndecided: a policy that does not say, and a row that nobody tried, come
// to nothing.
func TestUndecided(t *testing.T) {
	p := login.Only(login.PLAIN, login.Unknown)
	doors := []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN yyy", "LOGIN ---"))}
	for _, r := range All(Evidence{Doors: doors, Policy: &p}) {
		if r.Transport == login.StartTLS {
			t.Errorf("%s: %v %s", r.ID, r.Verdict, r.Reason)
		}
	}
}
