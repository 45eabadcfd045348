package compliance

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// mailNeeds: a server that takes MAIL from strangers is asked as a stranger,
// another as somebody who has logged in.
var mailNeeds = needs{Offers: []string{"AUTH"}, Mechanisms: authMechanisms, AnyMechanism: true}

// submitter is a mailbox in xtext (RFC 3461 4) that is as long as a mailbox can
// reasonably be: with AUTH= it is 468 octets.
var submitter = script.Made("<long mailbox>", func(*script.Play) string {
	return strings.Repeat("+61", 60) + "@" + strings.Repeat("+62", 60) + "." + strings.Repeat("+63", 30) + ".example.com"
})

// The parameter AUTH of MAIL, and what is told of a login in the message.
var _ = register(
	script.Case{
		ID: "smtp/auth/028", Title: "MAIL AUTH=<> is accepted even unauthenticated", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 5"),
		Says: "A server that offers AUTH knows the parameter AUTH of MAIL, whoever sends it. " +
			"That of an unknown submitter is as good as none.",
		Needs: mailNeeds,
		Steps: steps{
			mailing(),
			say("MAIL FROM:<", from, "> AUTH=<>").Pass("250"),
			say("RSET").Must(ok),
		},
		Sabotage: answers("MAIL", "250", "555 5.5.4 unknown parameter"),
	},
	script.Case{
		ID: "smtp/auth/029", Title: "MAIL AUTH= xtext is parsed", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 5", "RFC 4954 8", "RFC 3461 4"),
		Says: "The parameter AUTH of MAIL is a mailbox in xtext. A server that believes nobody reads it all the same: " +
			"one that is well formed is taken, and one that is not should be refused as a syntax error.",
		Needs: mailNeeds,
		Steps: steps{
			mailing(),
			say("MAIL FROM:<", from, "> AUTH=e+3Dmc2@example.com").Pass("250"),
			say("RSET").Must(ok),
			say("MAIL FROM:<", from, "> AUTH=a+zz@example.com").Pass("501").Warn(refused).
				Warn("250").Because("a plus sign without two digits behind it is no xtext"),
			say("RSET").Must(ok),
		},
		Sabotage: answers("MAIL", "250", "501 5.5.4 malformed parameter"),
	},
	script.Case{
		ID: "smtp/auth/030", Title: "MAIL AUTH= cannot smuggle line breaks", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 8", "CVE-2020-28021"),
		Says: "A parameter AUTH that decodes to a line break or a NUL is no mailbox. It is refused, " +
			"and nothing of it is ever read as a line of its own.",
		Needs: mailNeeds,
		Steps: steps{
			mailing(),
			notAMailbox("a+0A+00b@example.com"),
			say("RSET").Must(ok),
			notAMailbox("a+0D+0ANOOP+0D+0Ab@example.com"),
			say("QUIT").Pass("221").Fail("2", "5").Because("an answer too many: what was decoded was read as a line"),
		},
		Sabotage: answers("QUIT", "221", "250 2.0.0 done nothing"),
	},
	script.Case{
		ID: "smtp/auth/031", Title: "MAIL line may be 500 longer", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 3", "RFC 5321 4.5.3.1.4"),
		Says:  "Where AUTH is offered a MAIL command may have 500 octets more than others, and is not too long with them.",
		Needs: mailNeeds,
		Steps: steps{
			mailing(),
			say("MAIL FROM:<", from, "> AUTH=", submitter).Pass("250").
				Fail("500").Because("the line is shorter than it may be").Warn(refused),
			alive(),
		},
		Sabotage: answers("MAIL", "250", "500 5.5.2 line too long"),
	},
	script.Case{
		ID: "smtp/auth/040", Title: "Trace records the login, not the secret", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 7", "RFC 3848", "RFC 8314 4.3"),
		Says: "The Received field of a message that somebody handed in after a login says with ESMTPA, and with ESMTPSA inside TLS. " +
			"The password is nowhere in the message, in whatever encoding.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("MAIL FROM:<", from, ">").Must("250"),
			say("RCPT TO:<", local, ">").Must("250", "251"),
			say("DATA").Must("354"),
			octets("Date: ", today, "\r\nFrom: <", from, ">\r\nTo: <", local, ">\r\nSubject: mailmatrix ", random,
				"\r\n\r\nsmtp/auth/040\r\n.\r\n").Must("250"),
			fetch("message", random),
			check(authTrace),
		},
		Sabotage: answers("RETR", "\tby", "\tby mail.example.test with ESMTP;"),
	},
)

// today is the date as a message has it (RFC 5322 3.3).
var today = script.Made("<date>", func(p *script.Play) string { return p.Now().Format(time.RFC1123Z) })

// notAMailbox is MAIL with a parameter that is no mailbox.
func notAMailbox(xtext string) script.Step {
	return say("MAIL FROM:<", from, "> AUTH="+xtext).Pass("501").Warn(refused).Warn("250").Because("it is no mailbox")
}

// receivedWith finds the protocol of a Received field (RFC 5321 4.4, RFC 3848).
var receivedWith = regexp.MustCompile(`(?i)^Received:.*\swith\s+([A-Z0-9]+)`)

// authTrace judges the message as it came out of the mailbox.
func authTrace(p *script.Play) (login.Verdict, string) {
	lines := p.List("message lines")
	if len(wire.NewSearcher(wire.Needle{Name: "password", Text: p.Secrets.Password}).Find([]byte(strings.Join(lines, "\n")))) > 0 {
		return login.Fail, "the password stands in the message"
	}
	right, said := "ESMTPA", []string{}
	if p.Transport().Encrypted() {
		right = "ESMTPSA"
	}
	for _, field := range headerFields(lines) {
		found := receivedWith.FindStringSubmatch(field)
		if found == nil {
			continue
		}
		// RFC 6531 4.3: so they are called where addresses may be in UTF-8.
		switch name := strings.ToUpper(found[1]); strings.Replace(name, "UTF8SMTP", "ESMTP", 1) {
		case right:
			return login.Pass, ""
		case "ESMTPA", "ESMTPSA":
			return login.Warn, fmt.Sprintf("a message over %s came with %s, not %s", p.Transport(), name, right)
		default:
			said = append(said, name)
		}
	}
	return login.Fail, fmt.Sprintf("no Received field tells of the login: they say with %q, not %s", said, right)
}

// headerFields are the fields of a message's header, each in one line (RFC 5322
// 2.2.3).
func headerFields(lines []string) []string {
	var fields []string
	for _, line := range lines {
		switch {
		case line == "":
			return fields
		case (line[0] == ' ' || line[0] == '\t') && len(fields) > 0:
			fields[len(fields)-1] += line
		default:
			fields = append(fields, line)
		}
	}
	return fields
}
