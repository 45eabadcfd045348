package clientsim

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// pop3 is the dialect of RFC 1939.
type pop3 struct{ *session }

func (p pop3) greet() (answer, error) {
	reply, err := p.conn.ReadPOP3()
	if err != nil {
		return answer{}, err
	}
	if stamp := wire.Timestamp(reply.Text); stamp != "" {
		if !p.lists().Timestamp.or(stampMsgID).takes(stamp) {
			return ofPOP3(reply), nil
		}
		p.offer.timestamp = []byte(stamp)
		p.conn.Reshow(strings.Replace(reply.Line, stamp, "<challenge>", 1))
	}
	return ofPOP3(reply), nil
}

// lists is what the file says of them.
func (p pop3) lists() *listsSheet {
	if p.sheet.Lists == nil {
		return &listsSheet{}
	}
	return p.sheet.Lists
}

// discover asks for CAPA and for the bare list. In clear before STLS the list
// that takes a login alone is not asked for: it would be asked for again.
func (p pop3) discover() error {
	asks := p.asksCAPA()
	if asks {
		lines, ok, err := p.list("CAPA")
		if err != nil {
			return err
		}
		stamp := p.offer.timestamp
		p.offer = p.lists().parseCAPA(lines)
		p.offer.timestamp, p.offer.capa = stamp, ok
		if then := p.lists().CAPARefused.or(carryingOn); !ok && then != carryingOn {
			p.noCAPA = true
			return &ending{login.NotOffered, "CAPA is refused", then}
		}
	}
	bare := p.lists().Bare
	switch {
	case bare == nil && p.looks(lookAuthList) && (p.Transport != login.StartTLS || p.conn.Encrypted()),
		bare != nil && bare.Value == askAlways:
		return p.bareList(func(names []login.Mechanism) { p.offer.list = names })
	case bare != nil && bare.Value == askIfNoCAPA && (asks || p.noCAPA) && !p.offer.capa:
		return p.bareList(func(names []login.Mechanism) {
			p.offer.mechanisms = append(p.offer.mechanisms, names...)
			p.offer.listed = p.offer.listed || len(names) > 0
		})
	}
	return nil
}

// asksCAPA: who wants STLS looks into CAPA, unless it sends it blind.
func (p pop3) asksCAPA() bool {
	asks := p.lists().CAPA
	blind := !p.IfAvailable && p.sheet.Encryption != nil && p.sheet.Encryption.Blind.or(false)
	switch {
	case p.noCAPA:
		return false
	case asks == nil:
		return p.Transport == login.StartTLS && !blind || p.looksInCAPA()
	case asks.Value == askAlways:
		return true
	case asks.Value == askAtLogin:
		return p.looksInCAPA() && !p.wantsSTLS()
	case asks.Value == askForSTLS:
		return p.wantsSTLS()
	case asks.Value == askWithSTLS:
		return p.Transport == login.StartTLS && !p.clear
	default:
		return false
	}
}

// wantsSTLS: TLS is yet to come.
func (p pop3) wantsSTLS() bool {
	return p.Transport == login.StartTLS && !p.clear && !p.conn.Encrypted()
}

func (p pop3) looksInCAPA() bool {
	return p.looks(lookCAPA) || p.looks(lookCAPAIfAny) || p.looks(lookSASLIfAny)
}

func (p pop3) looks(where look) bool {
	return slices.ContainsFunc(p.willing(), func(m login.Mechanism) bool {
		return p.sheet.Mechanisms[m].Looks == where
	})
}

// list sends a command with an answer of many lines. A server that refuses it
// has nothing to list.
func (p pop3) list(command string) (lines []string, ok bool, err error) {
	command = spell(p.sheet, command)
	a, err := p.say(command, command)
	if err != nil || a.kind != accepted {
		return nil, false, err
	}
	lines, err = p.conn.ReadDotted()
	return lines, true, err
}

func (p pop3) bareList(keep func([]login.Mechanism)) error {
	lines, ok, err := p.list("AUTH") // MS-OXPOP3 1.7
	if ok && err == nil {
		keep(parseNames(strings.Join(lines, " "), true))
	}
	return err
}

func (p pop3) startTLS() (answer, error) {
	line := spell(p.sheet, "STLS")
	return p.say(line, line)
}

func (p pop3) say(line, shown string) (answer, error) {
	if err := p.conn.SendSecret(line, shown); err != nil {
		return answer{}, err
	}
	return p.hear()
}

func (p pop3) hear() (answer, error) {
	reply, err := p.conn.ReadPOP3()
	if err != nil {
		return answer{}, err
	}
	return ofPOP3(reply), nil
}

func (p pop3) hideChallenge() { p.conn.Reshow("+ <challenge>") }

func ofPOP3(reply wire.POP3Reply) answer {
	kind := map[wire.POP3Status]answerKind{wire.POP3OK: accepted, wire.POP3Continue: asked}[reply.Status]
	return answer{kind: kind, text: reply.Text, line: reply.Line}
}

// use asks for what the client asks of a mailbox.
func (p pop3) use() error {
	for _, step := range p.sheet.Session.or([]step{{Say: "STAT"}}) {
		if step.When == whenCAPA && !p.offer.capa || step.When == whenNoCAPA && p.offer.capa {
			continue
		}
		line := spell(p.sheet, step.Say)
		a, err := p.say(line, line)
		if err != nil {
			return err
		}
		if a.kind == accepted && manyLines(step.Say) {
			if _, err := p.conn.ReadDotted(); err != nil {
				return err
			}
		}
	}
	return nil
}

// whenCAPA: the step is taken where the server has answered CAPA; whenNoCAPA:
// where it has not.
const (
	whenCAPA   = "capa"
	whenNoCAPA = "no-capa"
)

// manyLines: these answer with many when they have no argument (RFC 1939 5,
// RFC 2449 5).
func manyLines(command string) bool {
	return slices.Contains([]string{"CAPA", "LIST", "UIDL"}, command)
}

// userPass is USER, then PASS (RFC 1939 7). The +OK to USER asks for the
// password, whether the name is known or not.
func (x *exchange) userPass() error {
	_, name, err := x.half.Start()
	if err != nil {
		return failure{err}
	}
	password, err := x.half.Next(nil)
	if err != nil {
		return failure{err}
	}
	user, pass := spell(x.sheet, "USER "+string(name)), spell(x.sheet, "PASS "+string(password))
	shownUser, shownPass := spell(x.sheet, "USER <user>"), spell(x.sheet, "PASS <secret>")
	if x.sheet.Pipelined.or(false) {
		return x.userPassTogether(user, shownUser, pass, shownPass)
	}
	a, err := x.tell(user, shownUser)
	if err != nil {
		return err
	}
	if a.kind != accepted {
		if slices.Contains(x.sheet.AfterRefusal.Value, login.UserPass) {
			_, err := x.speaks.say(pass, shownPass) // the refusal stays what it was
			x.hungUp = err != nil
		}
		return nil
	}
	x.attempt.Asked, x.attempt.Reply = true, ""
	a, err = x.tell(pass, shownPass)
	x.attempt.Accepted = err == nil && a.kind == accepted
	return err
}

// userPassTogether does not wait for the answer to USER (RFC 2449 6.6).
func (x *exchange) userPassTogether(user, shownUser, pass, shownPass string) error {
	if err := x.conn.SendSecret(user, shownUser); err != nil {
		return err
	}
	if err := x.conn.SendSecret(pass, shownPass); err != nil {
		return err
	}
	p := pop3{x.session}
	first, err := p.hear()
	if err != nil {
		return err
	}
	second, err := p.hear()
	if err != nil {
		return err
	}
	x.attempt.Asked, x.attempt.Reply = first.kind == accepted, second.line
	x.attempt.Accepted = second.kind == accepted
	return nil
}

// apop is one command, the proof made from the greeting (RFC 1939 7).
func (x *exchange) apop() error {
	var arguments string
	stamp := x.offer.timestamp
	if x.sheet.Mechanisms[login.APOP].Looks == nowhere && stamp == nil {
		stamp = []byte{} // the digest is of the password alone
	}
	if stamp != nil {
		message, err := x.half.Next(stamp)
		if err != nil {
			return failure{err}
		}
		arguments = string(message)
	} else {
		digest, err := randomDigest(x.Rand)
		if err != nil {
			return failure{err}
		}
		arguments = x.user.name + " " + digest
	}
	a, err := x.tell(spell(x.sheet, "APOP "+arguments), spell(x.sheet, "APOP <user> <proof>"))
	x.attempt.Accepted = err == nil && a.kind == accepted
	return err
}
