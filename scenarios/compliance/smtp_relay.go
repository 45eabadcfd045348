package compliance

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// None of these cases sends a message: who may relay shows at RCPT.

var _ = register(
	script.Case{
		ID: "smtp/relay/001", Title: "Submission requires authentication", Since: "2026.1",
		Level: must, Refs: refs("RFC 6409 4.3", "RFC 4954 6"),
		Says: "On every port for submission a stranger's MAIL is refused with 530. Where only the recipient is refused it is late, " +
			"and where a recipient elsewhere is taken anybody can send mail to anybody.",
		Needs: needs{State: func(s *login.Setup) { s.Posture.Script = &login.Script{LoginBeforeMail: true} }},
		Steps: steps{script.OnEachLink(
			open(),
			say("MAIL FROM:<", from, ">").Keep("mail").Must("5", "2"),
			say("RCPT TO:<", foreign, ">").Keep("rcpt").Must("5", "4").Fail("2").Because("a stranger may relay"),
			check(refusedAtMAIL),
		)},
		Sabotage: state(func(s *login.Setup) {
			s.Posture.Script, s.Trust.Interfaces = nil, []string{"127.0.0.1", "::1"}
		}),
	},
	script.Case{
		ID: "smtp/relay/002", Title: "No open relay through odd addresses", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 3.6.2", "RFC 5321 7.9", "RFC 5321 C"),
		Says: "A stranger's mail for another domain is refused in whatever form its address is written: " +
			"as a source route, with a percent sign, a bang or a second at sign, quoted, as an address literal, without brackets.",
		Needs: needs{State: lettingStrangersMail},
		Steps: steps{
			open(),
			say("MAIL FROM:<", from, ">").Must("2", "4", "5"),
			say("RCPT TO:<", random, "@", domain, ">").Keep("anybody").Must("5", "4", "2"),
			script.Each(elsewhere, func(a address) []script.Step {
				return steps{
					open(),
					say("MAIL FROM:<", from, ">").Must("2", "4", "5"),
					say(append([]any{"RCPT TO:"}, a.parts...)...).Keep("odd").Must("5", "4", "2", gone),
					check(a.refused),
				}
			}),
		},
		Sabotage: bug("open-relay"),
	},
	script.Case{
		ID: "smtp/relay/003", Title: "After login relay is allowed, after failed login it is not", Since: "2026.1",
		Level: must, Refs: refs("RFC 6409 4.3", "RFC 4954 4", "RFC 4954 6"),
		Says:  "Who has logged in may send to other domains. Who failed to, or broke the exchange off, is still a stranger and may not.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA256), AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			begin().Must(asked),
			say("*").Must(refused),
			strangersMail("an exchange that was broken off"),
			open(),
			logIn().Must(in),
			say("MAIL FROM:<", from, ">").Pass("2").Warn("4", "5"),
			say("RCPT TO:<", foreign, ">").Pass("2").Warn("4", "5").Because("who has logged in may not relay, or not there"),
			say("RSET").Must(ok),
			open(),
			logIn().As(user, wrong).Unproven(),
			strangersMail("a login that failed"),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
	script.Case{
		ID: "smtp/relay/004", Title: "XCLIENT / XFORWARD / PROXY from strangers", Since: "2026.1",
		Level: practice, Refs: refs("Postfix XCLIENT_README", "HAProxy PROXY protocol 2"),
		Says: "What a proxy says of its clients, their names and addresses and who has logged in, is believed of proxies only. " +
			"A stranger who says it of himself is refused and gains nothing.",
		Steps: steps{
			open(),
			check(listsNone("XCLIENT", "XFORWARD")),
			say("XCLIENT LOGIN=", decoyName, " ADDR=127.0.0.1").Pass(refused),
			say("XFORWARD NAME=localhost ADDR=127.0.0.1").Pass(refused),
			notAuthenticated(),
			connect(),
			octets("PROXY TCP4 127.0.0.1 127.0.0.1 1024 25\r\n").Pass("220", refused, gone),
			// Of who does not know it, its refusal comes before the answer to QUIT.
			say("QUIT").Pass(refused, gone).Warn("221", "421").Because("whoever reaches this port may say where he comes from"),
		},
		Sabotage: answers("XCLIENT", "5", "220 mail.example.test ESMTP"),
	},
	script.Case{
		ID: "smtp/relay/006", Title: "Null sender allowed", Since: "2026.1",
		Level: must, Refs: refs("RFC 6409 3.2", "RFC 5321 4.5.5"),
		Says:  "The empty reverse-path is no reason to refuse the mail of somebody who has logged in: notifications have it.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA256), AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("MAIL FROM:<>").Pass("2"),
			say("RSET").Must(ok),
		},
		Sabotage: answers("MAIL FROM:<>", "250", "550 5.7.1 who are you"),
	},
	script.Case{
		ID: "smtp/relay/007", Title: "ANONYMOUS login gains nothing", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4505 5"),
		Says:  "Who has logged in by ANONYMOUS, as nobody, may send to no other domain than a stranger may.",
		Needs: needs{Mechanisms: only(login.ANONYMOUS)},
		Steps: steps{
			open(),
			say("AUTH ANONYMOUS ", b64("mailmatrix")).Must(in).NA(refused),
			say("MAIL FROM:<", from, ">").Must("2", "4", "5"),
			say("RCPT TO:<", foreign, ">").Pass("5", "4").Fail("2").Because("nobody may relay"),
		},
		Sabotage: bug("open-relay"),
	},
)

// strangersMail demands that what went before made no one a sender: RCPT to
// another domain is refused, if MAIL was not.
func strangersMail(after string) script.Step {
	return script.Group(
		say("MAIL FROM:<", from, ">").Must("2", "4", "5"),
		say("RCPT TO:<", foreign, ">").Pass("5", "4").Fail("2").Because("after "+after+" a recipient elsewhere was taken"),
	)
}

func refusedAtMAIL(p *script.Play) (login.Verdict, string) {
	switch mail := p.Value("mail"); {
	case strings.HasPrefix(mail, "530"):
		return login.Pass, ""
	case strings.HasPrefix(mail, "5"):
		return login.Warn, fmt.Sprintf("a stranger's MAIL was answered by %.100q, not by 530", mail)
	default:
		return login.Warn, fmt.Sprintf("a stranger's MAIL is taken, and only his recipient refused: %.100q", p.Value("rcpt"))
	}
}

// domain is one that the server delivers to.
var domain = script.Made("<domain>", func(p *script.Play) string {
	if _, domain, found := strings.Cut(p.Secrets.Name, "@"); found {
		return domain
	}
	return cmp.Or(p.Domain, login.DefaultDomain)
})

// address is a way to write an address of another domain.
type address struct {
	parts []any
	// ours: it ends in a domain that the server delivers to, where anybody at
	// all may have a mailbox.
	ours bool
}

// elsewhere are the forms that relays were fooled by. 192.0.2.1 belongs to
// nobody (RFC 5737 3).
var elsewhere = []address{
	{parts: []any{"<", foreign, ">"}},
	{parts: []any{"<nobody%example.invalid@", domain, ">"}, ours: true},
	{parts: []any{"<@", domain, ":", foreign, ">"}},
	{parts: []any{`<"`, foreign, `"@`, domain, ">"}, ours: true},
	{parts: []any{"<example.invalid!nobody>"}},
	{parts: []any{"<example.invalid!nobody@", domain, ">"}, ours: true},
	{parts: []any{"<", foreign, "@", domain, ">"}, ours: true},
	{parts: []any{"<nobody@[192.0.2.1]>"}},
	{parts: []any{foreign}},
	{parts: []any{"<", foreign, ".>"}},
	{parts: []any{"<nobody%example.invalid>"}},
}

// refused judges what became of RCPT.
func (a address) refused(p *script.Play) (login.Verdict, string) {
	odd := p.Value("odd")
	switch {
	case !strings.HasPrefix(odd, "2"):
		return login.Pass, ""
	case a.ours && strings.HasPrefix(p.Value("anybody"), "2"):
		return login.Warn, "any name of a local domain is taken, odd ones too: where they go is not seen without a message"
	default:
		return login.Fail, fmt.Sprintf("a stranger may relay by an odd address: %.100q", odd)
	}
}
