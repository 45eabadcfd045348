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
		p.offer.timestamp = []byte(stamp)
		p.conn.Reshow(strings.Replace(reply.Line, stamp, "<challenge>", 1))
	}
	return ofPOP3(reply), nil
}

// discover asks for CAPA and for the bare list, each only where the client
// looks there; who wants STLS looks into CAPA. In clear before STLS the bare
// list is not asked for: it would be asked for again.
func (p pop3) discover(candidates []login.Mechanism) error {
	if p.Transport == login.StartTLS || p.looks(lookCAPA, candidates) {
		lines, err := p.list("CAPA")
		if err != nil {
			return err
		}
		stamp := p.offer.timestamp
		p.offer = parseCAPA(lines)
		p.offer.timestamp = stamp
	}
	if p.looks(lookAuthList, candidates) && (p.Transport != login.StartTLS || p.conn.Encrypted()) {
		lines, err := p.list("AUTH") // MS-OXPOP3 1.7
		if err != nil {
			return err
		}
		p.offer.list = parseNames(strings.Join(lines, " "))
	}
	return nil
}

func (p pop3) looks(where look, candidates []login.Mechanism) bool {
	return slices.ContainsFunc(candidates, func(m login.Mechanism) bool {
		return p.sheet.Mechanisms[m].Looks == where
	})
}

// list sends a command with an answer of many lines. A server that refuses it
// has nothing to list.
func (p pop3) list(command string) ([]string, error) {
	a, err := p.say(command, command)
	if err != nil || a.kind != accepted {
		return nil, err
	}
	return p.conn.ReadDotted()
}

func (p pop3) startTLS() (answer, error) { return p.say("STLS", "STLS") }

func (p pop3) say(line, shown string) (answer, error) {
	if err := p.conn.SendSecret(line, shown); err != nil {
		return answer{}, err
	}
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

// userPass is USER, then PASS (RFC 1939 7). The +OK to USER asks for the
// password, whether the name is known or not.
func (x *exchange) userPass() error {
	_, name, err := x.half.Start()
	if err != nil {
		return failure{err}
	}
	a, err := x.tell("USER "+string(name), "USER <user>")
	if err != nil || a.kind != accepted {
		return err
	}
	x.attempt.Asked, x.attempt.Reply = true, ""
	password, err := x.half.Next(nil)
	if err != nil {
		return failure{err}
	}
	a, err = x.tell("PASS "+string(password), "PASS <secret>")
	x.attempt.Accepted = err == nil && a.kind == accepted
	return err
}

// apop is one command, the proof made from the greeting (RFC 1939 7).
func (x *exchange) apop() error {
	var arguments string
	if stamp := x.offer.timestamp; stamp != nil {
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
	a, err := x.tell("APOP "+arguments, "APOP <user> <proof>")
	x.attempt.Accepted = err == nil && a.kind == accepted
	return err
}
