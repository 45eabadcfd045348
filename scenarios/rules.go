package scenarios

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// rule is one rule of the contract's section 2 that no cell can see: exact
// replies, and what a session remembers.
type rule struct {
	id        string
	protocol  login.Protocol
	transport login.Transport
	flavour   login.Flavour
	setting   login.Setting // of every mechanism with which the rule is tried
	expected  string
	refs      []string
	run       func(context.Context, *Session) (string, error)
}

func ruleScenarios() []Scenario {
	var all []Scenario
	for _, r := range rules() {
		all = append(all, Scenario{
			ID: fmt.Sprintf("scenario/posture/%s/%s", r.id, r.protocol), Kind: login.KindPosture,
			Protocol: r.protocol, Transport: r.transport,
			Setup: login.Setup{Flavour: r.flavour, Database: login.WinGate,
				Policy: login.Every(ruleMechanisms, r.setting)},
			Expected: []string{r.expected},
			Refs:     r.refs,
			Run:      r.run,
		})
	}
	return all
}

// ruleMechanisms are those with which rules are tried.
var ruleMechanisms = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM, login.UserPass, login.APOP}

func rules() []rule {
	const smtp, pop3, allow = login.SMTP, login.POP3, login.Allow
	const plain, starttls, classic, modern = login.Plain, login.StartTLS, login.Classic, login.Modern
	refusal := []string{"RFC 4954 4", "RFC 5034 4", "RFC 3206 4"}
	upgrade := []string{"RFC 3207 4", "RFC 2595 4", "CVE-2011-0411"}
	var all []rule
	for p, codes := range map[login.Protocol]struct{ policy, wrong, in, malformed, cancelled, again string }{
		smtp: {"504 5.5.4", "535 5.7.8", "235 2.7.0", "501 5.5.2", "501 5.0.0", "503 5.5.1"},
		pop3: {"-ERR", "-ERR [AUTH]", "+OK", "-ERR", "-ERR", "-ERR"},
	} {
		all = append(all,
			rule{"reply-denied", p, plain, classic, login.Deny, codes.policy, refusal, replyTo(p, "AUTH PLAIN")},
			rule{"reply-unavailable", p, plain, classic, allow, codes.policy, refusal, replyTo(p, "AUTH NTLM")},
			rule{"reply-wrong-password", p, plain, classic, allow, codes.wrong, refusal, replyWrong(p)},
			rule{"reply-accepted", p, plain, classic, allow, codes.in, refusal, replyAccepted(p)},
			rule{"reply-malformed", p, plain, classic, allow, codes.malformed, refusal, replyTo(p, "AUTH PLAIN", junkInBase64)},
			rule{"reply-cancelled", p, plain, classic, allow, codes.cancelled, refusal, replyTo(p, "AUTH PLAIN", "*")},
			rule{"reply-second-login", p, plain, classic, allow, codes.again, refusal, replySecond(p)},
			rule{"mechanism-in-lower-case", p, plain, classic, allow, "accepted", []string{"RFC 4422 3.1"}, lowerCase(p)},
			rule{"challenge-fresh", p, plain, classic, allow, "fresh", []string{"RFC 2195 2"}, freshChallenge(p)},
			rule{"injection", p, starttls, classic, allow, "ended", upgrade, injection(p)},
			rule{"handshake-failed", p, starttls, classic, allow, "ended", upgrade, failedHandshake(p)},
			rule{"tls10-classic", p, starttls, classic, allow, "TLS 1.0", nil, oldTLS(p, tls.VersionTLS10)},
			rule{"tls10-modern", p, starttls, modern, allow, "refused", []string{"RFC 8996 4"}, oldTLS(p, tls.VersionTLS10)},
			rule{"tls11-modern", p, starttls, modern, allow, "refused", []string{"RFC 8996 5"}, oldTLS(p, tls.VersionTLS11)},
			rule{"tls-resumption", p, starttls, modern, allow, "in full", nil, resumed(p)},
			rule{"another-identity", p, plain, classic, allow, codes.wrong, []string{"RFC 4616 2"}, anotherIdentity(p)},
		)
	}
	all = append(all, listRules()...)
	all = append(all, alikeRules()...)
	return append(all,
		rule{"login-in-transaction", smtp, plain, classic, allow, "503 5.5.1", refusal, inTransaction},
		rule{"login-before-ehlo", smtp, plain, classic, allow, "503 5.5.1", refusal, beforeHello},
		rule{"secure-after-rset", smtp, plain, classic, login.Secure, "504 5.5.4", refusal, replyTo(smtp, "RSET", "AUTH PLAIN")},
		rule{"hello-forgotten", smtp, starttls, classic, allow, "503 5.5.1", upgrade, helloForgotten},
		rule{"timestamp-fresh", pop3, plain, classic, allow, "fresh", []string{"RFC 1939 7"}, freshTimestamp},
		rule{"one-session", pop3, plain, classic, allow, "-ERR [IN-USE]", []string{"RFC 1939 4", "RFC 2449 8.1.2"}, oneSession},
		rule{"deleted-at-quit", pop3, plain, classic, allow, "kept", []string{"RFC 1939 6"}, deletedAtQuit},
	)
}

// junkInBase64 is a whole message of PLAIN (NUL nobody NUL nothing) with an
// octet in it that is not of the alphabet: skipping it is forbidden (RFC 4954
// 4), and would end in another reply.
const junkInBase64 = "AG5vYm9k!eQBub3RoaW5n"

// head is the machine-readable part of an answer: code and enhanced code, or
// status and response code.
func head(p login.Protocol, line string) string {
	if p == login.SMTP {
		return codes(line)
	}
	status, rest, _ := strings.Cut(line, " ")
	if end := strings.IndexByte(rest, ']'); strings.HasPrefix(rest, "[") && end > 0 {
		return status + " " + rest[:end+1]
	}
	return status
}

// with opens a plain conversation, runs f in it and takes leave.
func with(p login.Protocol, f func(*Talk, *Session) (string, error)) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, login.Plain)
		if err != nil {
			return "", err
		}
		defer c.Quit()
		return f(c, s)
	}
}

// replyTo says the lines, none of them secret, and returns the last answer.
func replyTo(p login.Protocol, lines ...string) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, _ *Session) (string, error) {
		var got Said
		for _, line := range lines {
			var err error
			if got, err = c.Say(line); err != nil {
				return "", err
			}
		}
		return head(p, got.Line), nil
	})
}

func replyWrong(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		got, err := c.LogIn(s.Secrets.Name, s.Secrets.Wrong)
		return head(p, got.Line), err
	})
}

func replyAccepted(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		got, err := c.LogIn(s.Secrets.Name, s.Secrets.Password)
		return head(p, got.Line), err
	})
}

func replySecond(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		for range 2 {
			if _, err := c.LogIn(s.Secrets.Name, s.Secrets.Password); err != nil {
				return "", err
			}
		}
		got, err := c.Say("AUTH PLAIN")
		return head(p, got.Line), err
	})
}

// anotherIdentity: nobody may act for somebody else, whatever his password.
func anotherIdentity(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		message := base64.StdEncoding.EncodeToString([]byte("somebody-else\x00" + s.Secrets.Name + "\x00" + s.Secrets.Password))
		got, err := c.SaySecret("AUTH PLAIN "+message, "AUTH PLAIN <secret>")
		return head(p, got.Line), err
	})
}

func lowerCase(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		got, err := c.SaySecret("auth plain "+plainMessage(s.Secrets.Name, s.Secrets.Password), "auth plain <secret>")
		return accepted(got), err
	})
}

// freshChallenge: a challenge that comes twice can be answered by who heard
// the first.
func freshChallenge(p login.Protocol) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		seen := map[string]bool{}
		for range 2 {
			c, err := s.Open(ctx, p, login.Plain)
			if err != nil {
				return "", err
			}
			got, err := c.Say("AUTH CRAM-MD5")
			if err != nil {
				return "", err
			}
			c.Reshow(strings.Fields(got.Line)[0] + " <challenge>")
			_, err = c.Say("*")
			c.Quit()
			if err != nil {
				return "", err
			}
			seen[got.Line] = true
		}
		return freshness(len(seen)), nil
	}
}

func freshTimestamp(ctx context.Context, s *Session) (string, error) {
	seen := map[string]bool{}
	for range 2 {
		c, err := s.Open(ctx, login.POP3, login.Plain)
		if err != nil {
			return "", err
		}
		seen[c.Greeting] = true
		c.Quit()
	}
	return freshness(len(seen)), nil
}

func freshness(different int) string {
	if different == 2 {
		return "fresh"
	}
	return "repeated"
}

func inTransaction(ctx context.Context, s *Session) (string, error) {
	return replyTo(login.SMTP, "MAIL FROM:<sender@elsewhere.example>", "AUTH PLAIN")(ctx, s)
}

func beforeHello(ctx context.Context, s *Session) (string, error) {
	c, err := s.Connect(ctx, login.SMTP, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	if _, err := c.Answer(); err != nil {
		return "", err
	}
	got, err := c.Say("AUTH PLAIN")
	return codes(got.Line), err
}
