package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// contents: once TLS is up, the mail itself travels inside it, both ways; in
// clear it can be read, which proves that we would see it.
func contents() []Scenario {
	var all []Scenario
	for _, flavour := range login.Flavours() {
		for _, t := range login.Transports() {
			if flavour == login.Classic && t == login.TLS {
				continue // the classic flavour has no such port
			}
			expected := "hidden"
			if !t.Encrypted() {
				expected = "readable"
			}
			all = append(all, Scenario{
				ID: fmt.Sprintf("scenario/contents/smtp-to-pop3/%s/%s", flavour, t), Kind: login.KindContents,
				Protocol: login.SMTP, Also: login.POP3, Transport: t,
				Setup: login.Setup{Flavour: flavour, Database: login.WinGate,
					Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow)},
				Expected: []string{expected},
				Refs:     []string{"WinGate Mail Security: Secure connections (TLS/SSL)"},
				Run: func(ctx context.Context, s *Session) (string, error) {
					return sendAndFetch(ctx, s, t)
				},
			})
		}
	}
	return all
}

// canaryText stands in the message and nowhere else. It is no secret.
const canaryText = "the quick brown canary jumps over the lazy listener"

func sendAndFetch(ctx context.Context, s *Session, t login.Transport) (string, error) {
	smtp, err := s.Open(ctx, login.SMTP, t)
	if err != nil {
		return "", err
	}
	to := s.Secrets.Name + "@" + login.DefaultDomain
	got, err := smtp.send("sender@elsewhere.example", to, "Subject: contents\r\n\r\n"+canaryText+"\r\n")
	smtp.Quit()
	if err != nil || !got.Positive {
		return "not delivered: " + got.Line, err
	}
	pop3, err := s.Open(ctx, login.POP3, t)
	if err != nil {
		return "", err
	}
	defer pop3.Quit()
	if got, err := pop3.LogIn(s.Secrets.Name, s.Secrets.Password); err != nil || !got.Positive {
		return "login " + accepted(got), err
	}
	text, err := pop3.retrieve()
	heard := readable(s)
	switch {
	case err != nil && heard == "hidden":
		return "", err
	case err == nil && !strings.Contains(text, canaryText):
		return "altered", nil
	default: // what could not be read as TLS may have crossed in clear
		return heard, nil
	}
}

// retrieve fetches the first message.
func (c *Talk) retrieve() (string, error) {
	got, err := c.Say("RETR 1")
	if err != nil || !got.Positive {
		return got.Line, err
	}
	lines, err := c.ReadDotted()
	return strings.Join(lines, "\n"), err
}

// readable looks for the message in what crossed the wire, and asks that it
// be seen both ways or not at all.
func readable(s *Session) string {
	search := wire.NewSearcher(wire.Needle{Name: "contents", Text: canaryText})
	hits := 0
	for _, seen := range s.Seen() {
		for _, heard := range seen.Tap.Lines() {
			if len(search.Find(heard.Line)) > 0 {
				hits++
				break
			}
		}
	}
	switch hits {
	case 0:
		return "hidden"
	case len(s.Seen()):
		return "readable"
	default:
		return "readable one way"
	}
}
