package clientsim

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// smtp is the dialect of RFC 5321.
type smtp struct{ *session }

func (s smtp) greet() (answer, error) {
	reply, err := s.conn.ReadSMTP()
	if err != nil {
		return answer{}, err
	}
	return positive(reply), nil
}

// discover says EHLO. A server that does not know it offers nothing.
func (s smtp) discover([]login.Mechanism) error {
	if err := s.conn.Send("EHLO " + helloArguments[s.sheet.Hello.Value]); err != nil {
		return err
	}
	reply, err := s.conn.ReadSMTP()
	if err != nil {
		return err
	}
	if positive(reply).kind == accepted {
		s.offer = parseEHLO(reply.Lines)
	}
	return nil
}

var helloArguments = map[helloForm]string{
	helloBareName: workstation,
	helloFullName: workstation + "." + workstationDomain,
}

func (s smtp) startTLS() (answer, error) {
	if err := s.conn.Send("STARTTLS"); err != nil {
		return answer{}, err
	}
	reply, err := s.conn.ReadSMTP()
	if err != nil {
		return answer{}, err
	}
	return positive(reply), nil // RFC 3207 4: 220
}

func (s smtp) say(line, shown string) (answer, error) {
	if err := s.conn.SendSecret(line, shown); err != nil {
		return answer{}, err
	}
	reply, err := s.conn.ReadSMTP()
	if err != nil {
		return answer{}, err
	}
	a := answer{text: reply.Text(), line: reply.First}
	switch reply.Code {
	case 334: // RFC 4954 4: a challenge
		a.kind = asked
	case 235: // RFC 4954 6: the login has succeeded
		a.kind = accepted
	}
	return a, nil
}

func (s smtp) hideChallenge() { s.conn.Reshow("334 <challenge>") }

// positive is an answer outside of an exchange: its class decides (RFC 5321
// 4.2.1).
func positive(reply wire.SMTPReply) answer {
	a := answer{text: reply.Text(), line: reply.First}
	if reply.Code/100 == 2 {
		a.kind = accepted
	}
	return a
}
