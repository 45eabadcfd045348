package compliance

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// POP3's AUTH.
var _ = register(
	script.Case{
		ID: "pop3/auth/001", Title: "An unknown mechanism is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4"),
		Says:  "AUTH with a mechanism that the server does not support is refused; the session goes on, and nobody is logged in.",
		Needs: needs{Offers: []string{"SASL"}},
		Steps: steps{
			open(),
			say("AUTH X-NOSUCH").Pass("-ERR").Fail("+OK", asked),
			alive(),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH X-NOSUCH", "-ERR", "+ "),
	},
	script.Case{
		ID: "pop3/auth/002", Title: "The empty challenge is a plus and a blank", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4", "RFC 4616 2"),
		Says: "AUTH PLAIN without a response asks for it by an empty challenge: a plus and a blank. " +
			"An asterisk ends the exchange, and nobody is logged in.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN").Pass(`~^\+ $`).Warn(`~^\+$`).Fail("+OK", asked).Because("PLAIN has no challenge"),
			say("*").Pass("-ERR").Fail("+OK"),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH PLAIN", "+ ", "+ VXNlcm5hbWU6"),
	},
	script.Case{
		ID: "pop3/auth/003", Title: "Initial response rules", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4", "RFC 4422 3", "RFC 4648 3.3"),
		Says: "An equals sign in AUTH is a response that is there and empty. What is no base64 is refused, in the command as in an answer, " +
			"and so is any response in the command of a mechanism in which the server speaks first.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.CRAMMD5)},
		Steps: steps{
			script.OnlyWith(only(login.PLAIN),
				open(),
				say("AUTH PLAIN =").Pass("-ERR").Fail(asked).Because("the empty response was taken for none").Fail("+OK"),
				say("AUTH PLAIN AAA=BBB").Pass("-ERR").Fail("+OK", asked).Because("that is not base64"),
				alive(),
			),
			script.OnlyWith(only(login.CRAMMD5),
				open(),
				say("AUTH CRAM-MD5 eA==").Pass("-ERR").Fail("+OK", asked).Because("the server speaks first"),
				alive(),
				open(),
				say("AUTH CRAM-MD5").Must(asked),
				say("!!!!").Pass("-ERR").Fail("+OK", asked).Because("that is not base64"),
				alive(),
			),
		},
		Sabotage: answers("AUTH CRAM-MD5 EA==", "-ERR", "+ PDFAbWFpbC5leGFtcGxlLnRlc3Q+"),
	},
	script.Case{
		ID: "pop3/auth/004", Title: "A failed AUTH is as good as none", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4"),
		Says:  "Whose AUTH has failed may still log in on the same connection, by USER and PASS or by AUTH again.",
		Needs: needs{Mechanisms: only(login.PLAIN), Account: true},
		Steps: steps{
			open(),
			say("AUTH PLAIN ", decoy).Pass("-ERR").Fail("+OK"),
			script.When(offersUSER,
				say("USER ", user).Pass("+OK").Fail("-ERR").Because("AUTH had failed before"),
				say("PASS ", password).Pass("+OK").Fail(notLetIn).Because("AUTH had failed before"),
				authenticated(),
				say("QUIT").Must("+OK"),
			),
			open(),
			say("AUTH PLAIN ", decoy).Pass("-ERR").Fail("+OK"),
			logIn().Pass(in).Fail(notLetIn).Because("AUTH had failed before"),
			authenticated(),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("USER", "+OK", "-ERR not now"),
	},
	script.Case{
		ID: "pop3/auth/005", Title: "A success is one line, and opens the mailbox", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4", "RFC 4422 3.7"),
		Says: "A login by AUTH ends in +OK, which carries nothing of the mechanism: what the server still has to say came in a challenge. " +
			"The very next command is one of the mailbox.",
		Needs: needs{Mechanisms: provingByPassword, Account: true},
		Steps: steps{
			open(),
			logIn().Pass(in).Fail(notLetIn),
			authenticated(),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("STAT", "+OK", "-ERR log in first"),
	},
	script.Case{
		ID: "pop3/auth/006", Title: "Long responses", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4"),
		Says: "The length of commands does not bound responses: a long one is judged like any other. " +
			"One that is too long has one answer, and its tail is never a command.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN").Must(asked),
			say(b64("\x00", decoyName, "\x00", times(200, "x"))).Pass("-ERR").Fail("+OK").Because("nobody has that name"),
			alive(),
			open(),
			say("AUTH PLAIN").Must(asked),
			say(b64("\x00", decoyName, "\x00", times(6000, "x"))).Pass("-ERR").Warn(gone).Fail("+OK").Because("nobody has that name"),
			script.Each([]int{4096, 8192, 16384, 65536}, func(n int) []script.Step {
				return steps{
					open(),
					say("AUTH PLAIN").Must(asked),
					octets(times(n, "A"), "CAPA\r\n").Pass("-ERR", gone).Fail("+OK", asked),
					say("QUIT").Pass("+OK", gone).Fail("-ERR").Because("the line was answered twice"),
					answer().Pass(gone).Fail("+OK", "-ERR").Because("the line was answered twice"),
				}
			}),
		},
		Sabotage: answers("QUIT", "+OK", "-ERR unknown command"),
	},
	script.Case{
		ID: "pop3/auth/007", Title: "PLAIN over TLS exists", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4"),
		Says: "Inside TLS there is PLAIN, which every implementation of AUTH has: it is listed, and asks for its message.",
		Needs: needs{Link: encrypted, Offers: []string{"SASL"},
			State: func(s *login.Setup) { s.Policy.Common[login.PLAIN] = login.Secure }},
		Steps: steps{
			open(),
			check(func(p *script.Play) (login.Verdict, string) {
				if !offersPLAIN(p) { // it may be turned off
					return login.Warn, "PLAIN is not listed inside TLS"
				}
				return login.Pass, ""
			}),
			script.When(offersPLAIN,
				say("AUTH PLAIN").Pass(asked).Fail("-ERR").Because("PLAIN is listed"),
				say("*").Must("-ERR"),
			),
		},
		Sabotage: answers("AUTH PLAIN", "+", "-ERR not available"),
	},
)

// provingByPassword are the mechanisms of AUTH for which a password is enough.
var provingByPassword = only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.NTLM,
	login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS)

func offersPLAIN(p *script.Play) bool {
	return slices.Contains(p.Survey().Links[p.Transport()].Mechanisms, login.PLAIN)
}
