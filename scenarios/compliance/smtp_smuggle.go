package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// A message has the envelope and the contents of a second one in it, behind
// something that a careless server takes for the end of the first. To who reads
// as RFC 5321 says it is one message, with one answer. It goes from the account
// to itself.

// smuggling are the sources that all have in common: the attack was published
// by SEC Consult in December 2023, and CERT/CC has it as VU#302671.
var smuggling = []string{"RFC 5321 2.3.8", "RFC 5321 4.1.1.4", "VU#302671"}

var sender = needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA256), AnyMechanism: true, Account: true}

var _ = register(
	script.Case{
		ID: "smtp/smuggle/001", Title: "LF . LF does not end DATA", Since: "2026.1",
		Level: must, Refs: refs(append(smuggling, "CVE-2023-51764", "CVE-2023-51765", "CVE-2023-51766", "CVE-2024-27305")...),
		Says:     "A dot between two line feeds that stand alone is part of the message, or a reason to refuse it, but not its end.",
		Needs:    sender,
		Steps:    steps{smuggle("\n.\n"), script.ArrivedAsTaken(random, "taken", secondText)},
		Sabotage: answers("QUIT", "221", "250 2.1.0 go on"),
	},
	script.Case{
		ID: "smtp/smuggle/002", Title: "LF . CRLF", Since: "2026.1",
		Level: must, Refs: refs(append(smuggling, "CVE-2023-51764", "CVE-2023-51765")...),
		Says:     "Nor is it the end where a whole line end follows the dot, but only a line feed precedes it.",
		Needs:    sender,
		Steps:    steps{smuggle("\n.\r\n"), script.ArrivedAsTaken(random, "taken", secondText)},
		Sabotage: answers("QUIT", "221", "250 2.1.0 go on"),
	},
	script.Case{
		ID: "smtp/smuggle/003", Title: "CRLF . LF", Since: "2026.1",
		Level: must, Refs: refs(append(smuggling, "CVE-2023-51764", "CVE-2024-27305")...),
		Says:     "Nor is it the end where a whole line end precedes the dot, but only a line feed follows it.",
		Needs:    sender,
		Steps:    steps{smuggle("\r\n.\n"), script.ArrivedAsTaken(random, "taken", secondText)},
		Sabotage: answers("QUIT", "221", "250 2.1.0 go on"),
	},
	script.Case{
		ID: "smtp/smuggle/004", Title: "CR variants: CR . CR, CR . CRLF, CR . LF, CRLF . CR", Since: "2026.1",
		Level: must, Refs: refs(smuggling...),
		Says:  "A carriage return that stands alone ends no line, so neither before the dot nor behind it does it make the end of a message.",
		Needs: sender,
		Steps: steps{
			script.Each([]string{"\r.\r", "\r.\r\n", "\r.\n", "\r\n.\r"},
				func(end string) []script.Step { return steps{smuggle(end)} }),
			script.ArrivedAsTaken(random, "taken", secondText),
		},
		Sabotage: answers("QUIT", "221", "250 2.1.0 go on"),
	},
	script.Case{
		ID: "smtp/smuggle/005", Title: "NUL and dot oddities", Since: "2026.1",
		Level: practice, Refs: refs(append(smuggling, "RFC 5321 4.5.2")...),
		Says:  "Only a line of one dot and nothing else is the end: no NUL or CR is overlooked beside it, and of two dots the second is text.",
		Needs: sender,
		Steps: steps{
			script.Each([]string{"\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n..\r\n", "\r\n.\r\r\n"},
				func(end string) []script.Step { return steps{smuggle(end)} }),
			script.ArrivedAsTaken(random, "taken", secondText),
		},
		Sabotage: answers("QUIT", "221", "250 2.1.0 go on"),
	},
)

// secondText is at the end of what is handed in.
const secondText = "The second message."

// smuggle hands in a message with a second one behind an odd end. What answers
// it goes to the list "taken".
func smuggle(end string) script.Step {
	return script.Group(
		open(),
		logIn().Must(in),
		say("MAIL FROM:<", from, ">").Must("2"),
		say("RCPT TO:<", local, ">").Must("2"),
		say("DATA").Must("354"),
		octets(
			"From: <", from, ">\r\nTo: <", local, ">\r\nSubject: mailmatrix, may be deleted: ", random, "\r\n\r\n",
			"The first message.", end,
			"MAIL FROM:<", from, ">\r\nRCPT TO:<", local, ">\r\nDATA\r\n",
			"From: <", from, ">\r\nTo: <", local, ">\r\nSubject: mailmatrix, smuggled, may be deleted: ", random, "\r\n\r\n",
			secondText, "\r\n.\r\n",
		).Keep("taken").Pass("2", "5", gone),
		nextIsQuit("one message was answered as if it were several"),
	)
}
