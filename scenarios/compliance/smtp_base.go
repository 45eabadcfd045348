package compliance

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

var _ = register(
	script.Case{
		ID: "smtp/base/001", Title: "Greeting", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 3.1", "RFC 5321 4.2"),
		Says:  "A server speaks first: 220, and behind it the name by which it is known.",
		Steps: steps{script.OnEachLink(open(), check(greeted))},
		Sabotage: script.Sabotage{Rewrites: []script.Rewrite{
			{After: "greeting", From: "220", To: "250 mail.example.test"}}},
	},
	script.Case{
		ID: "smtp/base/002", Title: "EHLO reply syntax", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.1.1.1", "RFC 5321 4.5.3.1.5"),
		Says: "The answer to EHLO is 250 in every line, no line is longer than 512 octets, " +
			"and every line after the first is a keyword with printable parameters.",
		Steps: steps{script.OnEachLink(
			open(), say("EHLO mailmatrix.invalid").Pass("250"), hello(), check(extensionsAreKeywords))},
		Sabotage: answers("EHLO", "250-", "250-*no keyword*"),
	},
	script.Case{
		ID: "smtp/base/003", Title: "Enhanced codes everywhere or nowhere", Since: "2026.1",
		Level: must, Refs: refs("RFC 2034 4"),
		Says: "Who lists ENHANCEDSTATUSCODES begins the text of every answer of 2yz, 4yz and 5yz with such a code of the same class, " +
			"in each of its lines. The greeting and what answers HELO and EHLO have none, nor has 3yz.",
		Needs: needs{Offers: []string{"ENHANCEDSTATUSCODES"}},
		Steps: steps{
			open(),
			say("NOOP"), say("RSET"), say("XNOSUCH-", random).Must("5", "4", "2"),
			say("RCPT TO:<", foreign, ">").Must("5", "4", "2"), say("QUIT"),
			check(repliesHaveCodes),
			open(),
			say("HELP").Must("5", "4", "2"), say("AUTH X-NOSUCH").Must("5", "4", "2"),
			say("MAIL FROM:<", from, ">").Must("5", "4", "2"), say("QUIT"),
			check(repliesHaveCodes),
		},
		Sabotage: answers("RSET", "250", "250 done"),
	},
	script.Case{
		ID: "smtp/base/004", Title: "Unknown command", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.2.4", "RFC 5321 4.1.5"),
		Says:     "A command that nobody knows is answered with 500 or 502, and the session goes on.",
		Steps:    steps{open(), say("XNOSUCH-", random).Pass("500", "502").Warn(refused), alive()},
		Sabotage: answers("XNOSUCH", "5", "250 2.0.0 as you like"),
	},
	script.Case{
		ID: "smtp/base/005", Title: "Out-of-order commands change nothing", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.1.4"),
		Says: "RCPT and DATA without a MAIL before them are refused, and leave the session as it was.",
		Steps: steps{
			open(),
			say("RCPT TO:<", foreign, ">").Pass("503", "530").Warn(refused),
			say("DATA").Pass("503", "530", "554").Warn(refused),
			alive(),
		},
		Sabotage: answers("DATA", "5", "354 go ahead"),
	},
	script.Case{
		ID: "smtp/base/006", Title: "Over-long command line is one error", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.5.3.1.4", "RFC 5321 4.5.3.1.9"),
		Says: "A command line of more than 512 octets may be refused, with 500. It is one line then, with one answer, " +
			"and nothing of what it ends in is obeyed.",
		Steps: steps{
			script.Each([]int{600, 1000, 2048, 4096, 8192, 16384, 65536}, func(n int) []script.Step {
				return steps{
					open(),
					octets(times(n, "X"), "NOOP\r\n").Pass("500", "421", gone).Warn(refused),
					nextIsQuit("one line was answered as if it were several"),
				}
			}),
		},
		Sabotage: answers("QUIT", "221", "250 2.0.0 done nothing"),
	},
	script.Case{
		ID: "smtp/base/007", Title: "Bare LF / bare CR are not line ends", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 2.3.8"),
		Says: "A line ends in CR LF. LF alone does not end a command, and even less does CR alone.",
		Steps: steps{
			open(),
			octets("NOOP\nRSET\r\n").Must(refused, gone, "250"),
			say("QUIT").Pass("221", gone).Warn("250", refused).Because("LF alone ended a command"),
			open(),
			octets("NOOP\rRSET\r\n").Must(refused, gone, "250"),
			say("QUIT").Pass("221", gone).Fail("250", refused).Because("CR alone ended a command"),
		},
		Sabotage: answers("QUIT", "221", "250 2.0.0 reset"),
	},
	script.Case{
		ID: "smtp/base/008", Title: "NUL in a command", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.1.2", "RFC 5321 2.3.8"),
		Says: "A line is not cut at a NUL: what stands behind it would be seen by nobody who judges the line. A verb with a NUL in it is none.",
		Steps: steps{
			open(),
			octets("NOOP\x00 ", times(64, "z"), "\r\n").Pass(refused, gone).Warn("250").Because("the line may have been cut at the NUL"),
			open(),
			octets("AUTH\x00 PLAIN\r\n").Pass(refused, gone).Fail(asked).Because("the NUL was overlooked"),
		},
		Sabotage: answers("AUTH\x00", "5", "334 "),
	},
	script.Case{
		ID: "smtp/base/009", Title: "8-bit and invalid UTF-8 in commands", Since: "2026.1",
		Level: should, Refs: refs("RFC 5321 2.4", "RFC 6531 3.3"),
		Says:  "An address with octets outside ASCII is refused; and with SMTPUTF8 too, where they are no UTF-8.",
		Needs: needs{State: lettingStrangersMail},
		Steps: steps{
			open(),
			octets("MAIL FROM:<\xff\xfe@example.com>\r\n").NA("530").Pass(refused),
			alive(),
		},
		Sabotage: answers("MAIL", "5", "250 2.0.0 go on"),
	},
	script.Case{
		ID: "smtp/base/010", Title: "One reply per command, in order", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.2", "RFC 2920 3.2"),
		Says:  "Who lists PIPELINING answers commands that come in one piece one by one and in their order, refused ones among them.",
		Needs: needs{Offers: []string{"PIPELINING"}},
		Steps: steps{
			open(),
			// RFC 2920 3.1: NOOP may only be the last of a group, RSET and RCPT may stand anywhere.
			octets("RCPT TO:<", foreign, ">\r\nRSET\r\nRSET\r\nNOOP\r\n").Pass("503", "530").Warn(refused),
			answer().Pass("250"),
			answer().Pass("250"),
			answer().Pass("250"),
			nextIsQuit("there are more answers than commands"),
		},
		Sabotage: answers("RCPT", "5", "250 2.1.5 as you like"),
	},
	script.Case{
		ID: "smtp/base/012", Title: "VRFY/EXPN do not enumerate", Since: "2026.1",
		Level: practice, Refs: refs("RFC 5321 3.5.3", "RFC 5321 7.3"),
		Says:  "Strangers do not find out by VRFY and EXPN who has a mailbox here: a known name is answered as an unknown one is.",
		Needs: needs{Account: true},
		Steps: steps{
			script.Each([]string{"VRFY", "EXPN"}, func(verb string) []script.Step {
				return steps{
					open(),
					say(verb, " ", user).Keep("known").Must("5", "2", "4"),
					open(),
					say(verb, " ", nobody).Keep("unknown").Must("5", "2", "4"),
					check(func(p *script.Play) (login.Verdict, string) {
						return tellsApart(verb, p.Value("known"), p.Value("unknown"))
					}),
				}
			}),
		},
		Sabotage: script.Sabotage{Rewrites: []script.Rewrite{
			{After: "VRFY XNOBODY", From: "2", To: "550 5.1.1 no such user"},
			{After: "VRFY", From: "2", To: "250 2.1.5 <you@example.test>"}}},
	},
	script.Case{
		ID: "smtp/base/013", Title: "ETRN, ATRN, 521 not on submission", Since: "2026.1",
		Level: must, Refs: refs("RFC 6409 7", "RFC 8314 3.3"),
		Says: "A port for submission neither lists nor obeys ETRN and ATRN. The port that has TLS from the first octet is one.",
		// STARTTLS may as well be that of port 25.
		Needs: needs{Link: implicit},
		Steps: steps{
			open(),
			check(listsNone("ETRN", "ATRN")),
			say("ETRN example.invalid").Pass(refused).Warn("4"),
			say("ATRN example.invalid").Pass(refused).Warn("4"),
		},
		Sabotage: answers("ETRN", "5", "250 2.0.0 queueing started"),
	},
	script.Case{
		ID: "smtp/base/014", Title: "QUIT", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.1.1.10"),
		Says:     "QUIT is answered with 221, and then the server ends the connection.",
		Steps:    steps{script.OnEachLink(open(), say("QUIT").Pass("221"), answer().Pass(gone))},
		Sabotage: answers("QUIT", "221", "250 2.0.0 good bye"),
	},
	script.Case{
		ID: "smtp/base/015", Title: "No reflection of client bytes as extra lines", Since: "2026.1",
		Level: practice, Refs: refs("ALPACA (USENIX Security 2021)", "RFC 5321 4.1.1.1"),
		Says: "What a client sent and is told again makes no second line: it holds no CR. " +
			"An answer that repeats marks of HTML can be made to speak to a browser.",
		Steps: steps{
			open(),
			say("EHLO <script>", random, "</script>").Warn("~<script>").Because("the answer repeats it as it came").Pass(ok, refused, gone),
			open(),
			octets("HELO a\rb\r\n").Fail("~\r").Because("the answer has a CR in it").Pass(refused, ok, gone),
			nextIsQuit("one line was answered as if it were several"),
		},
		Sabotage: answers("HELO", "5", "250 hello a\rb"),
	},
)

// nextIsQuit demands that every line before it has had its answer, and no more
// than one: 221 comes next, if the connection is still there.
func nextIsQuit(otherwise string) script.Step {
	return say("QUIT").Pass("221", gone).Fail(ok, "3", refused).Because(otherwise)
}

// lettingStrangersMail: MAIL demands no login, so that what is wrong with an
// address is looked at.
func lettingStrangersMail(s *login.Setup) { s.Trust.DemandAuth = false }

var greeting = regexp.MustCompile(`^220[ -]\S+`)

func greeted(p *script.Play) (login.Verdict, string) {
	switch line := p.Talk().Greeting; {
	case greeting.MatchString(line):
		return login.Pass, ""
	case strings.HasPrefix(line, "220"):
		return login.Warn, fmt.Sprintf("the greeting names nobody: %.100q", line)
	default:
		return login.Fail, fmt.Sprintf("the greeting is no 220: %.100q", line)
	}
}

// keyword is a line of EHLO behind the code. The form "AUTH=" is older than RFC
// 2554, and many servers have it beside the other.
var (
	keyword    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*( +[!-~]+)* *$`)
	legacyAuth = regexp.MustCompile(`^AUTH=[!-~]+( +[!-~]+)* *$`)
)

// longestExtension is in octets, without CR LF and the code.
const longestExtension = 512 - len("250-\r\n")

func extensionsAreKeywords(p *script.Play) (login.Verdict, string) {
	verdict, reason := login.Pass, ""
	for i, line := range p.Talk().Capabilities {
		switch {
		case len(line) > longestExtension:
			return login.Fail, fmt.Sprintf("a line of EHLO's answer has %d octets: %.60q...", len(line)+len("250-\r\n"), line)
		case i == 0, keyword.MatchString(line):
		case legacyAuth.MatchString(line):
			verdict, reason = login.Warn, fmt.Sprintf("%.60q is no keyword", line)
		default:
			return login.Fail, fmt.Sprintf("%.60q is no keyword", line)
		}
	}
	return verdict, reason
}

// coded is an answer that has an enhanced code of its own class, and notCoded
// one that must have none.
var (
	coded    = regexp.MustCompile(`^(2\d\d[ -]2|4\d\d[ -]4|5\d\d[ -]5)\.\d{1,3}\.\d{1,3}( |$)`)
	notCoded = regexp.MustCompile(`^3\d\d([ -]|$)`)
	anyCode  = regexp.MustCompile(`^3\d\d[ -]\d\.\d{1,3}\.\d{1,3}( |$)`)
)

// repliesHaveCodes looks at all that was said on the current connection.
func repliesHaveCodes(p *script.Play) (login.Verdict, string) {
	verb := "" // that the answers are to
	for _, line := range p.Talk().Transcript() {
		who, text, _ := strings.Cut(line, " ")
		who = strings.TrimSuffix(who, "+")
		if who == "C" {
			verb, _, _ = strings.Cut(text, " ")
		}
		switch {
		case who != "S", verb == "", verb == "EHLO", verb == "HELO":
		case notCoded.MatchString(text) && !anyCode.MatchString(text), coded.MatchString(text):
		default:
			return login.Fail, fmt.Sprintf("%s was answered by %.100q, whose enhanced code is missing, or wrong", verb, text)
		}
	}
	return login.Pass, ""
}

// nobody is a name of the form of the account's.
var nobody = script.Made("<nobody>", func(p *script.Play) string {
	if at := strings.IndexByte(p.Secrets.Name, '@'); at >= 0 {
		return "xnobody-4c1f7a" + p.Secrets.Name[at:]
	}
	return "xnobody-4c1f7a"
})

// tellsApart: 250 and 251 say that the mailbox is there; other answers that
// differ say so to who compares them.
func tellsApart(verb, known, unknown string) (login.Verdict, string) {
	a, b := known[:min(3, len(known))], unknown[:min(3, len(unknown))]
	switch a {
	case b:
		return login.Pass, ""
	case "250", "251":
		return login.Fail, fmt.Sprintf("%s confirms a name that is known, and answers another with %s", verb, b)
	default:
		return login.Warn, fmt.Sprintf("%s answers a name that is known with %s, and another with %s", verb, a, b)
	}
}

// listsNone warns where one of the extensions is listed.
func listsNone(extensions ...string) func(*script.Play) (login.Verdict, string) {
	return func(p *script.Play) (login.Verdict, string) {
		for _, e := range extensions {
			if p.Talk().Offers(e) {
				return login.Warn, e + " is listed"
			}
		}
		return login.Pass, ""
	}
}
