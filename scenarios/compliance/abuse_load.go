package compliance

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// tooBusy refuses a right password for what others do.
var tooBusy = orAnswers(answers("AUTH", "235", "535 5.7.8 too busy"), "AUTH", "+OK", "-ERR too busy")

// somebody can log in, where what is tried on others is over.
var somebody = needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.SCRAMSHA256, login.CRAMMD5), AnyMechanism: true, Account: true}

var _ = register(
	script.Case{
		ID: "abuse/time/002", Title: "Slow client in command and AUTH response", Since: "2026.1",
		Level: practice, Refs: refs("RFC 5321 4.5.3.2", "Postfix smtpd_per_request_deadline"),
		Says: "A client that sends octet by octet is understood, or sent away with a word or without. " +
			"Eight that have stopped in the middle of a line keep nobody else from logging in.",
		Needs: somebody,
		Steps: steps{
			script.Crowd(8, open(), octets("NO").Unread()),
			script.Served(),
			logIn().Pass(in),
			open(),
			perProtocol(script.Slowly(say("NOOP").Pass("250", "421", gone)), script.Slowly(say("CAPA").Listing().Pass(ok, refused, gone))),
			open(),
			begin().Must(script.Solicited),
			script.Slowly(say("*").Pass(refused, "421", gone)),
		},
		Sabotage: tooBusy,
	},
	script.Case{
		ID: "abuse/conn/001", Title: "Many half-open logins from one address", Since: "2026.1",
		Level: practice, Refs: refs("MS-OXSMTP 1.3", "Dovecot mail_max_userip_connections", "RFC 4732 2.1"),
		Says: "Fifty connections that stopped in the middle of a login keep nobody else from logging in: " +
			"they are held, or so many of one address are not let in.",
		Needs: somebody,
		Steps: steps{
			script.Crowd(50, open(), begin().Must(script.Solicited)),
			script.Served(),
			logIn().Pass(in),
		},
		Sabotage: tooBusy,
	},
	script.Case{
		ID: "abuse/conn/002", Title: "Half-close", Since: "2026.1",
		Level: should, Refs: refs("RFC 9293 3.6", "RFC 8446 6.1"),
		Says: "A client that has nothing more to say closes its half of the connection, by FIN or by close_notify inside TLS. " +
			"The server answers what came before, or does not, and closes its own half: it does not wait for more.",
		Steps: steps{
			script.OnEachLink(
				open(),
				perProtocol(octets("NOOP\r\n").Unread(), octets("CAPA\r\n").Unread()),
				script.HalfClose(),
				perProtocol(answer().Pass(ok, "421", gone), answer().Listing().Pass(ok, refused, gone)),
				serverEndsIt,
			),
			open(),
			say("AUTH PLAIN").Must(refused, asked),
			script.HalfClose(),
			serverEndsIt,
		},
		Sabotage: orAnswers(answers("NOOP", "250", "334 "), "CAPA", "+OK", "+ "),
	},
	script.Case{
		ID: "abuse/data/001", Title: "Large and endless input before login", Since: "2026.1",
		Level: practice, Refs: refs("RFC 5321 4.5.3.1", "RFC 2449 4", "RFC 4954 4"),
		Says: "A line without end is given up before it has 16 MiB, or at least is refused when it ends after all, " +
			"as a command and as a message of an exchange; others are served.",
		Steps: steps{
			open(),
			endless,
			open(),
			say("AUTH PLAIN").Keep("exchange").Must(refused, asked),
			script.When(waitsForMessage, endless),
			script.Served(),
			alive(),
		},
		Sabotage: orAnswers(answers("NOOP", "250", "500 5.3.0 no memory"), "CAPA", "+OK", "+ "),
	},
)

// serverEndsIt, with a last word or without. After a FIN nothing can come any
// more, and who waits for it holds a connection for nobody; behind a close_notify
// TLS 1.3 leaves it to the server whether it goes on to speak (RFC 8446 6.1).
var serverEndsIt = script.Group(
	answer().Keep("last word").Pass(gone, refused, "421").Warn(silent).Because("it waits for a client that has nothing more to say"),
	script.When(func(p *script.Play) bool { return p.Value("last word") != "" }, answer().Pass(gone)),
)

// endless is a line of 16 MiB, if the server lets it grow so long.
var endless = script.Group(
	script.Pour(16<<20),
	octets("\r\n").Pass(refused, "421", gone),
	check(func(p *script.Play) (login.Verdict, string) {
		if p.Value("poured") == "all" {
			return login.Warn, "a line of 16 MiB was read to its end"
		}
		return login.Pass, ""
	}),
)

// waitsForMessage: AUTH was answered by a challenge.
func waitsForMessage(p *script.Play) bool {
	challenge := p.Value("exchange")
	return strings.HasPrefix(challenge, "334") || strings.HasPrefix(challenge, "+ ") || challenge == "+"
}
