package server

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// smtpFront is SMTP's dialect. Greeting, TLS, login and the small commands
// are its own; the commands of a mail transaction go to an engine, which is
// started at the first MAIL: who only logs in never touches it.
type smtpFront struct {
	*session
	hello    string // the client's name, "" before it gave one
	extended bool   // it said EHLO, so extensions may be used

	engine     *engineConn // nil until the first MAIL
	open       bool        // a mail transaction is open
	recipients int         // accepted ones in it
	envelope   envelope
}

func (f *smtpFront) greet() {
	if !f.greetsOtherwise() {
		greeting := f.server.greeting(login.SMTP)
		if f.server.bug(GreetingWrong) {
			greeting = "250" + greeting[3:]
		}
		f.reply(greeting)
	}
}

func (f *smtpFront) longest(verb string) int {
	switch verb {
	case "AUTH":
		if f.server.bug(ExchangeShort) {
			return longestPOP3
		}
		return longestAuth
	case "MAIL", "RCPT":
		if f.server.bug(ExchangeShort) {
			return longestPOP3
		}
		return longestEnvelope
	default:
		return longestSMTP
	}
}

func (f *smtpFront) command(verb, arg string) {
	arg = strings.TrimRight(arg, " ")
	switch verb {
	case "EHLO", "HELO":
		f.greeted(verb == "EHLO", arg)
	case "STARTTLS":
		// RFC 3207 4: an extension, so EHLO comes first (RFC 5321 4.1.4).
		if !f.extended && !f.encrypted && !f.server.anyOrder() {
			f.tell(sayOutOfOrder)
			return
		}
		f.startTLS(arg)
	case "AUTH":
		f.login(arg)
	case "MAIL", "RCPT", "DATA":
		f.transaction(verb, arg)
	case "RSET":
		f.withoutArgument(arg, func() { f.reset(); f.reply("250 2.0.0 reset") })
	case "QUIT":
		f.withoutArgument(arg, func() { f.reply("221 2.0.0 good bye"); f.over = !f.server.bug(QuitGoesOn) })
	case "NOOP":
		f.reply("250 2.0.0 done nothing")
	case "HELP":
		f.reply("214 2.0.0 RFC 5321, RFC 4954 and RFC 3207")
	case "VRFY":
		// RFC 5321 7.3: who exists is told to nobody, and nobody is told so.
		f.reply("252 2.5.0 send the mail and you will see")
	case "BDAT", "EXPN", "ETRN", "TURN", "SEND", "SOML", "SAML":
		f.reply("502 5.5.1 not implemented")
	default:
		f.unknown(verb)
	}
}

// withoutArgument obeys a command that has none (RFC 5321 4.1.1).
func (f *smtpFront) withoutArgument(arg string, do func()) {
	if arg != "" {
		f.reply("501 5.5.4 this command has no argument")
		return
	}
	do()
}

// greeted answers EHLO and HELO, which also end a mail transaction
// (RFC 5321 4.1.4).
func (f *smtpFront) greeted(extended bool, name string) {
	if extended && !f.server.answersEHLO() {
		f.mistake(sayUnknown)
		return
	}
	if name == "" || strings.Contains(name, " ") || !ascii(name) {
		f.reply("501 5.5.4 tell me your name, a domain or an address literal")
		return
	}
	f.reset()
	f.hello, f.extended = name, extended
	if !extended {
		f.reply("250 " + f.server.identity)
		return
	}
	lines := append([]string{f.server.identity}, f.extensions()...)
	for _, line := range lines[:len(lines)-1] {
		f.reply("250-" + line)
	}
	f.reply("250 " + lines[len(lines)-1])
}

// login obeys AUTH where it is in order.
func (f *smtpFront) login(arg string) {
	outOfOrder := ""
	switch {
	case !f.extended && !f.server.anyOrder():
		outOfOrder = "AUTH before EHLO" // RFC 4954 3: it is an extension
	case f.account != "" && !f.server.bug(SecondAuth):
		outOfOrder = "AUTH after a login" // RFC 4954 4
	case f.open && !f.server.bug(AuthInTransaction):
		outOfOrder = "AUTH in a mail transaction" // RFC 4954 4
	}
	if outOfOrder != "" {
		f.misplaced("AUTH", arg, outOfOrder)
		return
	}
	f.auth(arg)
}

// admit: there is nothing to open.
func (f *smtpFront) admit(string) error { return nil }

// forget: RFC 3207 4.2, what was said before TLS does not count.
func (f *smtpFront) forget() {
	f.leave()
	f.hello, f.extended = "", false
}

// reset ends a mail transaction.
func (f *smtpFront) reset() {
	if f.open {
		f.engine.exchange("RSET")
		f.open, f.recipients = false, 0
	}
}

// leave ends the engine.
func (f *smtpFront) leave() {
	if f.engine != nil {
		f.engine.hangUp()
		f.engine = nil
	}
	f.open, f.recipients = false, 0
}
