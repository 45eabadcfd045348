package server

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// pop3 is POP3's dialect. This file is its AUTHORIZATION state.
type pop3 struct {
	*session

	apop *attempt // made for the greeting's timestamp; nil where none was shown
	user *attempt // begun by USER, until the next command
	// afterUser: the last command was USER, refused or not.
	afterUser bool

	mailbox string    // the open mailbox; "" before the login
	mail    []*stored // what was in it at the login
	deleted []bool
}

// greet shows the timestamp of APOP exactly where APOP will be accepted; as
// the greeting comes before STLS, that is also where TLS is still to come.
func (p *pop3) greet() {
	if p.greetsOtherwise() {
		return
	}
	greeting := p.server.greeting(login.POP3)
	if p.showsTimestamp() {
		p.apop = p.newAttempt(mech.APOP)
		timestamp, _, err := p.apop.half.Next(nil)
		if err != nil {
			p.end(sayTrouble)
			return
		}
		greeting += " " + p.server.timestamp(timestamp)
	}
	if p.server.bug(GreetingWrong) {
		greeting += strings.Repeat(" welcome", longestSMTP/len(" welcome"))
	}
	p.reply(greeting)
}

func (p *pop3) showsTimestamp() bool {
	link := p.link()
	if p.offersTLS() {
		link.transport = login.StartTLS
	}
	if p.server.bug(PermittedNotOffered) {
		return false
	}
	return p.server.lists(login.POP3, login.APOP, link)
}

func (p *pop3) longest(string) int { return longestPOP3 }

func (p *pop3) command(verb, arg string) {
	if !ascii(arg) { // RFC 1939 3: arguments are printable ASCII
		p.misspelt(verb, arg, sayBadLine)
		return
	}
	user, afterUser := p.user, p.afterUser
	if !p.server.bug(OrderIgnored) {
		p.user = nil
	}
	p.afterUser = verb == "USER" // RFC 1939 7: PASS comes right behind USER
	if verb == "PASS" && afterUser && user == nil {
		// USER was refused, and recorded. Who pipelines (RFC 2449 6.6) sends the
		// rest of the attempt all the same: it is no second one.
		p.tell(sayOutOfOrder)
		return
	}
	switch verb {
	case "CAPA":
		p.capabilities(arg)
	case "QUIT":
		p.quit(arg)
	case "USER", "PASS", "APOP", "AUTH", "STLS":
		// RFC 1939 7, RFC 5034 4, RFC 2595 4: before the login only.
		if p.mailbox != "" && !p.server.bug(SecondAuth) && !(p.server.bug(TLSAgain) && verb == "STLS") {
			p.misplaced(verb, arg, verb+" after a login")
			return
		}
		p.authorization(verb, arg, user)
	case "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL":
		if p.mailbox == "" && !p.server.bug(OrderIgnored) {
			p.tell(sayOutOfOrder)
			return
		}
		p.transaction(verb, strings.TrimRight(arg, " "))
	default:
		p.unknown(verb)
	}
}

func (p *pop3) authorization(verb, arg string, user *attempt) {
	switch verb {
	case "USER":
		p.startUser(arg)
	case "PASS":
		p.pass(user, arg)
	case "APOP":
		p.digest(arg)
	case "STLS":
		p.startTLS(strings.TrimRight(arg, " "))
	case "AUTH":
		if strings.TrimRight(arg, " ") == "" {
			p.list()
			return
		}
		p.auth(arg)
	}
}

// startUser takes a name, known or not, if policy and database let it.
func (p *pop3) startUser(name string) {
	decided := p.server.decide(login.POP3, login.UserPass, p.link())
	if !decided.permitted && !p.server.bug(PolicyAtTheEnd) {
		p.refuseCommand(login.Record{Mechanism: login.UserPass, Refusal: decided.refusal, Reason: decided.reason})
		return
	}
	if name == "" || strings.Contains(name, " ") {
		p.refuse(login.Record{Mechanism: login.UserPass, Refusal: login.BySyntax, Reason: "USER has one argument"}, sayNoArgument)
		return
	}
	if _, known := p.server.accounts.find(name); !known && p.server.bug(UnknownTold) {
		p.tell(sayNoSuchUser)
		return
	}
	a := p.newAttempt(mech.UserPass)
	if _, _, err := a.half.Next([]byte(name)); err != nil {
		p.conclude(a, err)
		return
	}
	p.user = a
	p.reply("+OK and the password?")
}

// pass takes the rest of the line for the password, blanks included
// (RFC 1939 7).
func (p *pop3) pass(user *attempt, password string) {
	if user == nil {
		p.misplaced("PASS", password, "PASS without USER")
		return
	}
	if decided := p.server.decide(login.POP3, login.UserPass, p.link()); !decided.permitted {
		// Only a mutant lets USER pass in such a case.
		p.refuse(login.Record{Mechanism: login.UserPass, Refusal: decided.refusal, Reason: decided.reason}, sayNotPermitted)
		return
	}
	_, _, err := user.half.Next([]byte(password))
	p.conclude(user, err)
}

// digest obeys APOP (RFC 1939 7).
func (p *pop3) digest(arg string) {
	decided := p.server.decide(login.POP3, login.APOP, p.link())
	if !decided.permitted {
		p.refuseCommand(login.Record{Mechanism: login.APOP, Refusal: decided.refusal, Reason: decided.reason})
		return
	}
	if p.apop == nil { // permitted, and yet no timestamp was shown: a mutant
		p.misplaced("APOP", arg, "APOP without a timestamp")
		return
	}
	_, _, err := p.apop.half.Next([]byte(arg))
	p.conclude(p.apop, err)
}

// list is the bare AUTH that Outlook asks (MS-OXPOP3 1.7): one mechanism in
// each line.
func (p *pop3) list() {
	if !p.server.answersBareAuth() {
		p.mistake(sayUnknown)
		return
	}
	p.reply("+OK")
	for _, m := range p.server.bareList(p.listedLink()) {
		p.reply(string(m))
	}
	p.reply(".")
}

// capabilities obeys CAPA (RFC 2449 5).
func (p *pop3) capabilities(arg string) {
	switch {
	case !p.server.answersCAPA():
		p.mistake(sayUnknown)
		return
	case strings.TrimRight(arg, " ") != "":
		p.tell(sayTooManyArguments)
		return
	}
	p.reply("+OK")
	for _, line := range p.extensions() {
		p.reply(line)
	}
	p.reply(".")
}

// admit locks the account's mailbox: RFC 1939 4, a login that cannot have it
// is refused.
func (p *pop3) admit(account string) error {
	if p.anonymous { // nobody has no mail, and there may be many of him
		p.mailbox = account
		return nil
	}
	mail, err := p.server.mail.open(account, p.server.sharesMailboxes())
	if err != nil {
		return err
	}
	p.mailbox, p.mail, p.deleted = account, mail, make([]bool, len(mail))
	return nil
}

// forget: RFC 2595 4, what was said before TLS does not count. The timestamp
// stays: there is no second greeting.
func (p *pop3) forget() { p.user = nil }

// leave unlocks the mailbox. Messages stay: only QUIT deletes.
func (p *pop3) leave() {
	if p.mailbox != "" && !p.anonymous {
		p.server.mail.release(p.mailbox)
	}
	p.mailbox = ""
}
