package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/emersion/go-smtp"
)

// envelope is what a transaction has collected.
type envelope struct {
	from    string
	to      []string // as written, of all recipients
	local   []string // mailboxes
	foreign []string // addresses elsewhere
	// malformed: the message had a line that is none (a bare CR or LF, a NUL).
	malformed bool
}

// transaction obeys MAIL, RCPT and DATA.
func (f *smtpFront) transaction(verb, arg string) {
	if f.server.bug(OrderIgnored) && verb != "MAIL" && !f.open {
		f.reply(map[string]string{"RCPT": "250 2.1.5 taken", "DATA": "354 go on"}[verb])
		return
	}
	switch {
	case f.hello == "", // RFC 5321 4.1.4: EHLO or HELO first
		verb == "MAIL" && f.open, // and no transaction inside another
		verb != "MAIL" && !f.open,
		verb == "DATA" && f.recipients == 0:
		f.tell(sayOutOfOrder)
		return
	case verb == "MAIL" && f.demandsLogin():
		f.tell(sayLoginFirst)
		return
	case verb == "MAIL" && f.server.bug(MailRefused) && (strings.Contains(arg, "AUTH=") || strings.Contains(arg, "<>")):
		f.reply("555 5.5.4 not that")
		return
	case verb == "MAIL" && f.obeysText(arg):
		return
	case !ascii(arg): // RFC 6531 is not offered
		f.reply("501 5.5.2 addresses are ASCII here")
		return
	}
	if f.engine == nil {
		f.engine = f.server.engine.connect(f)
	}
	if verb == "RCPT" {
		arg = qualifyPostmaster(arg, f.server.domain())
	}
	said := f.engine.exchange(strings.TrimRight(verb+" "+arg, " "))
	if said == "" { // go-smtp gave up; it does so after an accident only
		f.reply("421 4.3.0 trouble of our own, good bye")
		f.over = true
		return
	}
	f.reply(correct(said))
	switch {
	case verb == "MAIL" && said[0] == '2':
		f.open = true
	case verb == "RCPT" && said[0] == '2':
		f.recipients++
	case verb == "DATA" && said[0] == '3':
		f.contents()
	}
}

// qualifyPostmaster gives the one address that needs no domain (RFC 5321
// 4.1.1.3) the domain that go-smtp's grammar wants.
func qualifyPostmaster(arg, domain string) string {
	const bare = "TO:<postmaster>"
	if len(arg) >= len(bare) && strings.EqualFold(arg[:len(bare)], bare) {
		return arg[:len(bare)-1] + "@" + domain + arg[len(bare)-1:]
	}
	return arg
}

// correct puts right the codes that go-smtp gets wrong.
func correct(said string) string {
	switch {
	// RFC 5321 4.1.1.11: a parameter that nobody knows.
	case strings.HasPrefix(said, "500 5.5.4 Unknown"):
		return "555" + said[3:]
	// RFC 5321 4.2.2: 500 is for commands, 501 for their parameters.
	case strings.HasPrefix(said, "500 5.5.4"):
		return "501" + said[3:]
	}
	return said
}

// contents hands the message to go-smtp, line by line, until CR LF . CR LF,
// which is recognised here: what follows may be a command of ours.
func (f *smtpFront) contents() {
	f.envelope.malformed = false
	lineStart := true // the line before ended in CR LF
	for before := f.octets; ; {
		line, err := f.readLine(longestText)
		switch {
		case err == nil && lineStart && string(line) == ".":
			f.reply(correct(f.engine.exchange(".")))
			f.open, f.recipients = false, 0
			return
		case f.octets-before > 2*f.server.limits.MessageSize: // and it goes on and on
			f.reply("552 5.3.4 far too much, good bye")
			f.over = true
			return
		case err == nil:
			lineStart = true
			if !f.envelope.malformed { // go-smtp would see other lines than we do
				f.engine.feed(line[:len(line)+2]) // its CR LF stands behind it
			}
		case errors.Is(err, errBareLF):
			// RFC 5321 2.3.8, 4.1.1.4: LF alone ends neither a line nor a
			// message. The message is refused when its real end comes.
			lineStart, f.envelope.malformed = false, true
		case errors.Is(err, errControl), errors.Is(err, errTooLong):
			lineStart, f.envelope.malformed = true, true
		default:
			f.lost(err)
			return
		}
	}
}

// engineSession answers go-smtp's questions. go-smtp asks while the front
// waits, so both may use the front's fields.
type engineSession struct{ front *smtpFront }

func (e *engineSession) Reset()        {}
func (e *engineSession) Logout() error { return nil }

func (e *engineSession) Mail(from string, options *smtp.MailOptions) error {
	// RFC 4954 8: AUTH= decodes to a mailbox, and no mailbox has control
	// characters in it (RFC 5321 4.1.2): line breaks that come in so would come
	// out in somebody's log or queue file.
	if options.Auth != nil && strings.ContainsFunc(*options.Auth, unicode.IsControl) {
		return refusal(501, 5, 4, "the parameter AUTH is no mailbox")
	}
	e.front.envelope = envelope{from: from}
	return nil
}

// Rcpt decides whether the session may send there (rule 6).
func (e *engineSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	f := e.front
	name, domain := cutAddress(to)
	if !f.server.accounts.local(domain) {
		if err := f.mayRelay(domain); err != nil {
			return err
		}
		f.envelope.foreign = append(f.envelope.foreign, to)
		f.envelope.to = append(f.envelope.to, to)
		return nil
	}
	mailbox := "postmaster" // RFC 5321 4.5.1: is always there
	if !strings.EqualFold(name, mailbox) {
		account, ok := f.server.accounts.find(name)
		if !ok {
			account, ok = f.server.accounts.find(to)
		}
		if !ok {
			return refusal(550, 1, 1, "no such user")
		}
		mailbox = account.Name
	}
	f.envelope.local = append(f.envelope.local, mailbox)
	f.envelope.to = append(f.envelope.to, to)
	return nil
}

func cutAddress(address string) (name, domain string) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return address[:at], address[at+1:]
}

// trusted is rule 6: a login that says who somebody is, an assumption, or a
// trusted interface.
func (f *smtpFront) trusted() bool {
	t := f.server.trust
	return f.account != "" && !f.anonymous || t.assumed(f.raw.RemoteAddr()) != "" || t.trustedInterface(f.raw.LocalAddr())
}

// sender is the account that the client acts for, if any.
func (f *smtpFront) sender() string {
	if f.account != "" && !f.anonymous {
		return f.account
	}
	return f.server.trust.assumed(f.raw.RemoteAddr())
}

func (f *smtpFront) mayRelay(domain string) error {
	if !f.trusted() && !f.server.bug(OpenRelay) {
		if f.server.trust.demandAuth {
			return refusal(530, 7, 0, "log in first")
		}
		return refusal(550, 7, 1, "relaying is for trusted clients")
	}
	// RFC 6409 4.2: what leaves has a whole domain.
	if !strings.Contains(domain, ".") && !strings.HasPrefix(domain, "[") {
		return refusal(550, 1, 2, "that is not a whole domain")
	}
	return nil
}

func refusal(code, subject, detail int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, subject, detail}, Message: text}
}

// Data takes the message in.
func (e *engineSession) Data(r io.Reader) error {
	f := e.front
	data, err := io.ReadAll(r)
	switch {
	case errors.Is(err, smtp.ErrDataTooLarge):
		return smtp.ErrDataTooLarge
	case err != nil:
		return refusal(451, 3, 0, "trouble of our own")
	case f.envelope.malformed:
		return refusal(550, 6, 0, "a message has no bare CR, bare LF or NUL")
	}
	now := f.server.clock.Now()
	data = append(f.trace(now), data...)
	if len(f.envelope.local) > 0 {
		// RFC 5321 4.4: final delivery says where complaints go.
		delivered := append([]byte("Return-Path: <"+f.envelope.from+">\r\n"), data...)
		if err := f.server.mail.deliver(f.envelope.local, f.server.epoch, delivered); err != nil {
			return refusal(452, 2, 2, "a mailbox is full")
		}
	}
	if len(f.envelope.foreign) > 0 {
		f.server.mail.relay(Message{From: f.envelope.from, To: f.envelope.foreign,
			Account: f.sender(), Encrypted: f.encrypted, Data: data})
	}
	f.event("message")
	return nil
}

// trace is what RFC 5321 4.4 puts in front of a message: where it came from.
// RFC 3848: the last letters of the protocol tell of TLS and login.
func (f *smtpFront) trace(now time.Time) []byte {
	with, suite := "SMTP", ""
	if f.extended {
		with = "ESMTP"
		if t, ok := f.conn.(*tls.Conn); ok {
			with += "S"
			suite = " tls " + tls.CipherSuiteName(t.ConnectionState().CipherSuite) // RFC 8314 4.3
		}
		if f.account != "" {
			with += "A"
		}
	}
	peer := "unknown"
	if addr := addrOf(f.raw.RemoteAddr()); addr.IsValid() {
		peer = "[" + addr.String() + "]"
		if addr.Is6() {
			peer = "[IPv6:" + addr.String() + "]"
		}
	}
	return fmt.Appendf(nil, "Received: from %s (%s)\r\n\tby %s with %s%s;\r\n\t%s\r\n",
		printableName(f.hello), peer, f.server.identity, with, suite, now.Format(time.RFC1123Z))
}

// printableName keeps what the client calls itself from breaking the field.
func printableName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("()<>,;\\\"", r) {
			return '?'
		}
		return r
	}, name)
}
