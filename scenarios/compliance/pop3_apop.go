package compliance

import (
	"regexp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// withAPOP is what a case needs that logs in by APOP.
var withAPOP = needs{Mechanisms: only(login.APOP), Account: true}

// APOP: a proof of the password over what the greeting says.
var _ = register(
	script.Case{
		ID: "pop3/apop/001", Title: "The APOP timestamp differs in every greeting", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7"),
		Says: "The timestamp in the greeting has the form of a message identifier and is another each time, " +
			"in connections that are opened at the same time as well.",
		Needs: needs{Mechanisms: only(login.APOP)},
		Steps: steps{
			script.Each(tenAtOnce, func(n string) []script.Step { return steps{on(n, connect())} }),
			script.Each(tenAtOnce, func(n string) []script.Step {
				return steps{on(n, script.Covered(), answer().Keep("greeting").Must("+OK"), hangUp())}
			}),
			script.Each(tenAtOnce, func(string) []script.Step {
				return steps{connect(), script.Covered(), answer().Keep("greeting").Must("+OK")}
			}),
			check(apopTimestamps),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "pop3/apop/002", Title: "A replayed digest is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7"),
		Says:  "What APOP was sent on one connection is no proof on the next.",
		Needs: withAPOP,
		Steps: steps{
			script.Enter(logIn().Keep("first").Must(in)),
			say("QUIT").Must("+OK"),
			open(),
			script.Resend("first").Pass("-ERR").Fail("+OK").Because("the digest is of another greeting"),
			notAuthenticated(),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "pop3/apop/003", Title: "Digest syntax", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7"),
		Says: "The digest has 32 hexadecimal digits. None, fewer, more, others, and one with something behind it are refused, " +
			"even if what is there is right as far as it goes.",
		Needs: withAPOP,
		Steps: steps{
			open(),
			wrongDigest(func(d string) string { return "" }),
			wrongDigest(func(d string) string { return d[:31] }),
			open(),
			wrongDigest(func(d string) string { return d + "0" }),
			wrongDigest(func(d string) string { return d + " x" }),
			open(),
			say("APOP ", decoyName, " ", times(32, "x")).Pass("-ERR").Fail("+OK"),
			say("APOP ", decoyName).Pass("-ERR").Fail("+OK"),
			alive(),
		},
		Sabotage: answers("AUTH APOP", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "pop3/apop/004", Title: "No APOP challenge where APOP is denied", Since: "2026.1",
		Level: practice, Refs: refs("RFC 1939 7", "RFC 2449 6"),
		Says: "Who is denied APOP is shown no timestamp, for that is how APOP is announced, and is refused. " +
			"Where it waits for TLS and the server has STLS, the greeting may show one: there is no second greeting.",
		Needs: needs{Link: clear, Policy: true, State: func(s *login.Setup) { s.Policy.Common[login.APOP] = login.Deny }},
		Steps: steps{
			open(),
			check(func(p *script.Play) (login.Verdict, string) {
				setting, _ := p.Setting(login.APOP)
				switch shown := p.Timestamp() != ""; {
				case setting.Permits(p.Transport()):
					return login.Skip, "APOP is permitted"
				case !shown, setting == login.Secure && p.Survey().Links[login.StartTLS].Open:
					return login.Pass, ""
				default:
					return login.Warn, "the greeting has a timestamp, and APOP is refused"
				}
			}),
			say("APOP ", decoyName, " ", noDigest).Pass("-ERR").Fail("+OK"),
			notAuthenticated(),
		},
		Sabotage: answers("APOP", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "pop3/apop/005", Title: "USER/PASS and APOP not both for one mailbox", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 13", "RFC 2195 4"),
		Says: "Whose mailbox is open to APOP, so that his password need never cross a wire, " +
			"is not let in by USER and PASS as well, least of all in clear.",
		Needs: needs{Mechanisms: only(login.APOP), Link: upgraded, Account: true,
			State: func(s *login.Setup) { s.Policy.Common[login.UserPass] = login.Deny }},
		Steps: steps{
			script.Enter(logIn().Must(in)),
			say("QUIT").Must("+OK"),
			open(),
			say("USER ", user).Must("+OK", "-ERR"),
			say("PASS ", password).Keep("inside").Must("+OK", "-ERR"),
			say("QUIT").Must("+OK"),
			openOn(login.Plain),
			say("USER ", decoyName).Keep("clear").Must("+OK", "-ERR"),
			check(func(p *script.Play) (login.Verdict, string) {
				switch {
				case strings.HasPrefix(p.Value("inside"), "-ERR"):
					return login.Pass, ""
				case strings.HasPrefix(p.Value("clear"), "-ERR"):
					return login.Warn, "the mailbox is open to APOP, and to USER and PASS inside TLS"
				default:
					return login.Fail, "the mailbox is open to APOP and to USER and PASS, and the password is asked for in clear"
				}
			}),
		},
		Sabotage: state(func(s *login.Setup) { s.Policy.Common[login.UserPass] = login.Allow }),
	},
)

// tenAtOnce are connections that are opened at the same time.
var tenAtOnce = []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}

// wrongDigest logs in by APOP with another digest than the right one.
func wrongDigest(altered func(string) string) script.Step {
	return logIn().Alter(func(_ *script.Play, _ int, message []byte) []byte {
		name, right, _ := strings.Cut(string(message), " ")
		return []byte(name + " " + altered(right))
	}).Pass("-ERR").Fail("+OK").Because("that is not the digest")
}

// apopMsgID is the form of a timestamp, RFC 822's for message identifiers.
var apopMsgID = regexp.MustCompile(`<[^<>@\s]+@[^<>@\s]+>`)

// fewDigits is a timestamp of which little more than clock and process
// varies: fewer digits than 64 random bits have, and nothing else.
const fewDigits = 20

// apopTimestamps compares those of all greetings.
func apopTimestamps(p *script.Play) (login.Verdict, string) {
	seen := map[string]bool{}
	var all []string
	for _, line := range p.List("greeting") {
		stamp := apopMsgID.FindString(line)
		switch {
		case stamp == "":
			return login.Fail, "the greeting " + line + " has no timestamp of the form <...@...>"
		case seen[stamp]:
			return login.Fail, "the timestamp " + stamp + " came twice"
		}
		seen[stamp] = true
		all = append(all, stamp)
	}
	for _, varying := range varyingParts(all) {
		if strings.Trim(varying, "0123456789.-") != "" || len(varying) >= fewDigits {
			return login.Pass, ""
		}
	}
	return login.Warn, "nothing but a few digits varies in the timestamps, such as " + all[0] + ": whoever has seen one can guess the next"
}

// varyingParts are the texts without what they begin with and end in alike.
func varyingParts(all []string) []string {
	common := func(at func(text string, n int) byte) int {
		for n := 0; ; n++ {
			for _, text := range all {
				if n >= len(text) || at(text, n) != at(all[0], n) {
					return n
				}
			}
		}
	}
	start := common(func(text string, n int) byte { return text[n] })
	end := common(func(text string, n int) byte { return text[len(text)-1-n] })
	var varying []string
	for _, text := range all {
		varying = append(varying, text[start:max(start, len(text)-end)])
	}
	return varying
}
