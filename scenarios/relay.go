package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// relays cross the document's three ways of being trusted (and none, and a
// login as nobody) with where the mail goes and whether the server demands a login.
func relays() []Scenario {
	var all []Scenario
	for _, trust := range []string{"none", "interface", "assumption", "login", "anonymous"} {
		for _, where := range []string{"local", "remote"} {
			for _, demand := range []bool{false, true} {
				all = append(all, relay(trust, where, demand))
			}
		}
	}
	return all
}

func relay(trust, where string, demand bool) Scenario {
	setup := login.Setup{
		Flavour: login.Classic, Database: login.WinGate,
		Policy: login.Only(login.PLAIN, login.Allow),
		Trust:  login.Trust{DemandAuth: demand},
	}
	switch trust {
	case "interface":
		setup.Trust.Interfaces = []string{"127.0.0.1"}
	case "anonymous": // a login that says of nobody who he is (RFC 4505 4)
		setup.Database, setup.Policy = login.Full, login.Only(login.ANONYMOUS, login.Allow)
	case "assumption":
		setup.Trust.Assumptions = []login.Assumption{{Address: "127.0.0.1"}}
	}
	asked := "login-optional"
	if demand {
		asked = "login-demanded"
	}
	return Scenario{
		ID: fmt.Sprintf("scenario/relay/%s/%s-domain/%s", trust, where, asked), Kind: login.KindRelay,
		Protocol: login.SMTP, Transport: login.Plain,
		Setup:    setup,
		Expected: relayExpected(trust, where, demand),
		Refs:     []string{"WinGate Mail Security: Authentication", "RFC 4954 6", "RFC 5321 3.6.2"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			return tryRelay(ctx, s, trust, where)
		},
	}
}

// relayExpected is rule 6: the untrusted may deliver to local domains only. A
// server without a record of messages is taken at its word.
func relayExpected(trust, where string, demand bool) []string {
	switch {
	case where == "local":
		return []string{"accepted"}
	case trust == "interface": // which names nobody
		return []string{"accepted for nobody", "accepted"}
	case trust == "login", trust == "assumption":
		return []string{"accepted for the account", "accepted"}
	case demand:
		return []string{"530 5.7.0"}
	default:
		return []string{"550 5.7.1"}
	}
}

func tryRelay(ctx context.Context, s *Session, trust, where string) (string, error) {
	c, err := s.Open(ctx, login.SMTP, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	got, err := Said{Positive: true}, error(nil)
	switch trust {
	case "login":
		got, err = c.LogIn(s.Secrets.Name, s.Secrets.Password)
	case "anonymous":
		got, err = c.Say("AUTH ANONYMOUS =")
	}
	if err != nil || !got.Positive {
		return "login " + accepted(got), err
	}
	to := s.Secrets.Name + "@" + login.DefaultDomain
	if where == "remote" {
		to = "somebody@elsewhere.example"
	}
	got, err = c.send("sender@elsewhere.example", to, "Subject: relay\r\n\r\nrelay\r\n")
	if err != nil || got.Positive {
		return s.recorded(got, where), err
	}
	return codes(got.Line), nil
}

// recorded completes "accepted" for a message to another domain by what the
// server says of it, where it says anything: that it took the message, and
// for whom it takes the sender.
func (s *Session) recorded(got Said, where string) string {
	outcome := accepted(got)
	if where == "local" || s.Relayed == nil || !got.Positive {
		return outcome
	}
	for _, message := range s.Relayed() {
		switch message.Account {
		case s.Secrets.Name:
			return outcome + " for the account"
		case "":
			return outcome + " for nobody"
		}
	}
	return outcome + ", not recorded"
}

// send runs one mail transaction and returns the first refusal in it, or the
// last answer. An address that is an account's own is shown as the user.
func (c *Talk) send(from, to, message string) (Said, error) {
	shownTo := to
	if _, domain, _ := strings.Cut(to, "@"); domain == login.DefaultDomain {
		shownTo = "<user>@" + domain
	}
	steps := []struct{ line, shown string }{
		{"MAIL FROM:<" + from + ">", "MAIL FROM:<" + from + ">"},
		{"RCPT TO:<" + to + ">", "RCPT TO:<" + shownTo + ">"},
		{"DATA", "DATA"},
		{message + ".", "<message>"},
	}
	var got Said
	for _, step := range steps {
		var err error
		if got, err = c.SaySecret(step.line, step.shown); err != nil || !got.Positive {
			return got, err
		}
	}
	return got, nil
}

// codes is the machine-readable head of a refusal: reply code and enhanced
// status code (RFC 2034).
func codes(line string) string {
	words := strings.Fields(line)
	return strings.Join(words[:min(2, len(words))], " ")
}
