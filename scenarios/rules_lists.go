package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// listRules: every list shows exactly what this connection would accept, in
// clear, inside TLS and after a login (the contract's rule 2).
func listRules() []rule {
	refs := []string{"RFC 4954 3", "RFC 4954 4", "RFC 5034 3", "RFC 2449 6", "MS-OXPOP3 1.7"}
	return []rule{
		// RFC 4954 4: after a login there is no other, so nothing to list.
		{"lists", login.SMTP, login.StartTLS, login.Classic, login.Secure,
			"clear: STARTTLS; TLS: CRAM-MD5 LOGIN PLAIN; logged in: nothing", refs, smtpLists},
		// RFC 2449 6.3: the SASL list stays. The bare list is for who has not
		// logged in.
		{"lists", login.POP3, login.StartTLS, login.Classic, login.Secure,
			"clear: STLS, bare list nothing; TLS: CRAM-MD5 LOGIN PLAIN USER, bare list CRAM-MD5 LOGIN PLAIN; logged in: CRAM-MD5 LOGIN PLAIN USER",
			refs, pop3Lists},
	}
}

func smtpLists(ctx context.Context, s *Session) (string, error) {
	c, err := s.Open(ctx, login.SMTP, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	clear := c.listed()
	if err := c.StartTLS(ctx, s.Trusting()); err != nil {
		return "", err
	}
	if err := c.Hello(); err != nil {
		return "", err
	}
	inside := c.listed()
	if got, err := c.LogIn(s.Secrets.Name, s.Secrets.Password); err != nil || !got.Positive {
		return "login " + accepted(got), err
	}
	if err := c.Hello(); err != nil {
		return "", err
	}
	return fmt.Sprintf("clear: %s; TLS: %s; logged in: %s", clear, inside, c.listed()), nil
}

func pop3Lists(ctx context.Context, s *Session) (string, error) {
	c, err := s.Open(ctx, login.POP3, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	clear := c.listed()
	clearBare, err := c.bareList()
	if err != nil {
		return "", err
	}
	if err := c.StartTLS(ctx, s.Trusting()); err != nil {
		return "", err
	}
	if err := c.Hello(); err != nil {
		return "", err
	}
	inside := c.listed()
	insideBare, err := c.bareList()
	if err != nil {
		return "", err
	}
	if got, err := c.LogIn(s.Secrets.Name, s.Secrets.Password); err != nil || !got.Positive {
		return "login " + accepted(got), err
	}
	if err := c.Hello(); err != nil {
		return "", err
	}
	return fmt.Sprintf("clear: %s, bare list %s; TLS: %s, bare list %s; logged in: %s",
		clear, clearBare, inside, insideBare, c.listed()), nil
}

// listed is what the capabilities say of logging in, sorted.
func (c *Talk) listed() string {
	var names []string
	for _, line := range c.Capabilities {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch strings.ToUpper(words[0]) {
		case "AUTH", "SASL":
			names = append(names, words[1:]...)
		case "STARTTLS", "STLS", "USER":
			names = append(names, words[0])
		}
	}
	return sortedOrNothing(names)
}

// bareList is the answer to AUTH without an argument.
func (c *Talk) bareList() (string, error) {
	got, err := c.Say("AUTH")
	if err != nil || !got.Positive {
		return head(c.Protocol, got.Line), err
	}
	names, err := c.ReadDotted()
	return sortedOrNothing(names), err
}

func sortedOrNothing(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
