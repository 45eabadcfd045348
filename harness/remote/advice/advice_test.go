package advice

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

var problems = []Problem{CleartextOffered, CleartextTaken, HiddenTaken, OfferedRefused, DeniedTaken, DeniedOffered, SecureInClear, NotOffered, NoTLS, PortClosed,
	BadCertificate, DoorsDiffer, ListShrinks, OldTLS, Session}

func door(p login.Protocol, address, host string) login.DoorResult {
	return login.DoorResult{Protocol: p, Address: address, Host: host, Implicit: strings.HasSuffix(address, ":465") || strings.HasSuffix(address, ":995")}
}

func TestCommand(t *testing.T) {
	smtp := door(login.SMTP, "192.0.2.10:587", "mail.example.test")
	smtps := door(login.SMTP, "192.0.2.10:465", "mail.example.test")
	pop3 := door(login.POP3, "192.0.2.10:110", "mail.example.test")
	v6 := door(login.SMTP, "[2001:db8::1]:587", "2001:db8::1")
	bad := smtp
	bad.Stages = map[login.Stage]string{login.StageCertificate: login.CertificateExpired}
	for _, c := range []struct {
		name, why string
		problem   Problem
		on        On
		want      string
	}{
		{"a list in clear", "NOOP ends curl's session politely", CleartextOffered, On{smtp, login.Plain, login.PLAIN},
			"curl -sv -X NOOP smtp://mail.example.test:587"},
		{"a list of POP3", "", CleartextOffered, On{pop3, login.Plain, login.UserPass}, "curl -sv -X CAPA pop3://mail.example.test:110"},
		{"a list inside TLS", "", NotOffered, On{smtp, login.StartTLS, login.PLAIN}, "curl -sv --ssl-reqd -X NOOP smtp://mail.example.test:587"},
		{"with a bad certificate", "that is another finding", NotOffered, On{bad, login.StartTLS, login.PLAIN},
			"curl -sv --ssl-reqd -k -X NOOP smtp://mail.example.test:587"},
		{"a list on 465", "", DoorsDiffer, On{smtps, login.TLS, ""}, "curl -sv -X NOOP smtps://mail.example.test:465"},
		{"IPv6", "brackets", CleartextOffered, On{v6, login.Plain, login.PLAIN}, "curl -sv -X NOOP 'smtp://[2001:db8::1]:587'"},
		{"a try in clear", "no secret is sent", HiddenTaken, On{smtp, login.Plain, login.LOGIN},
			`(sleep 1; printf 'EHLO client.invalid\r\n'; sleep 1; printf 'AUTH LOGIN\r\n'; sleep 1; printf '*\r\n'; sleep 1; printf 'QUIT\r\n'; sleep 1) | ` +
				`curl -s telnet://mail.example.test:587`},
		{"a try inside TLS", "", DeniedTaken, On{pop3, login.StartTLS, login.UserPass},
			`(sleep 1; printf 'USER USER\r\n'; sleep 1; printf 'QUIT\r\n'; sleep 1) | ` +
				`openssl s_client -starttls pop3 -connect mail.example.test:110 -servername mail.example.test -quiet`},
		{"a login", "the tool asks for the password and does not show it", OfferedRefused, On{smtp, login.StartTLS, login.PLAIN},
			"swaks --server mail.example.test --port 587 --tls --auth PLAIN --auth-user USER --protect-prompt --auth-hide-password --quit-after AUTH"},
		{"a login of POP3", "", OfferedRefused, On{pop3, login.StartTLS, login.APOP},
			"curl -sS --ssl-reqd --login-options AUTH=+APOP --user USER -X NOOP pop3://mail.example.test:110"},
		{"a certificate", "", BadCertificate, On{smtp, "", ""},
			"openssl s_client -starttls smtp -connect mail.example.test:587 -servername mail.example.test -verify_hostname mail.example.test </dev/null"},
		{"a certificate of an address", "RFC 6066 3: no server name", BadCertificate, On{v6, "", ""},
			"openssl s_client -starttls smtp -connect '[2001:db8::1]:587' -verify_ip 2001:db8::1 </dev/null"},
		{"a port for TLS", "", PortClosed, On{smtps, "", ""}, "openssl s_client -connect mail.example.test:465 -servername mail.example.test </dev/null"},
		{"a port", "", PortClosed, On{pop3, "", ""}, "curl -sv --connect-timeout 10 telnet://mail.example.test:110 </dev/null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := For(c.problem, c.on).Command; got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.why, got, c.want)
			}
		})
	}
}

// TestNothingForeignIsRun: names come from DNS and lists from servers; none of
// them may do anything in a shell.
func TestNothingForeignIsRun(t *testing.T) {
	for _, evil := range []string{"a'; touch x; '", "$(reboot)", "`id`", "a b", "-oProxy", "x\ny", `a"b`, "{a,b}", "a#b", "\xff"} {
		for _, p := range problems {
			on := On{Door: door(login.SMTP, evil+":587", evil), Transport: login.StartTLS, Mechanism: login.Mechanism(evil)}
			command := For(p, on).Command
			if strings.Contains(command, evil) {
				t.Errorf("%s: %q stands in %s", p, evil, command)
			}
		}
	}
	if got, want := quoted("it's"), `'it'\''s'`; got != want {
		t.Errorf("quoted: %s, want %s", got, want)
	}
}

// TestShell: every shape of command is one that a shell can read, in one line.
func TestShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh: ", err)
	}
	var commands []string
	for _, p := range problems {
		for _, m := range append(mech.Names(), "", "X'Y") {
			for _, tr := range append(login.Transports(), "") {
				for _, d := range []login.DoorResult{door(login.SMTP, "192.0.2.10:587", "mail.example.test"), door(login.POP3, "[2001:db8::1]:995", "2001:db8::1"),
					door(login.SMTP, "", "bücher.example"), door(login.POP3, "x", "a'b")} {
					a := For(p, On{Door: d, Transport: tr, Mechanism: m})
					if a == nil || a.Command == "" || strings.ContainsAny(a.Command, "\n\r") || len(a.Fix) == 0 {
						t.Fatalf("%s %s %s: %+v", p, tr, m, a)
					}
					commands = append(commands, a.Command)
				}
			}
		}
	}
	slices.Sort(commands)
	check := exec.Command(sh, "-n")
	check.Stdin = strings.NewReader(strings.Join(slices.Compact(commands), "\n") + "\n")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFixesAreOfTheSoftware: the words are those of who was recognised.
func TestFixesAreOfTheSoftware(t *testing.T) {
	for _, c := range []struct {
		software, address string
		problem           Problem
		transport         login.Transport
		mechanism         login.Mechanism
		want, why         string
	}{
		{"Postfix", "192.0.2.1:25", CleartextOffered, login.Plain, login.PLAIN, "smtpd_tls_auth_only = yes", ""},
		{"Postfix", "192.0.2.1:25", CleartextOffered, login.Plain, login.PLAIN, "smtpd_sasl_auth_enable = no", "25 is for servers"},
		{"Postfix", "192.0.2.1:587", HiddenTaken, login.StartTLS, login.LOGIN, "smtpd_sasl_mechanism_filter only hides", "servers.md 1"},
		{"Postfix", "192.0.2.1:25", NoTLS, "", "", "smtpd_tls_security_level = may", ""},
		{"Postfix", "192.0.2.1:465", PortClosed, "", "", "smtpd_tls_wrappermode=yes", ""},
		{"Dovecot", "192.0.2.1:110", CleartextOffered, login.Plain, login.UserPass, "2.3: disable_plaintext_auth = yes", ""},
		{"Dovecot", "192.0.2.1:110", CleartextOffered, login.Plain, login.UserPass, "2.4: auth_allow_cleartext = no", ""},
		{"Dovecot", "192.0.2.1:110", SecureInClear, login.Plain, login.CRAMMD5, "ssl = required", "the other setting is for passwords alone"},
		{"Exim", "192.0.2.1:587", CleartextOffered, login.Plain, login.PLAIN, "server_advertise_condition = ${if def:tls_in_cipher}", ""},
		{"Exim", "192.0.2.1:25", NoTLS, "", "", "tls_advertise_hosts = *", ""},
		{"Postfix", "192.0.2.1:25", OldTLS, "", "", "smtpd_tls_protocols = >=TLSv1.2", ""},
		{"Dovecot", "192.0.2.1:110", OldTLS, "", "", "ssl_min_protocol = TLSv1.2", ""},
		{"Exim", "192.0.2.1:25", OldTLS, "", "", "tls_require_ciphers", "Debian's has GnuTLS"},
		{"Dovecot", "192.0.2.1:110", Session, "", "", "tell its authors", "no setting makes another program of it"},
		{"", "192.0.2.1:25", NoTLS, "", "", "switch STARTTLS or STLS on", "nobody was recognised"},
		{"mox", "192.0.2.1:25", DeniedTaken, "", "", "switch the mechanism off", "nobody has written its settings down"},
	} {
		d := door(login.SMTP, c.address, "mail.example.test")
		d.Software = c.software
		a := For(c.problem, On{Door: d, Transport: c.transport, Mechanism: c.mechanism})
		if a.Software != c.software || !strings.Contains(strings.Join(a.Fix, "\n"), c.want) {
			t.Errorf("%s, %s: %q of %q, want %q (%s)", c.software, c.problem, a.Fix, a.Software, c.want, c.why)
		}
	}
}

// TestNoDuty: a port that nobody has named may stay closed.
func TestNoDuty(t *testing.T) {
	const word = "leave it closed"
	for found, want := range map[login.Found]bool{login.FoundPort: true, login.FoundNamed: false, login.FoundSRV: false} {
		for _, software := range []string{"", "Postfix", "Dovecot"} {
			d := door(login.SMTP, "192.0.2.1:465", "mail.example.test")
			d.Found, d.Software = found, software
			for range 2 { // what is said once does not grow
				if got := strings.Count(strings.Join(For(PortClosed, On{Door: d}).Fix, "\n"), word); got != map[bool]int{true: 1}[want] {
					t.Errorf("%s of %q: %q is said %d times", found, software, word, got)
				}
			}
		}
	}
}

// TestForCase: a case is told by what it is about.
func TestForCase(t *testing.T) {
	for id, want := range map[string]string{
		"tls/cert/002": "-verify_hostname", "tls/version/001": "-tls1_1", "pop3/capa/001": "-X CAPA", "smtp/tls/013": "-starttls smtp",
	} {
		p, _, _ := strings.Cut(id, "/")
		if p == "tls" {
			p = "smtp"
		}
		a := ForCase(id, On{Door: door(login.Protocol(p), "192.0.2.1:587", "mail.example.test")})
		if a == nil || !strings.Contains(a.Command, want) || len(a.Fix) == 0 {
			t.Errorf("%s: %+v, want %q", id, a, want)
		}
	}
}

// TestAnyName: whatever a name is, the command stays one that a shell can read,
// and what is not a name is left out of it.
func TestAnyName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		h := host(door(login.SMTP, "192.0.2.10:25", name))
		if strings.ContainsAny(h, "'\"`$\\;&|<> \t\n(){}*?!#~") || strings.HasPrefix(h, "-") {
			t.Fatalf("%q became %q", name, h)
		}
	})
}
