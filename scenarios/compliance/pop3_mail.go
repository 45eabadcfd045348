package compliance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// The mailbox of somebody who has logged in. Where a case needs a message it
// hands one in, and takes it away again.
var _ = register(
	script.Case{
		ID: "pop3/base/011", Title: "Keyword case, extra arguments", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 1939 5"),
		Says:  "Keywords are known in any letter case. A command that has no argument is refused with one.",
		Needs: inMailbox,
		Steps: steps{
			script.Enter(logIn().Must(in)),
			say("sTaT").Pass(`~^\+OK \d+ \d+( |$)`),
			say("STAT extra").Pass("-ERR").Warn("+OK"),
			say("nOOp").Pass("+OK"),
			say("qUIt").Pass("+OK"),
		},
		Sabotage: answers("STAT", "+OK", "-ERR unknown command"),
	},
	script.Case{
		ID: "pop3/base/012", Title: "STAT, LIST and UIDL formats", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 5", "RFC 1939 7"),
		Says: "STAT gives number and size, LIST number and size of each message and the same of all. " +
			"UIDL gives each an identifier of 1 to 70 visible characters, which it keeps even if a session ends without QUIT.",
		Needs: inMailbox,
		Steps: steps{
			script.SomeMail(),
			say("STAT").Keep("stat").Pass(`~^\+OK \d+ \d+( |$)`),
			say("LIST").Listing().Keep("list").Pass("+OK"),
			say("UIDL").Listing().Keep("uidl").Pass("+OK", "-ERR"),
			check(pop3Listings),
			hangUp(),
			script.Enter(logIn().Must(in)),
			say("UIDL").Listing().Keep("again").Pass("+OK", "-ERR"),
			check(samePOP3Identifiers),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("LIST", "1 ", "1 octets"),
	},
	script.Case{
		ID: "pop3/base/013", Title: "Bad message numbers", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 1939 5", "RFC 1939 7"),
		Says: "A number that no message has is refused: nought, one below it, one far above, one that is another's in 32 bits, " +
			"what is no number, and none at all.",
		Needs: inMailbox,
		// There is a message 1, for a server whose numbers wrap around. None is
		// deleted by such a number, and RSET comes before QUIT.
		Steps: steps{
			script.SomeMail(),
			noSuchMessage("RETR 0"), noSuchMessage("LIST 0"), noSuchMessage("TOP 0 0"), noSuchMessage("DELE 0"),
			noSuchMessage("RETR 4294967297"), noSuchMessage("LIST 4294967297"), noSuchMessage("TOP 99999999999 0"),
			noSuchMessage("LIST 18446744073709551617"),
			say("QUIT").Must("+OK"),
			script.Enter(logIn().Must(in)),
			noSuchMessage("RETR abc"), noSuchMessage("LIST -1"),
			say("QUIT").Must("+OK"),
			script.Enter(logIn().Must(in)),
			noSuchMessage("RETR"), noSuchMessage("DELE -1"),
			say("RSET").Must("+OK"),
			say("QUIT").Must("+OK"),
			script.Enter(logIn().Must(in)),
			noSuchMessage("DELE"), noSuchMessage("TOP 1 -1"),
			authenticated(),
			say("RSET").Must("+OK"),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("RETR 4294967297", "-ERR", "+OK 120 octets"),
	},
	script.Case{
		ID: "pop3/base/014", Title: "Dot-stuffing", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 1939 5"),
		Says: "A line of a message that begins with a dot is sent with one more, so that the message comes out as it went in " +
			"and the next answer is the next command's.",
		Needs: inMailbox,
		Steps: steps{
			script.HandIn(dottedLines...),
			script.Arrived(),
			say("RETR ", script.Message).Listing().Keep("message").Pass("+OK"),
			check(func(p *script.Play) (login.Verdict, string) {
				lines := p.List("message lines")
				from := slices.Index(lines, dottedLines[0])
				if from < 0 || from+len(dottedLines) > len(lines) {
					return login.Fail, "the message has lost lines"
				}
				for i, line := range lines[from : from+len(dottedLines)] {
					if line != dottedLines[i] {
						return login.Fail, fmt.Sprintf("the line %q came out as %.40q", dottedLines[i], line)
					}
				}
				return login.Pass, ""
			}),
			say("NOOP").Pass("+OK"), // and not the rest of the message
			say("DELE ", script.Message).Must("+OK"),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("RETR", "..x", ".x"),
	},
	script.Case{
		ID: "pop3/base/015", Title: "DELE, RSET, QUIT and loss of connection", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 5", "RFC 1939 6"),
		Says: "A message that DELE has marked cannot be had any more in that session. " +
			"It is there again after RSET, and after a session that ended without QUIT; QUIT deletes it.",
		Needs: inMailbox,
		Steps: steps{
			script.HandIn("This message is to be deleted."),
			script.Arrived(),
			say("DELE ", script.Message).Pass("+OK"),
			noSuchMessage("RETR ", script.Message), noSuchMessage("LIST ", script.Message),
			noSuchMessage("TOP ", script.Message, " 0"), noSuchMessage("UIDL ", script.Message),
			noSuchMessage("DELE ", script.Message),
			hangUp(),
			script.Enter(logIn().Must(in)), script.LookForMessage(),
			check(stillThere("the session ended without QUIT")),
			say("DELE ", script.Message).Must("+OK"),
			say("RSET").Pass("+OK"),
			say("RETR ", script.Message).Listing().Pass("+OK").Fail("-ERR").Because("RSET unmarks it"),
			say("QUIT").Must("+OK"),
			script.Enter(logIn().Must(in)), script.LookForMessage(),
			check(stillThere("RSET had unmarked it")),
			say("DELE ", script.Message).Must("+OK"),
			say("QUIT").Pass("+OK"),
			script.Enter(logIn().Must(in)), script.LookForMessage(),
			check(func(p *script.Play) (login.Verdict, string) {
				if p.Message() != "" {
					return login.Fail, "the message is still there after DELE and QUIT"
				}
				return login.Pass, ""
			}),
			say("QUIT").Must("+OK"),
		},
		Sabotage: bug("deleted-at-once"),
	},
)

// dottedLines are lines that a dot can spoil.
var dottedLines = []string{"The next lines begin with dots.", ".", "..", ".x", "...", "The last one did."}

func noSuchMessage(parts ...any) script.Step {
	return say(parts...).Pass("-ERR").Fail("+OK").Because("no message has that number")
}

func stillThere(why string) func(*script.Play) (login.Verdict, string) {
	return func(p *script.Play) (login.Verdict, string) {
		if p.Message() == "" {
			return login.Fail, "the message is gone, and " + why
		}
		return login.Pass, ""
	}
}

var (
	// scanListing may be followed by a blank and more (RFC 1939 5).
	scanListing = regexp.MustCompile(`^(\d+) (\d+)( .*)?$`)
	// uniqueID is all of its line (RFC 1939 7).
	uniqueID = regexp.MustCompile(`^\d+ [!-~]{1,70}$`)
)

// pop3Listings compares LIST with STAT and looks at UIDL.
func pop3Listings(p *script.Play) (login.Verdict, string) {
	var octets uint64
	for i, line := range p.List("list lines") {
		found := scanListing.FindStringSubmatch(line)
		if found == nil {
			return login.Fail, fmt.Sprintf("LIST has the line %.40q", line)
		}
		if found[1] != strconv.Itoa(i+1) {
			return login.Fail, fmt.Sprintf("LIST calls the message in line %d %s, and nothing is deleted", i+1, found[1])
		}
		size, err := strconv.ParseUint(found[2], 10, 63)
		if err != nil {
			return login.Fail, "LIST has the size " + found[2]
		}
		octets += size
	}
	all := fmt.Sprintf("+OK %d %d", len(p.List("list lines")), octets)
	if stat := p.Value("stat"); stat != all && !strings.HasPrefix(stat, all+" ") {
		return login.Fail, fmt.Sprintf("STAT says %.40q, and LIST makes that %q", stat, all)
	}
	return pop3Identifiers(p)
}

// pop3Identifiers looks at UIDL, which a server may lack.
func pop3Identifiers(p *script.Play) (login.Verdict, string) {
	if strings.HasPrefix(p.Value("uidl"), "-ERR") {
		return login.Pass, ""
	}
	lines := p.List("uidl lines")
	if messages := len(p.List("list lines")); len(lines) != messages {
		return login.Fail, fmt.Sprintf("UIDL has %d lines for %d messages", len(lines), messages)
	}
	seen := map[string]bool{}
	for _, line := range lines {
		if !uniqueID.MatchString(line) {
			return login.Fail, fmt.Sprintf("UIDL has the line %.90q", line)
		}
		_, id, _ := strings.Cut(line, " ")
		if seen[id] { // RFC 1939 7 lets two copies of a message share one
			return login.Warn, "two messages have the identifier " + id
		}
		seen[id] = true
	}
	return login.Pass, ""
}

// samePOP3Identifiers: what was in the mailbox is there under the same identifiers.
// Mail may have come in since.
func samePOP3Identifiers(p *script.Play) (login.Verdict, string) {
	for _, line := range p.List("uidl lines") {
		if !slices.Contains(p.List("again lines"), line) {
			return login.Fail, fmt.Sprintf("%.90q is in the first session's UIDL and not in the second's", line)
		}
	}
	return login.Pass, ""
}
