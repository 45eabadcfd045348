package compliance

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What POP3 says and takes before anybody is logged in.
var _ = register(
	script.Case{
		ID: "pop3/base/001", Title: "Greeting", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 4", "RFC 2449 3", "RFC 2449 4"),
		Says: "Whoever connects is greeted with one line that begins with +OK and has 512 octets at most, its end included.",
		Steps: steps{
			script.OnEachLink(
				connect(), script.Covered(),
				answer().Keep("line").Pass("+OK").NA("-ERR"),
				check(pop3Lines),
				say("QUIT").Pass("+OK"), // the greeting had no second line
			),
		},
		Sabotage: answers("greeting", "+OK", "+ok ready"),
	},
	script.Case{
		ID: "pop3/base/002", Title: "Status words are upper case, lines at most 512 octets, CR LF", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 2449 3", "RFC 2449 4"),
		Says: "Every answer begins with +OK or -ERR in capitals, its first line has 512 octets at most, and every line ends in CR LF.",
		Steps: steps{
			script.OnEachLink(
				open(),
				say("CAPA").Listing().Keep("line").Pass("+OK", "-ERR"),
				say("USER ", decoyName).Keep("line").Pass("+OK", "-ERR"),
				say("XYZZY").Keep("line").Pass("-ERR"),
				say("QUIT").Keep("line").Pass("+OK"),
				check(pop3Lines),
			),
		},
		Sabotage: answers("XYZZY", "-ERR", "-err unknown command"),
	},
	script.Case{
		ID: "pop3/base/009", Title: "Empty and odd arguments", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 3", "RFC 1939 7", "RFC 2449 4"),
		Says: "USER without a name is refused; with a name as long as a command may be it is answered, one way or the other, " +
			"and so is one that is far too long. The session goes on.",
		Needs: needs{Mechanisms: only(login.UserPass)},
		Steps: steps{
			open(),
			say("USER").Pass("-ERR").Warn("+OK"),
			say("USER ", times(248, "a")).Pass("+OK", "-ERR"), // 255 octets with CR LF
			alive(),
			open(),
			say("USER ").Pass("-ERR").Warn("+OK"),
			say("USER ", times(512, "a")).Pass("-ERR", "+OK"),
			alive(),
		},
		Sabotage: answers("USER AAA", "+OK", "+ "),
	},
	script.Case{
		ID: "pop3/base/017", Title: "QUIT before login", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 1939 4"),
		Says: "QUIT is granted to who has not logged in; then the server ends the connection.",
		Steps: steps{
			open(),
			say("QUIT").Pass("+OK").Fail("-ERR"),
			answer().Pass(gone),
		},
		Sabotage: answers("QUIT", "+OK", "-ERR log in first"),
	},
	script.Case{
		ID: "pop3/base/018", Title: "An over-long command is one error", Since: "2026.1",
		Level: must, Refs: refs("RFC 2449 4", "RFC 1939 3"),
		Says: "A server with CAPA takes commands of 255 octets. A longer one is obeyed or refused as a whole: " +
			"it has one answer, and its tail is never a command of its own.",
		Steps: steps{
			open(),
			say("USER ", times(200, "a")).Pass("+OK", "-ERR"),
			// The end of the line is a command, for a server that cuts lines
			// where a buffer of its own is full.
			script.Each([]int{256, 512, 1024, 4096, 8192, 65536}, func(n int) []script.Step {
				return steps{
					open(),
					octets(times(n, "X"), "CAPA\r\n").Pass("-ERR", gone).Fail("+OK").Because("the tail of the line was obeyed"),
					say("QUIT").Pass("+OK", gone).Fail("-ERR").Because("the line was answered twice"),
					answer().Pass(gone).Fail("+OK", "-ERR").Because("the line was answered twice"),
				}
			}),
		},
		Sabotage: answers("QUIT", "+OK", "-ERR unknown command"),
	},
	script.Case{
		ID: "pop3/base/019", Title: "NUL and 8-bit octets in arguments", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 3", "RFC 6856 2.2"),
		Says:  "A name with a NUL in it, or with octets that are no UTF-8, is refused; what stands before the NUL is never taken for the name.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			open(),
			say("USER ", user, "\x00x").Pass("-ERR").Warn("+OK"),
			say("PASS ", password).Pass("-ERR", gone).Fail("+OK").Because("the name ended at the NUL"),
			open(),
			say("USER \xff\xfe").Pass("-ERR").Warn("+OK"),
			alive(),
		},
		Sabotage: answers("PASS", "-ERR", "+OK welcome"),
	},
)

// pop3Status is the beginning of an answer (RFC 2449 3).
var pop3Status = regexp.MustCompile(`^(\+OK|-ERR)( |$)`)

// pop3Lines looks at the lines kept as "line", and at how the lines of a
// clear connection end.
func pop3Lines(p *script.Play) (login.Verdict, string) {
	lines := p.List("line")
	if greeting := p.Talk().Greeting; greeting != "" {
		lines = append(slices.Clone(lines), greeting)
	}
	for _, line := range lines {
		switch {
		case !pop3Status.MatchString(line):
			return login.Fail, fmt.Sprintf("%.40q begins with neither +OK nor -ERR", line)
		case len(line) > 510:
			return login.Fail, fmt.Sprintf("%.40q... has %d octets and its end", line, len(line))
		}
	}
	if p.Transport() != login.Plain {
		return login.Pass, ""
	}
	for line := range bytes.Lines(p.Wire()) {
		if !bytes.HasSuffix(line, []byte("\r\n")) {
			return login.Fail, fmt.Sprintf("%.40q does not end in CR LF", line)
		}
	}
	return login.Pass, ""
}
