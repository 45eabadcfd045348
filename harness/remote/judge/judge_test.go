package judge

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// clean is a submission port that does everything right.
func clean(port string) login.DoorResult {
	return smtp(port, link(login.Plain, "PLAIN n--", "CRAM-MD5 n--"), link(login.StartTLS, "PLAIN y--", "CRAM-MD5 n--"))
}

func TestWithoutPolicy(t *testing.T) {
	for _, c := range []struct {
		name, why string
		doors     []login.DoorResult
		id        string
		verdict   login.Verdict
		reason    string
		exposure  login.ExposureClass
		accepted  bool
		refused   bool
	}{
		{name: "password offered in clear", why: "RFC 8314 4.1: the client that follows the list shows it",
			doors: []login.DoorResult{smtp("25", link(login.Plain, "PLAIN y--", "LOGIN y--", "CRAM-MD5 n--"), link(login.StartTLS, "PLAIN y--", "LOGIN y--"))},
			id:    "cleartext/smtp/25/plain", verdict: login.Fail, exposure: login.ShowsPassword, accepted: true,
			reason: "port 25 offers PLAIN and LOGIN without TLS: a client that logs in there shows its password"},
		{name: "offered in clear and refused there", why: "smtp-server does so: whoever sends an initial response has shown it by then",
			doors: []login.DoorResult{smtp("587", link(login.Plain, "PLAIN ynn"), link(login.StartTLS, "PLAIN y--"))},
			id:    "cleartext/smtp/587/plain", verdict: login.Fail, exposure: login.ShowsPassword,
			reason: "port 587 offers PLAIN without TLS: a client that logs in there shows its password"},
		{name: "and the list is wrong as well", why: "offered is accepted", verdict: login.Warn, id: "offered/smtp/587/plain",
			doors:  []login.DoorResult{smtp("587", link(login.Plain, "PLAIN ynn"), link(login.StartTLS, "PLAIN y--"))},
			reason: "port 587 without TLS refuses what it offers, before it asks for a secret: PLAIN"},
		{name: "token in clear", why: "a bearer token is as good as a password", id: "cleartext/smtp/587/plain", verdict: login.Fail,
			doors:    []login.DoorResult{smtp("587", link(login.Plain, "XOAUTH2 y--"), link(login.StartTLS, "XOAUTH2 y--"))},
			exposure: login.ShowsToken, accepted: true,
			reason: "port 587 offers XOAUTH2 without TLS: a client that logs in there shows its token"},
		{name: "USER where there is no CAPA", why: "without a list, +OK to USER is the offer", id: "cleartext/pop3/110/plain", verdict: login.Fail,
			doors:    []login.DoorResult{pop3("110", link(login.Plain, "USER/PASS -y-"), link(login.StartTLS, "USER/PASS -y-"))},
			exposure: login.ShowsPassword, accepted: true,
			reason: "port 110 asks for the secret of USER/PASS without TLS: a client that logs in there shows its password"},
		{name: "a proof in clear", why: "hygiene: the password itself does not cross", id: "challenge/pop3/110/plain", verdict: login.Pass,
			doors:    []login.DoorResult{pop3("110", link(login.Plain, "CRAM-MD5 y--", "APOP y--"), link(login.StartTLS, "CRAM-MD5 y--"))},
			exposure: login.ShowsVerifier, reason: "port 110 offers CRAM-MD5 without TLS: who listens can guess passwords afterwards"},
		{name: "-PLUS in clear", why: "mox a: there is nothing to bind to", id: "binding/smtp/587/plain", verdict: login.Warn,
			doors:  []login.DoorResult{smtp("587", link(login.Plain, "SCRAM-SHA-1-PLUS y--"), link(login.StartTLS, "SCRAM-SHA-1-PLUS y--"))},
			reason: "port 587 offers SCRAM-SHA-1-PLUS without TLS, and without TLS there is nothing to bind it to"},
		{name: "mox b: hidden, and shows more than what is offered", why: "an empty list, and CRAM-MD5 logs in", verdict: login.Fail,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "CRAM-MD5 ny-", "PLAIN nnn"), link(login.StartTLS, "PLAIN y--"))},
			id:    "hidden-in-clear/smtp/587/plain", exposure: login.ShowsVerifier, accepted: true,
			reason: "port 587 takes CRAM-MD5 without TLS, which it does not offer there: who listens can guess passwords afterwards"},
		{name: "Courier b: hidden passwords beside CRAM-MD5", why: "the password is more than a proof", verdict: login.Fail,
			doors: []login.DoorResult{pop3("110", link(login.Plain, "CRAM-MD5 y--", "PLAIN ny-"), link(login.StartTLS, "PLAIN y--", "CRAM-MD5 y--"))},
			id:    "hidden-in-clear/pop3/110/plain", exposure: login.ShowsPassword, accepted: true,
			reason: "port 110 takes PLAIN without TLS, which it does not offer there: who listens reads the password"},
		{name: "hidden beside its equal", why: "LOGIN shows no more than PLAIN, which is offered", id: "hidden/smtp/587/plain", verdict: login.Warn,
			doors:    []login.DoorResult{smtp("587", link(login.Plain, "PLAIN y--", "LOGIN ny-"), link(login.StartTLS, "PLAIN y--"))},
			exposure: login.ShowsPassword, reason: "port 587 without TLS takes LOGIN, which it does not offer"},
		{name: "Postfix's filter only hides", why: "inside TLS a listener sees nothing of it", id: "hidden/smtp/587/starttls", verdict: login.Warn,
			doors:  []login.DoorResult{smtp("587", link(login.Plain, "LOGIN n--"), link(login.StartTLS, "PLAIN y--", "LOGIN ny-"))},
			reason: "port 587 inside TLS takes LOGIN, which it does not offer"},
		{name: "hidden and refused", why: "as it should be", id: "hidden/smtp/587/plain", verdict: login.Pass,
			doors: []login.DoorResult{smtp("587", link(login.Plain, "PLAIN nnn"), link(login.StartTLS, "PLAIN y--"))}},
		{name: "USER/PASS that never works", why: "it is offered, and right credentials are proven by PLAIN", verdict: login.Fail, refused: true,
			doors: []login.DoorResult{pop3("995", link(login.TLS, "USER/PASS yyn", "PLAIN yyy"))}, id: "offered-fails/pop3/995/tls",
			reason: "port 995 offers USER/PASS and lets nobody in with credentials that are right elsewhere"},
		{name: "no login succeeded at all", why: "then the password may be wrong, and nobody is accused", verdict: login.Skip,
			doors: []login.DoorResult{pop3("995", link(login.TLS, "USER/PASS yyn", "PLAIN yyn"))}, id: "offered-fails/pop3/995/tls",
			reason: "no login with USER/PASS and PLAIN succeeded, but none did anywhere: the name or the password may be wrong"},
		{name: "the list shrinks", why: "CRAM-MD5 is gone once TLS is up", id: "list/smtp/587/starttls", verdict: login.Warn,
			doors:  []login.DoorResult{smtp("587", link(login.Plain, "CRAM-MD5 y--", "APOP y--"), link(login.StartTLS, "CRAM-MD5 n--", "APOP n--"))},
			reason: "port 587 offers CRAM-MD5 in clear and no more once TLS is up"},
		{name: "587 and 465 differ", why: "a client moved between them would be lost", id: "alike/smtp/465", verdict: login.Warn,
			doors:  []login.DoorResult{clean("587"), smtp("465", link(login.TLS, "PLAIN y--", "CRAM-MD5 y--"))},
			reason: "port 587 and port 465 differ in CRAM-MD5"},
		{name: "a list is not compared with a try", why: "only one of them was probed", id: "alike/smtp/465", verdict: login.Pass,
			doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--", "LOGIN ny-")), smtp("465", link(login.TLS, "PLAIN y--", "LOGIN n--"))}},
		{name: "logins on 25 too", why: "hygiene: users have 587", id: "submission/smtp/25", verdict: login.Pass,
			doors:  []login.DoorResult{smtp("25", link(login.Plain, "PLAIN n--"), link(login.StartTLS, "PLAIN y--")), clean("587")},
			reason: "port 25 offers logins, though users have other doors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := find(t, All(Evidence{Doors: c.doors}), c.id)
			if got.Verdict != c.verdict || got.Reason != c.reason || got.Exposure != c.exposure ||
				got.WronglyAccepted != c.accepted || got.WronglyRefused != c.refused {
				t.Errorf("%s\ngot  %v %q %v accepted %v refused %v\nwant %v %q %v accepted %v refused %v", c.why,
					got.Verdict, got.Reason, got.Exposure, got.WronglyAccepted, got.WronglyRefused,
					c.verdict, c.reason, c.exposure, c.accepted, c.refused)
			}
		})
	}
}

func TestTLSAndPorts(t *testing.T) {
	noTLS := func(d *login.DoorResult) {
		d.Stages[login.StageStartTLS] = "not-offered"
		delete(d.Stages, login.StageCertificate)
		d.Explained = map[login.Stage]string{login.StageStartTLS: "STARTTLS is not offered"}
	}
	bad := func(d *login.DoorResult) {
		d.Stages[login.StageCertificate] = login.CertificateSelfSigned
		d.Explained = map[login.Stage]string{login.StageCertificate: "nobody else has signed it"}
	}
	days := func(n int) func(*login.DoorResult) {
		return func(d *login.DoorResult) {
			d.Certificate = &login.CertificateResult{Days: n, Until: "2026-12-02", SHA256: "aa"}
		}
	}
	lost := func(s login.Stage, found login.Found) func(*login.DoorResult) {
		return func(d *login.DoorResult) {
			d.Found, d.Stages[s] = found, "closed"
			d.Explained = map[login.Stage]string{s: "the server hangs up when asked what it offers"}
		}
	}
	left := func(found login.Found) func(*login.DoorResult) {
		return func(d *login.DoorResult) {
			d.Found, d.Stages[login.StageConnect] = found, login.ConnectStopped
		}
	}
	loginless := func(d *login.DoorResult) {
		d.Stages[login.StageAuth] = login.AuthNone
		d.Explained = map[login.Stage]string{login.StageAuth: "no way to log in is offered here"}
	}
	other := func(d *login.DoorResult) { d.Certificate = &login.CertificateResult{Days: 60, SHA256: "bb"} }
	tls465 := smtp("465", link(login.TLS, "PLAIN y--"))
	for _, c := range []struct {
		name, why string
		doors     []login.DoorResult
		id        string
		verdict   login.Verdict
		reason    string
	}{
		{"no TLS and a login in clear", "RFC 8314 4.1", []login.DoorResult{with(smtp("587", link(login.Plain, "CRAM-MD5 y--")), noTLS)},
			"starttls/smtp/587", login.Fail, "port 587 has no TLS that works: STARTTLS is not offered; a login there goes in clear"},
		{"no TLS and no login", "users cannot log in there", []login.DoorResult{with(smtp("587", link(login.Plain, "PLAIN n--")), noTLS)},
			"starttls/smtp/587", login.Warn, "port 587 has no TLS that works: STARTTLS is not offered; nobody who wants TLS can log in there"},
		{"no TLS on 25", "RFC 3207 4: opportunistic", []login.DoorResult{with(smtp("25", link(login.Plain, "PLAIN n--")), noTLS)},
			"starttls/smtp/25", login.Pass, "port 25 has no TLS that works: STARTTLS is not offered; mail from other servers comes in clear"},
		{"465 closed beside 587", "RFC 8314 3.3", []login.DoorResult{clean("587"), closed(login.SMTP, "465")},
			"open/smtp/465", login.Warn, "port 465 does not answer: nothing listens there (some clients try it first)"},
		{"465 swallowed beside 587", "then they wait", []login.DoorResult{clean("587"), with(closed(login.SMTP, "465"), func(d *login.DoorResult) {
			d.Stages[login.StageConnect] = "timeout"
			d.Explained[login.StageConnect] = "a firewall drops the connection"
		})},
			"open/smtp/465", login.Warn, "port 465 does not answer: a firewall drops the connection (some clients try it first, and wait)"},
		{"995 closed beside 110", "RFC 8314 3.1", []login.DoorResult{pop3("110"), closed(login.POP3, "995")},
			"open/pop3/995", login.Warn, "port 995 does not answer: nothing listens there (some clients try it first)"},
		{"587 closed beside 465", "a note", []login.DoorResult{tls465, closed(login.SMTP, "587")},
			"open/smtp/587", login.Pass, "port 587 does not answer: nothing listens there"},
		{"465 closed beside 25 alone", "no users are served here", []login.DoorResult{smtp("25"), closed(login.SMTP, "465")},
			"open/smtp/465", login.Pass, "port 465 does not answer: nothing listens there"},
		{"named and silent", "exit status 2 is the report's", []login.DoorResult{with(closed(login.SMTP, "587"), func(d *login.DoorResult) { d.Found = login.FoundNamed })},
			"open/smtp/587", login.Skip, "port 587 does not answer: the connection was refused"},
		{"named, and lost at EHLO", "who greets and goes no further does not answer", []login.DoorResult{with(smtp("587"), lost(login.StageHello, login.FoundNamed))},
			"open/smtp/587", login.Skip, "port 587 does not answer: the server hangs up when asked what it offers"},
		{"named, and lost at CAPA inside TLS", "its certificate is not what ended it", []login.DoorResult{with(pop3("995"), func(d *login.DoorResult) {
			bad(d)
			lost(login.StageHelloTLS, login.FoundNamed)(d)
		})},
			"open/pop3/995", login.Skip, "port 995 does not answer: the server hangs up when asked what it offers"},
		{"guessed, and lost at EHLO", "a note", []login.DoorResult{with(smtp("587"), lost(login.StageHello, login.FoundPort))},
			"open/smtp/587", login.Pass, "port 587 does not answer: the server hangs up when asked what it offers"},
		{"left alone, named", "nobody knocked", []login.DoorResult{with(closed(login.SMTP, "587"), left(login.FoundNamed))},
			"open/smtp/587", login.Skip, "port 587 was left alone: the server showed that it has had enough"},
		{"left alone, guessed", "nobody knocked", []login.DoorResult{with(clean("587"), left(login.FoundNamed)), with(closed(login.SMTP, "465"), left(login.FoundPort))},
			"open/smtp/465", login.Skip, "port 465 was left alone: the server showed that it has had enough"},
		{"left alone, from SRV", "nobody knocked", []login.DoorResult{with(closed(login.POP3, "995"), left(login.FoundSRV))},
			"open/pop3/995", login.Skip, "port 995 was left alone: the server showed that it has had enough"},
		{"EHLO fails inside TLS", "that is TLS that does not work", []login.DoorResult{with(smtp("587", link(login.Plain, "PLAIN n--")), lost(login.StageHelloTLS, login.FoundNamed))},
			"starttls/smtp/587", login.Warn, "port 587 has no TLS that works: once TLS is up, the server hangs up when asked what it offers; " +
				"nobody who wants TLS can log in there"},
		{"CAPA fails inside TLS, with a login in clear", "RFC 8314 4.1", []login.DoorResult{with(pop3("110", link(login.Plain, "PLAIN y--")), lost(login.StageHelloTLS, login.FoundPort))},
			"starttls/pop3/110", login.Fail, "port 110 has no TLS that works: once TLS is up, the server hangs up when asked what it offers; a login there goes in clear"},
		{"HELO alone inside TLS", "the link is there", []login.DoorResult{with(smtp("25", link(login.Plain), link(login.StartTLS)), func(d *login.DoorResult) {
			d.Stages[login.StageHello], d.Stages[login.StageHelloTLS] = "refused", "refused"
		})}, "starttls/smtp/25", login.Pass, ""},
		{"no way to log in on 587", "RFC 6409 4.3", []login.DoorResult{with(smtp("587", link(login.Plain, "PLAIN n--"), link(login.StartTLS, "PLAIN n--")), loginless)},
			"no-login/smtp/587", login.Warn, "port 587 offers no login, with TLS or without: no way to log in is offered here"},
		{"no way to log in on 995", "RFC 1939 4", []login.DoorResult{with(pop3("995", link(login.TLS, "PLAIN n--")), loginless)},
			"no-login/pop3/995", login.Warn, "port 995 offers no login, with TLS or without: no way to log in is offered here"},
		{"the domain sends clients there", "RFC 6186", []login.DoorResult{with(closed(login.POP3, "995"), func(d *login.DoorResult) { d.Found = login.FoundSRV })},
			"open/pop3/995", login.Warn, "port 995 does not answer: the connection was refused (clients are sent there by srv)"},
		{"self-signed on all doors", "once, however many", []login.DoorResult{with(clean("587"), bad), with(tls465, func(d *login.DoorResult) {
			d.Stages = map[login.Stage]string{login.StageBanner: "ok"}
			bad(d)
		})},
			"certificate/smtp/587", login.Fail, "the certificate of all doors is not good: self-signed: nobody else has signed it"},
		{"self-signed on 25", "RFC 7435: between servers TLS is taken as it comes", []login.DoorResult{with(smtp("25", link(login.StartTLS, "PLAIN n--")), bad)},
			"certificate/smtp/25", login.Pass, "the certificate of port 25 is not good: self-signed: nobody else has signed it; " +
				"between servers TLS is taken as it comes"},
		{"self-signed on 25, with logins", "then users meet it", []login.DoorResult{with(smtp("25", link(login.StartTLS, "PLAIN y--")), bad)},
			"certificate/smtp/25", login.Fail, "the certificate of port 25 is not good: self-signed: nobody else has signed it"},
		{"self-signed on 25 and 587", "told of the door where it matters", []login.DoorResult{with(smtp("25", link(login.StartTLS, "PLAIN n--")), bad), with(clean("587"), bad)},
			"certificate/smtp/587", login.Fail, "the certificate of all doors is not good: self-signed: nobody else has signed it"},
		{"ends in 9 days on 25", "", []login.DoorResult{with(smtp("25", link(login.StartTLS, "PLAIN n--")), days(9))},
			"certificate/smtp/25", login.Pass, "the certificate of port 25 ends in 9 days (2026-12-02); between servers TLS is taken as it comes"},
		{"ends in 9 days", "", []login.DoorResult{with(clean("587"), days(9))},
			"certificate/smtp/587", login.Warn, "the certificate of port 587 ends in 9 days (2026-12-02)"},
		{"ends in 29 days", "", []login.DoorResult{with(clean("587"), days(29))},
			"certificate/smtp/587", login.Pass, "the certificate of port 587 ends in 29 days (2026-12-02)"},
		{"two certificates", "one is easily forgotten", []login.DoorResult{clean("587"), with(tls465, other)},
			"one-certificate/smtp/465", login.Pass, "port 465 shows another certificate than port 587: both have to be renewed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := find(t, All(Evidence{Doors: c.doors}), c.id)
			if got.Verdict != c.verdict || got.Reason != c.reason {
				t.Errorf("%s\ngot  %v %q\nwant %v %q", c.why, got.Verdict, got.Reason, c.verdict, c.reason)
			}
		})
	}
}

// TestLeftAloneIsNoAdvice: nobody knows what a door lacks that was not asked.
func TestLeftAloneIsNoAdvice(t *testing.T) {
	door := with(closed(login.SMTP, "587"), func(d *login.DoorResult) { d.Stages[login.StageConnect] = login.ConnectStopped })
	if got := find(t, All(Evidence{Doors: []login.DoorResult{door}}), "open/smtp/587"); got.Why != login.WhyBudget || got.Advice != nil {
		t.Errorf("why %q, advice %+v", got.Why, got.Advice)
	}
}

// TestNoLoginIsRightElsewhere: where no user comes, where one can get in all the
// same, and where a policy says what should be.
func TestNoLoginIsRightElsewhere(t *testing.T) {
	none := func(d *login.DoorResult) { d.Stages[login.StageAuth] = login.AuthNone }
	clear, inside := link(login.Plain, "PLAIN n--"), link(login.StartTLS, "PLAIN n--")
	for _, c := range []struct {
		name string
		e    Evidence
	}{
		{"port 25", Evidence{Doors: []login.DoorResult{with(smtp("25", clear, inside), none)}}},
		{"a stranger", Evidence{Doors: []login.DoorResult{with(smtp("587", clear, inside), none)}, Strangers: map[int]bool{0: true}}},
		{"no TLS, which is said already", Evidence{Doors: []login.DoorResult{with(smtp("587", clear), none)}}},
		{"a hidden one", Evidence{Doors: []login.DoorResult{with(smtp("587", clear, link(login.StartTLS, "PLAIN ny-")), none)}}},
		{"as declared", Evidence{Doors: []login.DoorResult{with(smtp("587", clear, inside), none)}, Policy: &login.Policy{}}},
	} {
		for _, r := range All(c.e) {
			if strings.HasPrefix(r.ID, "scenario/door/no-login/") {
				t.Errorf("%s: %v %s", c.name, r.Verdict, r.Reason)
			}
		}
	}
}

func TestOneBadCertificateIsOneFinding(t *testing.T) {
	bad := func(d *login.DoorResult) { d.Stages[login.StageCertificate] = login.CertificateExpired }
	all := All(Evidence{Doors: []login.DoorResult{with(clean("587"), bad), with(smtp("465", link(login.TLS, "PLAIN y--")), bad)}})
	if n := count(all, login.Fail); n != 1 {
		t.Errorf("%d failures, want 1: the same certificate with the same fault", n)
	}
}

// TestStock: what Debian installs, with a good certificate, is not blamed.
func TestStock(t *testing.T) {
	none := func(t login.Transport) login.TransportResult {
		return link(t, "PLAIN n--", "LOGIN n--", "CRAM-MD5 n--", "SCRAM-SHA-1-PLUS n--")
	}
	dovecot := func(t login.Transport, s string) login.TransportResult {
		return link(t, "PLAIN "+s, "USER/PASS "+s, "APOP n--", "CRAM-MD5 n--")
	}
	for _, c := range []struct {
		name  string
		doors []login.DoorResult
	}{
		{"Postfix", []login.DoorResult{smtp("25", none(login.Plain), none(login.StartTLS)), closed(login.SMTP, "587"), closed(login.SMTP, "465"),
			closed(login.POP3, "110"), closed(login.POP3, "995")}},
		{"Dovecot", []login.DoorResult{closed(login.SMTP, "25"), pop3("110", dovecot(login.Plain, "n--"), dovecot(login.StartTLS, "y--")),
			pop3("995", dovecot(login.TLS, "y--"))}},
		{"Dovecot, logged in", []login.DoorResult{pop3("110", dovecot(login.Plain, "nnn"), dovecot(login.StartTLS, "yyy")),
			pop3("995", dovecot(login.TLS, "yyy"))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range All(Evidence{Doors: c.doors}) {
				if r.Verdict != login.Pass {
					t.Errorf("%s: %v %s", r.ID, r.Verdict, r.Reason)
				}
			}
		})
	}
}

func TestBlind(t *testing.T) {
	doors := []login.DoorResult{
		smtp("587", link(login.Plain, "PLAIN yyy", "CRAM-MD5 y--", "LOGIN ny-"), link(login.StartTLS, "PLAIN y--", "CRAM-MD5 n--", "LOGIN ny-")),
	}
	const why = "the server sees us as itself"
	for _, p := range []*login.Policy{nil, {}} {
		for _, r := range All(Evidence{Doors: doors, Policy: p, Blind: why}) {
			onClear := r.Transport == login.Plain || strings.Contains(r.ID, "/list/")
			if onClear && (r.Verdict != login.Skip || r.Why != login.WhyVantage || r.Reason != why || r.Exposure != login.ShowsNothing) {
				t.Errorf("%s: %v %v %q, want it left to another vantage", r.ID, r.Verdict, r.Why, r.Reason)
			}
			if !onClear && r.Verdict == login.Skip {
				t.Errorf("%s: what is inside TLS can be seen from anywhere", r.ID)
			}
		}
	}
	if got := find(t, All(Evidence{Doors: doors, Blind: why}), "hidden/smtp/587/starttls"); got.Verdict != login.Warn {
		t.Errorf("inside TLS: %v, want warn", got.Verdict)
	}
}

func TestOtherFamily(t *testing.T) {
	got := find(t, All(Evidence{Doors: []login.DoorResult{clean("587")}, Unlike: map[int]string{0: "it offers LOGIN too", 7: "no such door"}}), "family/smtp/587")
	if got.Verdict != login.Warn || got.Reason != "the other address of port 587 does not say the same: it offers LOGIN too" {
		t.Errorf("got %v %q", got.Verdict, got.Reason)
	}
}

// TestLines: a list is shown by its line, an attempt by its conversation.
func TestLines(t *testing.T) {
	doors := []login.DoorResult{smtp("587", link(login.Plain, "PLAIN y--"), link(login.StartTLS, "PLAIN y--", "LOGIN ny-"))}
	all := All(Evidence{Doors: doors, Lines: func(int, login.Transport, login.Mechanism) []string { return []string{"C+ AUTH LOGIN", "S+ 334"} }})
	if got := find(t, all, "cleartext/smtp/587/plain").Lines; len(got) != 1 || got[0] != "S 250-AUTH PLAIN" {
		t.Errorf("a list: %q", got)
	}
	if got := find(t, all, "hidden/smtp/587/starttls").Lines; len(got) != 2 {
		t.Errorf("an attempt: %q", got)
	}
}
