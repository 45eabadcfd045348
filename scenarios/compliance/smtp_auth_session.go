package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// beforeAuth are refusals of an AUTH that comes out of order: by sequence, as
// an unknown command or mechanism, or for want of TLS.
var beforeAuth = []string{"500", "502", "503", "504", "523", "530", "538"}

// What the session is after AUTH, and where in it AUTH may stand.
var _ = register(
	script.Case{
		ID: "smtp/auth/021", Title: "No second AUTH after a login", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4422 3.8"),
		Says:  "After a login AUTH is refused with 503 and nothing is checked: not after RSET and not after EHLO either.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("AUTH PLAIN ", decoy).Pass("503").Fail("535").Because("it looked at the password").Warn(refused),
			say("RSET").Must(ok),
			say("AUTH PLAIN ", decoy).Pass("503").Fail("535").Because("after RSET it looked at the password").Warn(refused),
			authenticated(),
			open(),
			logIn().Must(in),
			hello(),
			// Where EHLO ends the login this one is judged, and rightly so.
			say("AUTH PLAIN ", decoy).Pass("503").Warn(refused).Because("after EHLO it is not as after a login"),
		},
		Sabotage: bug("second-auth"),
	},
	script.Case{
		ID: "smtp/auth/022", Title: "Failed AUTH leaves no identity behind", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4422 3.6"),
		Says: "After a login that failed the session is what it was before: the name that was given counts for nothing, " +
			"and somebody may log in.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			open(),
			logIn().As(decoyName, decoyPassword).Pass(refused),
			notAuthenticated(),
			ifAccount(
				open(),
				logIn().As(user, wrong).Pass(refused),
				notAuthenticated(),
				logIn().Pass(in).Because("after a login that failed"),
			),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
	script.Case{
		ID: "smtp/auth/023", Title: "AUTH inside a mail transaction", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says: "Between MAIL and the end of the transaction AUTH is refused with 503, and nothing is checked. " +
			"The transaction goes on, with the rights that it had.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			open(),
			say("MAIL FROM:<", from, ">").Must("250").NA(refused),
			begin().Pass("503").Warn(refused).Fail(asked).Because("it asks for the password"),
			say("RCPT TO:<", local, ">").Warn("503").Because("the transaction has gone").Pass(ok, refused, "4"),
			say("RCPT TO:<", foreign, ">").Pass(refused, "4"),
			say("RSET").Must(ok),
		},
		Sabotage: bug("auth-in-transaction"),
	},
	script.Case{
		ID: "smtp/auth/024", Title: "Wrong password is 535", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 4954 6"),
		Says: "A wrong password is answered with 535, by which a client knows that it may ask for another. " +
			"No other refusal says that.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().As(user, wrong).Pass("535").Warn(refused),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
	script.Case{
		ID: "smtp/auth/025", Title: "Success reply is one 235", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4954 6"),
		Says:  "A login is confirmed by one answer, 235. Where it has an enhanced code, that is 2.7.0.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Pass("235 2.7.0", "235-2.7.0").Warn(`~^235[ -]\d\.\d+\.\d+`).Pass("235").Fail(ok).Because("a success, but not that of a login"),
			say("QUIT").Pass("221").Fail("2", "5").Because("the login was answered twice"),
		},
		Sabotage: answers("AUTH", "235", "250 2.7.0 welcome"),
	},
	script.Case{
		ID: "smtp/auth/026", Title: "At least three tries before dropping", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 9"),
		Says:  "A server that drops the connection of who fails to log in lets three attempts fail first.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			open(),
			logIn().As(decoyName, decoyPassword).Pass(refused).Fail("421", gone).Because("the first attempt that failed was one too many"),
			logIn().As(decoyName, decoyPassword).Pass(refused).Fail("421", gone).Because("the second attempt that failed was one too many"),
			// Whoever hangs up now may do it over this one or over the one before.
			logIn().As(decoyName, decoyPassword).Pass(refused, "421").Warn(gone),
		},
		Sabotage: answers("AUTH", "535", "421 4.7.0 too many failed logins"),
	},
	script.Case{
		ID: "smtp/auth/027", Title: "Guessing is slowed or cut", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4954 9", "NIST SP 800-63B 5.2.2"),
		Says: "Who presents one wrong password after the other on a connection is made to wait, refused for now, or disconnected, " +
			"before a dozen of them have been judged.",
		Needs: needs{Mechanisms: only(login.PLAIN), State: func(s *login.Setup) { s.Posture.SlowDown = true }},
		Steps: steps{
			open(),
			guess(12),
		},
		Sabotage: state(func(s *login.Setup) { s.Posture.SlowDown = false }),
	},
	script.Case{
		ID: "smtp/auth/032", Title: "AUTH needs EHLO", Since: "2026.1",
		// RFC 5321 4.1.4 demands EHLO before mail only, and would have a server
		// take other commands without: who takes AUTH is warned.
		Level: practice, Refs: refs("RFC 4954 3", "RFC 5321 4.1.4", "RFC 3207 4.2"),
		Says: "AUTH is part of an extension, and extensions are for who has said EHLO: before it, after HELO, and when TLS has begun anew, " +
			"AUTH is out of order.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			unannounced(),
			begin().Pass(beforeAuth...).Warn(asked),
			unannounced(),
			say("HELO mailmatrix.invalid").Must("250"),
			begin().Pass(beforeAuth...).Warn(asked),
			ifAccount(
				unannounced(),
				logIn().Pass(beforeAuth...).Warn(in).Because("who never said EHLO was logged in").Warn(refused),
			),
		},
		Sabotage: answers("AUTH", "503", "235 2.7.0 welcome"),
	},
	script.Case{
		ID: "smtp/auth/033", Title: "RSET keeps the login, EHLO keeps or drops it consistently", Since: "2026.1",
		Level: should, Refs: refs("RFC 5321 4.1.1.5", "RFC 5321 4.1.4"),
		Says: "RSET ends a mail transaction and no login. EHLO has the effect of RSET; a server that takes the login away all the same " +
			"lets the client log in again.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("RSET").Must(ok),
			authenticated(),
			hello(),
			say("AUTH PLAIN").Pass(refused).Warn(asked).Because("EHLO ended the login"),
		},
		Sabotage: script.Sabotage{Rewrites: []script.Rewrite{
			{After: "RCPT", From: "250", To: "530 5.7.0 log in first"}, {After: "AUTH PLAIN", From: "503", To: "334 "}}},
	},
	script.Case{
		ID: "smtp/auth/034", Title: "Pipelined lines after a multi-step AUTH are responses, never commands", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 2920 3.1"),
		Says: "What came in the same segment behind AUTH is the client's response where the mechanism wants one, and fails as such. " +
			"What comes behind that finds nobody logged in.",
		Needs: needs{Mechanisms: only(login.LOGIN, login.CRAMMD5)},
		Steps: steps{
			open(),
			octets("AUTH ", mechanism, "\r\nMAIL FROM:<", from, ">\r\nRCPT TO:<", foreign, ">\r\n").Must(asked),
			answer().Pass("501", "535").Warn(refused, gone).Fail(ok).Because("a response was taken for a command"),
			answer().Pass(refused, "4", gone).Fail(ok).Because("a recipient was taken from nobody"),
			open(),
			octets("AUTH ", mechanism, "\r\nMAIL FROM:<", from, ">\r\n").Must(asked),
			answer().Pass("501", "535").Warn(refused, gone),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH LOGIN", "501", "250 2.1.0 sender taken"),
	},
	script.Case{
		ID: "smtp/auth/035", Title: "AUTH PLAIN with initial response may be pipelined", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 2920 3.1"),
		Says: "AUTH with an initial response that is the whole exchange may stand in front of other commands in one segment. " +
			"Each is answered in its turn; if the login fails, those behind it are a stranger's.",
		Needs: needs{Mechanisms: only(login.PLAIN), Offers: []string{"PIPELINING"}},
		Steps: steps{
			open(),
			pipelined(decoy).Pass(refused),
			answer().Pass(ok, refused, "4").Warn(gone),
			answer().Pass(refused, "4").Warn(gone).Fail(ok).Because("a stranger may relay behind a login that failed"),
			answer().Pass("250").Warn(gone),
			say("QUIT").Pass("221").Warn(gone),
			ifAccount(
				open(),
				pipelined(goodPlain).Pass(in).Warn("554"),
				answer().Pass("250").Warn(gone),
				answer().Pass(ok, refused, "4").Warn(gone),
				answer().Pass("250").Warn(gone),
				say("QUIT").Pass("221").Warn(gone),
			),
		},
		Sabotage: answers("QUIT", "221", "250 2.0.0 reset"),
	},
	script.Case{
		ID: "smtp/auth/037", Title: "Abrupt end in the middle of AUTH", Since: "2026.1",
		Level: practice, Refs: refs("CVE-2019-11494", "CVE-2019-11499"),
		Says:  "A client that goes away inside an exchange, or inside a line of it, harms nobody but itself: those who come then are served.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			open(),
			octets("AUTH ").Unread(),
			hangUp(),
			open(),
			say("AUTH ", mechanism).Unread(),
			hangUp(),
			open(),
			begin().Must(asked),
			hangUp(),
			open(),
			begin().Must(asked),
			octets("AHgAe").Unread(),
			hangUp(),
			script.Each(make([]int, 5), func(int) []script.Step { return steps{served(), alive()} }),
		},
		Sabotage: answers("NOOP", "250", "500 5.3.0 what was that"),
	},
	script.Case{
		ID: "smtp/auth/038", Title: "Switching mechanism after a failed one", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "CVE-2011-1720"),
		Says: "After an exchange that failed or was cancelled the client may try another mechanism, or the same again: " +
			"each attempt begins with nothing of the one before.",
		Needs: needs{Mechanisms: only(login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA256)},
		Steps: steps{
			open(),
			begin().Must(asked),
			say("!!!!").Must(refused),
			// QUIT ends both: it is a bad message of an exchange, or a command.
			say("AUTH CRAM-MD5").Pass(asked, refused),
			say("QUIT").Pass(refused, "221"),
			open(),
			begin().Must(asked),
			say("*").Must(refused),
			say("AUTH PLAIN").Pass(asked, refused),
			say("QUIT").Pass(refused, "221"),
			open(),
			begin().Must(asked),
			say("*").Must(refused),
			begin().Pass(asked),
			say("*").Pass(refused),
			alive(),
		},
		Sabotage: answers("AUTH PLAIN", "334", "235 2.7.0 welcome"),
	},
	script.Case{
		ID: "smtp/auth/043", Title: "Only commands that need the login answer 530", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 6"),
		Says: "A server that wants a login says so with 530 to the commands that need one. " +
			"EHLO, HELO, NOOP, RSET and QUIT do not, and are obeyed before it.",
		Needs: needs{Offers: []string{"AUTH"}, State: func(s *login.Setup) {
			s.Posture.Script = &login.Script{LoginBeforeMail: true}
		}},
		Steps: steps{
			open(),
			script.Each([]string{"NOOP", "RSET", "EHLO mailmatrix.invalid", "HELO mailmatrix.invalid"}, func(command string) []script.Step {
				return steps{say(command).Pass("250").Fail("530").Because("it needs no login").Warn(refused)}
			}),
			say("QUIT").Pass("221").Fail("530").Because("it needs no login").Warn(refused),
		},
		Sabotage: answers("RSET", "250", "530 5.7.0 log in first"),
	},
)

// pipelined sends four commands in one segment and reads the answer to the
// first, AUTH.
func pipelined(login script.Part) *script.Saying {
	return octets("AUTH PLAIN ", login, "\r\nMAIL FROM:<", from, ">\r\nRCPT TO:<", foreign, ">\r\nRSET\r\n")
}
