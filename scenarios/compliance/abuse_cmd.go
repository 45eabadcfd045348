package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

var _ = register(
	script.Case{
		ID: "abuse/cmd/001", Title: "Unknown-command limit", Since: "2026.1",
		Level: practice, Refs: refs("Postfix smtpd_hard_error_limit", "Exim smtp_max_unknown_commands", "RFC 5321 4.3.2"),
		Says: "Who sends nothing but nonsense is refused each time and sent away before long: 60 commands are enough to know him.",
		Steps: steps{
			open(),
			script.Again(60, say("XJUNK-", random).Pass(refused, "421", gone)),
			check(func(p *script.Play) (login.Verdict, string) {
				if stillOpen(p) {
					return login.Warn, "60 commands that are none did not end the connection"
				}
				return login.Pass, ""
			}),
		},
		Sabotage: answers("XJUNK", "", "250 2.0.0 as you like"),
	},
	script.Case{
		ID: "abuse/cmd/002", Title: "NOOP/RSET/EHLO/CAPA floods", Since: "2026.1",
		Level: practice, Refs: refs("RFC 2920 3.2", "RFC 2449 6.6", "Postfix smtpd_junk_command_limit"),
		Says: "Two hundred commands in one piece are all answered, no more and no fewer, or the server ends the connection; " +
			"it keeps serving others.",
		Needs: needs{Offers: []string{"PIPELINING"}},
		Steps: steps{
			open(),
			perProtocol(
				script.Burst(200, say("RSET").Pass("250", "421", gone)),
				script.Burst(200, say("CAPA").Listing().Pass(ok, refused, gone)),
			),
			script.When(stillOpen, perProtocol(nextIsQuit(oneEach), say("QUIT").Pass(ok, gone).Fail(refused).Because(oneEach))),
			script.Served(), alive(),
		},
		Sabotage: orAnswers(answers("RSET", "250", "500 5.5.1 unknown command"), "CAPA", "+OK", "+ "),
	},
	script.Case{
		ID: "abuse/cmd/003", Title: "Commands while waiting for a continuation", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 5034 4"),
		Says: "A line that comes where an exchange waits for the client's message is that message, whatever it looks like: " +
			"it is no command, and has one answer.",
		Needs: needs{Mechanisms: only(login.LOGIN, login.PLAIN, login.CRAMMD5), AnyMechanism: true},
		Steps: steps{
			perProtocol(
				script.Each([]string{"RSET", "NOOP", "EHLO x", "MAIL FROM:<>", "STARTTLS"}, whileAsked),
				script.Each([]string{"CAPA", "AUTH", "STLS"}, whileAsked),
			),
			open(),
			begin().Must(asked),
			say("QUIT").Pass(refused, asked).Warn(ok).Because("the line was obeyed").Fail(gone),
		},
		Sabotage: script.Sabotage{Rewrites: []script.Rewrite{
			{After: "NOOP", To: "250 2.0.0 done nothing"}, {After: "CAPA", To: "+OK"}}},
	},
)

// stillOpen: the server has not hung up on a load.
func stillOpen(p *script.Play) bool { return p.Talk() != nil }

const oneEach = "there are more answers than commands"

// whileAsked sends a command in place of the message that an exchange waits
// for.
func whileAsked(command string) []script.Step {
	return steps{
		open(),
		begin().Must(asked),
		say(command).Pass(refused, asked).Fail(ok).Because("the line was obeyed").Fail(gone),
	}
}
