package clientsim

import (
	"net"
	"slices"
	"strconv"
	"strings"

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
	a := answer{text: reply.Text(), line: reply.First}
	var taken bool
	switch s.sheet.Hello.Greeting.or(greeting220) {
	case greetingAny:
		taken = true
	case greeting2xx:
		taken = reply.Code/100 == 2
	default:
		taken = reply.Code == 220
	}
	if taken {
		a.kind = accepted
	}
	return a, nil
}

// discover says EHLO and, for a client that does so, HELO to a server that
// does not know it.
func (s smtp) discover() error {
	reply, err := s.command("EHLO " + s.ownName())
	if err != nil {
		return err
	}
	if positive(reply) {
		s.offer = s.sheet.Hello.parseEHLO(reply.Lines)
		return nil
	}
	if s.saysHELO(reply.Code) {
		if reply, err = s.command("HELO " + s.ownName()); err != nil {
			return err
		}
		if positive(reply) {
			assumed := s.sheet.Hello.Assumes.or(nil)
			s.offer = offer{plainHello: true, mechanisms: assumed, listed: len(assumed) > 0}
			return nil
		}
	}
	if !s.Whole { // a server that takes no hello has nothing to offer
		return nil
	}
	outcome := login.NotOffered
	if s.mustEncrypt() {
		outcome = login.NoTLS
	}
	return &ending{outcome, "no hello is taken: " + reply.First, s.sheet.Hello.Refused.or(closing)}
}

// mustEncrypt: the client insists on TLS, and has it not yet.
func (s *session) mustEncrypt() bool {
	return s.Transport == login.StartTLS && !s.IfAvailable && !s.clear && !s.conn.Encrypted()
}

func (s smtp) saysHELO(code int) bool {
	if s.mustEncrypt() && !s.sheet.Hello.FallbackWithTLS.or(false) {
		return false
	}
	switch s.sheet.Hello.Fallback.or(heloNever) {
	case heloUnknown:
		return code == 500 || code == 502
	case heloRefused:
		return code/100 == 5
	case heloAny:
		return true
	default:
		return false
	}
}

// ownName is the argument of EHLO.
func (s *session) ownName() string {
	switch form := s.sheet.Hello.Name.Value; form {
	case helloBareName:
		return s.workstation()
	case helloFullName:
		return s.Machine
	case helloAddress:
		return addressLiteral(s.conn.LocalAddr())
	case helloOfSender:
		_, domain, _ := strings.Cut(s.Sender, "@")
		return domain
	default:
		return string(form)
	}
}

// addressLiteral is RFC 5321 4.1.3.
func addressLiteral(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		host = a.String()
	}
	if strings.Contains(host, ":") {
		host = "IPv6:" + host
	}
	return "[" + host + "]"
}

func (s smtp) startTLS() (answer, error) {
	reply, err := s.command("STARTTLS")
	a := answer{text: reply.Text(), line: reply.First}
	if err == nil && reply.Code == 220 { // RFC 3207 4: no other success is one
		a.kind = accepted
	}
	return a, err
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

// command says one that holds no secret, in the client's spelling.
func (s smtp) command(line string) (wire.SMTPReply, error) {
	if err := s.conn.Send(spell(s.sheet, line)); err != nil {
		return wire.SMTPReply{}, err
	}
	return s.conn.ReadSMTP()
}

// positive is an answer outside of an exchange: its class decides (RFC 5321
// 4.2.1).
func positive(reply wire.SMTPReply) bool { return reply.Code/100 == 2 }

// plainTransaction is that of RFC 5321 3.3 without anything.
var plainTransaction = transaction{Mail: "MAIL FROM:<{from}>", Rcpt: "RCPT TO:<{to}>", Data: "DATA"}

// use hands in a message.
func (s smtp) use() error {
	if err := s.helloAgain(); err != nil {
		return err
	}
	t := s.sheet.Transaction.or(plainTransaction)
	text := strings.Join(message, "\r\n") + "\r\n"
	fill := strings.NewReplacer("{from}", s.Sender, "{to}", recipient, "{size}", strconv.Itoa(len(text)))
	mail := t.Mail
	for _, p := range t.Parameters {
		if p.When == "" || slices.Contains(s.offer.keywords, p.When) {
			mail += " " + p.Say
		}
	}
	for _, line := range slices.Concat(t.Before, []string{mail, t.Rcpt}) {
		if line == "" { // not every client says each of them
			continue
		}
		reply, err := s.command(fill.Replace(line))
		if err != nil {
			return err
		}
		if !positive(reply) && !slices.Contains(t.Before, line) {
			return s.notTaken(t)
		}
	}
	if t.Data == "" {
		return nil
	}
	reply, err := s.command(t.Data)
	if err != nil {
		return err
	}
	if reply.Code != 354 {
		return s.notTaken(t)
	}
	if err := s.conn.Send(text + "."); err != nil {
		return err
	}
	if _, err := s.conn.ReadSMTP(); err != nil {
		return err
	}
	for _, line := range t.After {
		if _, err := s.command(line); err != nil {
			return err
		}
	}
	return nil
}

// notTaken is what the client does where a line of its transaction is refused.
func (s smtp) notTaken(t transaction) error {
	for _, line := range t.Refused {
		if _, err := s.command(line); err != nil {
			return err
		}
	}
	return s.over(s.sheet.MailRefused.or(closing))
}

// helloAgain: RFC 4954 4 wants it after a login with a security layer; some
// clients say it after any.
func (s smtp) helloAgain() error {
	if !s.sheet.Hello.AfterLogin.or(false) || s.outcome() != login.LoggedIn {
		return nil
	}
	return s.discover()
}

// spell writes a line as the client does: the longest beginning that its file
// knows is replaced.
func spell(sheet *protocolSheet, line string) string {
	longest := ""
	known := sheet.Spelling.or(nil)
	for begins := range known {
		if len(begins) > len(longest) && strings.HasPrefix(line, begins) {
			longest = begins
		}
	}
	if longest == "" {
		return line
	}
	return known[longest] + line[len(longest):]
}
