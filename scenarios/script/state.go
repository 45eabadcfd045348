package script

import (
	"context"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Alive demands that the server still answers: NOOP, or CAPA in POP3, where
// NOOP is for who has logged in.
func Alive() Step {
	return perProtocol{smtp: Say("NOOP").Pass("250"), pop3: Say("CAPA").Listing().Pass("+OK", "-ERR")}
}

// NotAuthenticated demands that nobody is logged in: MAIL is refused, or who
// may send mail to local people may not relay (RFC 5321 7.9); STAT is refused.
func NotAuthenticated() Step {
	return perProtocol{
		smtp: mayRelay{false},
		pop3: Say("STAT").Pass("-ERR").Fail("+OK").Because("somebody is logged in"),
	}
}

// Authenticated demands that somebody is logged in: he may relay, or is not
// let log in again (RFC 4954 4); STAT is answered.
func Authenticated() Step {
	return perProtocol{smtp: mayRelay{true}, pop3: Say("STAT").Pass("+OK").Fail("-ERR").Because("nobody is logged in")}
}

// PerProtocol takes one step over SMTP and another over POP3.
func PerProtocol(smtp, pop3 Step) Step { return perProtocol{smtp, pop3} }

type perProtocol struct{ smtp, pop3 Step }

func (x perProtocol) of(p login.Protocol) Step {
	if p == login.SMTP {
		return x.smtp
	}
	return x.pop3
}

func (x perProtocol) run(ctx context.Context, p *Play) error {
	if s := x.of(p.protocol); s != nil {
		return s.run(ctx, p)
	}
	return nil
}

func (x perProtocol) bill(b *Bill) {
	if s := x.of(b.protocol); s != nil {
		s.bill(b)
	}
}

// mayRelay finds out by a recipient elsewhere, and never sends a message.
type mayRelay struct{ expected bool }

func (m mayRelay) run(ctx context.Context, p *Play) error {
	mail := Say("MAIL FROM:<", From, ">").Keep("relay").Must("2", "4", "5")
	if err := mail.run(ctx, p); err != nil {
		return err
	}
	refusal := p.kept["relay"]
	if strings.HasPrefix(refusal, "2") {
		rcpt := Say("RCPT TO:<", Foreign, ">").Keep("relay").Must("2", "4", "5")
		if err := Group(rcpt, Say("RSET").Must("2", "4", "5")).run(ctx, p); err != nil {
			return err
		}
		refusal = p.kept["relay"]
	}
	relays := strings.HasPrefix(refusal, "2")
	switch {
	case m.expected && relays, !m.expected && (strings.HasPrefix(refusal, "530") || !p.Talk().Offers("AUTH")):
		return p.find(login.Ruling{Verdict: login.Pass})
	case !m.expected:
		// It may take mail from here for anybody, or know no such recipient. Who
		// has not logged in is still asked for a login (RFC 4954 4).
		asks := Say("AUTH PLAIN").Pass(Asked).Fail("503").Because("somebody is logged in").Pass(Refused)
		if err := asks.Keep("relay").run(ctx, p); err != nil || !strings.HasPrefix(p.kept["relay"], "334") {
			return err
		}
		return Say("*").Must(Refused).run(ctx, p)
	default:
		again := Say("AUTH PLAIN").Pass("503").Fail("334").Because("nobody is logged in")
		return again.run(ctx, p)
	}
}

func (m mayRelay) bill(b *Bill) {
	if !m.expected {
		b.Recipients++
		b.Auths++
	}
}
