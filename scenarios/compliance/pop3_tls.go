package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// TLS from the first octet, and STLS.

var _ = register(
	script.Case{
		ID: "pop3/tls/001", Title: "TLS is available", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 4", "RFC 8314 3.1", "RFC 9325 3.2"),
		Says: "Mail can be fetched inside TLS. " +
			"A port with TLS from the first octet is the better way to it, so a server that has STLS alone is warned.",
		Steps:    steps{script.Doors("doors"), check(tlsAvailable)},
		Sabotage: state(func(s *login.Setup) { s.Certificate.Kind = login.CertNone }),
	},
	script.Case{
		ID: "pop3/tls/002", Title: "STLS argument, second STLS", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 2595 4"),
		Says:  "STLS has no argument: with one it is a syntax error. Inside TLS it begins no second handshake.",
		Needs: needs{Link: clear, Offers: []string{"STLS"}},
		Steps: steps{
			open(),
			say("STLS now").Pass("-ERR").Fail("+OK").Because("TLS begins"),
			alive(),
			approach(),
			handshake("the handshake", unverified).Must(up),
			inside(),
			// RFC 2595 4 says no more than that -ERR may be the answer.
			say("STLS").Pass("-ERR").Warn("+OK").Because("TLS begins inside TLS"),
			alive(),
		},
		Sabotage: answers("STLS NOW", "-ERR", "+OK ready"),
	},
	script.Case{
		ID: "pop3/tls/003", Title: "STLS command injection", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4", "CVE-2011-1926", "CVE-2021-38084", "NO-STARTTLS 2021"),
		Says:  "What lies behind STLS in the same segment, a command or the beginning of one, came in clear: inside TLS it is never answered.",
		Needs: needs{Link: clear, Offers: []string{"STLS"}},
		Steps: steps{
			open(),
			octets("STLS\r\nCAPA\r\n").Keep("start").Pass("+OK", refused, gone),
			afterInjection(login.POP3, "CAPA", []string{ok}, line("XNOS"), line("XNEI")),
			open(),
			octets("STLS\r\nCA").Keep("start").Pass("+OK", refused, gone),
			afterInjection(login.POP3, "CA", []string{ok}, line("PA")),
		},
		Sabotage: bug("injection-trusted"),
	},
	script.Case{
		ID: "pop3/tls/004", Title: "USER given in clear is forgotten", Since: "2026.1",
		// RFC 2595 4 bids the client forget, and says nothing of the server.
		Level: practice, Refs: refs("NO-STARTTLS 2021", "RFC 2595 4"),
		Says: "A name that USER gave before STLS does not count inside TLS: PASS is out of order there. " +
			"Else who stands in the middle chooses the mailbox that the victim's password opens.",
		Needs: needs{Link: clear, Offers: []string{"STLS"}},
		Steps: steps{
			open(),
			say("USER ", decoyName).NA("-ERR").Must("+OK"),
			say("STLS").Must("+OK"),
			handshake("the handshake", unverified).Must(up),
			say("PASS ", decoyPassword).Warn("-ERR [AUTH]").Because("the password was looked at").Pass("-ERR").Fail("+OK"),
			ifAccount(
				open(),
				say("USER ", user).Must("+OK"),
				say("STLS").Must("+OK"),
				handshake("the handshake").Must(up),
				say("PASS ", password).Pass("-ERR").Fail("+OK").Because("the name that was given in clear counts"),
			),
		},
		// The mutant that forgets nothing has no name to keep: STLS stands between.
		Sabotage: answers("PASS", "-ERR", "+OK you are logged in"),
	},
	script.Case{
		ID: "pop3/tls/005", Title: "STLS after login is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4"),
		Says: "STLS belongs to the state before the login: after it the command is refused, so that no login in clear lives on inside TLS.",
		Needs: needs{Link: clear, Offers: []string{"STLS"}, Account: true, AnyMechanism: true,
			Mechanisms: only(login.SCRAMSHA256, login.SCRAMSHA1, login.CRAMMD5, login.APOP, login.DIGESTMD5, login.UserPass, login.PLAIN)},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("STLS").Pass("-ERR").Fail("+OK"),
			authenticated(),
		},
		Sabotage: answers("STLS", "-ERR", "+OK ready"),
	},
	script.Case{
		ID: "pop3/tls/006", Title: "Plain command instead of ClientHello; failed handshake", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4", "RFC 5246 7.2.2", "RFC 8446 6.2"),
		Says:  "Where a handshake has to come, and after one that failed, no command in clear is obeyed.",
		Needs: needs{Link: clear, Offers: []string{"STLS"}},
		Steps: steps{
			script.Each([]string{"CAPA\r\n", "\x16\x03\x01\x00\x04\xff\x00\x00\x00"}, func(first string) []script.Step {
				answered := func() script.Step {
					return hear("CAPA in clear").Pass(gone, alert, silent).Warn("~^clear -ERR").Fail(inClear)
				}
				return steps{
					instead("what is no handshake", []byte(first)).Pass(alert, gone, silent).Warn("~^clear -ERR").Fail(inClear),
					octets("CAPA\r\n").Unread(), answered(), answered(),
				}
			}),
		},
		Sabotage: bug("clear-after-failed-handshake"),
	},
	script.Case{
		ID: "pop3/tls/007", Title: "995 speaks nothing in clear; state is AUTHORIZATION even with a client certificate", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 3.1"),
		Says: "On a port with TLS from the first octet nothing is said in clear. " +
			"After the greeting the session is in the state before the login, even if the client has shown a certificate.",
		Steps: steps{
			script.OnImplicit(
				connect(),
				listen("the time before TLS").Pass(silent, gone).Fail(inClear),
				connect(),
				octets("CAPA\r\n").Unread(),
				hear("CAPA in clear").Pass(alert, gone, silent).Fail(inClear),
				when(hasCertificate, script.Certified(login.Flawless,
					say("STAT").Pass("-ERR").Fail("+OK").Because("the certificate has logged in by itself"))),
			),
		},
		Sabotage: bug("implicit-port-in-clear"),
	},
	script.Case{
		ID: "pop3/tls/008", Title: "995 and STLS give the same service", Since: "2026.1",
		Level: practice, Refs: refs("RFC 8314 3", "RFC 9325 3.9"),
		Says:     "Both ways into TLS lead to the same server: the same ways to log in, the same capabilities, the same certificate.",
		Needs:    needs{Link: encrypted},
		Steps:    bothDoors,
		Sabotage: answers("EHLO", "SASL", "SASL PLAIN"),
	},
)

// hasCertificate: a certificate was issued to the account, and can be shown.
func hasCertificate(p *script.Play) bool {
	return p.Survey().Links[login.TLS].Open && p.Secrets.Issued.Has(login.PresentsCertificate)
}
