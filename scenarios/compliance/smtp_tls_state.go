package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What is left of the time before TLS, and what a login needs of it.

var _ = register(
	script.Case{
		ID: "smtp/tls/008", Title: "EHLO knowledge is discarded", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "RFC 3207 6"),
		Says: "TLS takes the session back to its beginning: a server that wants EHLO before AUTH wants it again inside TLS. " +
			"One that never wants it is warned, for nothing tells whether it forgot.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS", "AUTH"}},
		Steps: steps{
			script.Each([]string{"AUTH PLAIN", "MAIL FROM:<>"}, func(command string) []script.Step {
				return steps{
					connect(),
					answer().Must("220"),
					say(command).Keep("before EHLO").Must("334", "2", "4", "5"),
					open(),
					say("STARTTLS").Must("220"),
					handshake("the handshake", unverified).Must(up),
					when(was("before EHLO", "503"),
						say(command).Pass("503").Fail("334", "250").Because("it wants EHLO first, and took that of the time before TLS").Warn(refused)),
					when(not(was("before EHLO", "503")),
						say(command).Pass("503", "504", "530").Warn("334", "250").Because("it never wants EHLO").Warn(refused)),
				}
			}),
		},
		Sabotage: bug("hello-kept-over-tls"),
	},
	script.Case{
		ID: "smtp/tls/009", Title: "Transaction is discarded", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2"),
		Says:  "A mail transaction that was begun before TLS is gone inside it: RCPT is out of order there.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}, State: func(s *login.Setup) { s.Trust.DemandAuth = false }},
		Steps: steps{
			open(),
			say("MAIL FROM:<", from, ">").NA("5").Must("250"),
			say("STARTTLS").Keep("start").Pass("503").Warn(refused).Must("220"),
			when(was("start", "220"),
				handshake("the handshake", unverified).Must(up),
				say("RCPT TO:<", local, ">").Pass("503").Fail(ok).Because("the transaction outlived the beginning of TLS").Warn(refused),
				hello(),
				say("RCPT TO:<", local, ">").Pass("503").Fail(ok).Warn(refused),
			),
		},
		Sabotage: bug("hello-kept-over-tls"),
	},
	script.Case{
		ID: "smtp/tls/010", Title: "Login before STARTTLS does not survive (session fixation)", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "NO-STARTTLS 2021", "JAMES-1862"),
		Says: "After a login in clear STARTTLS is refused, or the login is gone inside TLS and can be made again. " +
			"Else who stands in the middle logs in as himself and leaves the session to the victim.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}, Account: true, AnyMechanism: true,
			Mechanisms: only(login.SCRAMSHA256, login.SCRAMSHA1, login.CRAMMD5, login.DIGESTMD5, login.PLAIN, login.LOGIN)},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("STARTTLS").Keep("start").Pass(refused, "454").Must("220"),
			when(was("start", "220"),
				handshake("the handshake").Must(up),
				hello(),
				notAuthenticated(),
				logIn().Pass(in),
			),
		},
		Sabotage: bug("hello-kept-over-tls"),
	},
	script.Case{
		ID: "smtp/tls/012", Title: "No 2xx/334 to AUTH in clear when TLS is required", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 8314 4.1"),
		Says: "Where mechanisms are offered inside TLS alone, AUTH in clear is refused before the secret is asked for, " +
			"and one that came with the command is not looked at.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}, State: allAre(login.Secure, nil)},
		Steps: steps{
			check(insideAlone),
			open(),
			say("AUTH PLAIN").Pass(refused).Fail("334").Because("the secret was asked for in clear"),
			open(),
			say("AUTH PLAIN ", decoy).Fail("535", "235").Because("the secret was looked at").Pass(refused),
			notAuthenticated(),
		},
		Sabotage: bug("policy-at-the-end"),
	},
)

func insideAlone(p *script.Play) (login.Verdict, string) {
	links := p.Survey().Links
	if len(links[login.Plain].Mechanisms) > 0 || len(links[login.StartTLS].Mechanisms) == 0 {
		return login.Skip, "TLS is not required for a login"
	}
	return login.Pass, ""
}
