package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What comes in clear where TLS should begin. A server may throw it away, hang
// up, feed it to its TLS, where the handshake dies of it, or refuse the command
// before it grants it. All four are right: RFC 2920 3.2 loses no input, RFC 3207
// 6 wants it gone. What must not be is an answer to it once TLS is up.

var _ = register(
	script.Case{
		ID: "smtp/tls/005", Title: "Plaintext command injection (whole command)", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "RFC 3207 6", "CVE-2011-0411", "CVE-2011-1431", "CVE-2011-1926", "CVE-2021-33515", "CVE-2024-34083"),
		Says: "A command that lies behind STARTTLS in the same segment came in clear, from whoever: " +
			"inside TLS it is never answered, neither at once nor later.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			open(),
			octets("STARTTLS\r\nEHLO inj-", random, ".example\r\n").Keep("start").Pass("220", refused, gone),
			afterInjection(login.SMTP, "EHLO", []string{ok}, line("XNOSUCH-", random), line("XNEITHER-", random)),
		},
		Sabotage: bug("injection-trusted"),
	},
	script.Case{
		ID: "smtp/tls/006", Title: "Plaintext command injection (fragment)", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "RFC 3207 6", "CVE-2020-28018"),
		Says:  "The beginning of a line that came in clear behind STARTTLS is never put together with the first line from inside TLS.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			open(),
			octets("STARTTLS\r\nNO").Keep("start").Pass("220", refused, gone),
			afterInjection(login.SMTP, "NO", []string{ok}, line("OP")),
			open(),
			octets("STARTTLS\r\nAUTH PLAIN ").Keep("start").Pass("220", refused, gone),
			afterInjection(login.SMTP, "AUTH PLAIN", []string{"535", "235", "334"}, line(decoy)),
		},
		Sabotage: bug("injection-trusted"),
	},
	script.Case{
		ID: "smtp/tls/007", Title: "Injection before STARTTLS in the same segment", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4", "RFC 3207 6", "RFC 2920 3.2"),
		Says:  "STARTTLS that is not the last command of a group may be granted or refused; what stood behind it in the group is not answered inside TLS.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			connect(),
			answer().Must("220"),
			octets("EHLO mailmatrix.invalid\r\nSTARTTLS\r\nNOOP\r\n").Must("250"),
			answer().Keep("start").Pass("220", refused, gone),
			afterInjection(login.SMTP, "NOOP", []string{ok}, line("XNOSUCH-", random), line("XNEITHER-", random)),
		},
		Sabotage: bug("injection-trusted"),
	},
	script.Case{
		ID: "smtp/tls/014", Title: "Failed handshake never falls back to clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 5246 7.2.2", "RFC 8446 6.2", "RFC 3207 4.1"),
		Says:  "After a handshake that failed nothing is obeyed in clear: the connection ends, or every command but QUIT is refused with 554.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			instead("a broken record", []byte("\x16\x03\x01\x00\x04\xff\x00\x00\x00")).Keep("failed").
				Pass(alert, gone, silent, "~^clear 554").Warn("~^clear [45]").Fail(inClear),
			octets("NOOP\r\nQUIT\r\n").Unread(),
			nothingObeyed("NOOP in clear"),
		},
		Sabotage: bug("clear-after-failed-handshake"),
	},
	script.Case{
		ID: "smtp/tls/015", Title: "Plain command instead of ClientHello", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4", "RFC 8446 6.2"),
		Says:  "Where a handshake has to come, a command in clear is not obeyed, and no mechanism asks for its secret.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			instead("EHLO in clear", []byte("EHLO mailmatrix.invalid\r\n")).
				Pass(alert, gone, silent, "~^clear 554").Warn("~^clear [45]").Fail(inClear),
			octets("AUTH PLAIN\r\nQUIT\r\n").Unread(),
			nothingObeyed("AUTH in clear"),
		},
		Sabotage: bug("clear-after-failed-handshake"),
	},
)

// line is what a line is made of.
func line(parts ...any) []any { return parts }

// afterInjection looks at what became of octets that were sent behind the
// command that starts TLS, after the answer to it was kept as "start". Each
// probe is a line that the server cannot obey; an answer such as what was
// injected would have is an answer to that. A server that refuses the command
// stays in clear, and may take what came next for what it is, a command in
// clear: no client goes on from there as if it were encrypted.
func afterInjection(p login.Protocol, what string, obeyed []string, probes ...[]any) script.Step {
	inTLS, afterwards := steps{}, steps{}
	for _, probe := range probes {
		inTLS = append(inTLS, say(probe...).Fail(obeyed...).Because(what+" came in clear and was answered inside TLS").Pass(refused, gone))
		afterwards = append(afterwards, say(probe...).Warn(obeyed...).Because("the command was refused, and "+what+" behind it obeyed in clear").
			Pass(refused, gone, "421"))
	}
	return script.Group(
		when(was("start", refused), afterwards...),
		when(was("start", ready[p]),
			handshake("the handshake", unverified).Keep("shake").Fail(inClear).Because(what+" was answered in clear, behind the answer that grants TLS").
				Pass(up, alert, gone, silent, "broken"),
			when(was("shake", up), inTLS...),
		),
	)
}

// nothingObeyed reads as many answers as two commands can have, and one that
// may have been left.
func nothingObeyed(name string) script.Step {
	return script.Each([]int{1, 2, 3}, func(int) []script.Step {
		return steps{hear(name).Pass(gone, alert, silent, "~^clear (554|221)").Warn("~^clear [45]").Fail(inClear)}
	})
}
