package scenarios

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// oneSession: a mailbox is one session's at a time.
func oneSession(ctx context.Context, s *Session) (string, error) {
	first, err := s.Open(ctx, login.POP3, login.Plain)
	if err != nil {
		return "", err
	}
	defer first.Quit()
	if got, err := first.LogIn(s.Secrets.Name, s.Secrets.Password); err != nil || !got.Positive {
		return "first " + accepted(got), err
	}
	return replyAccepted(login.POP3)(ctx, s)
}

// deletedAtQuit: a message marked as deleted is there again if the client
// goes without QUIT.
func deletedAtQuit(ctx context.Context, s *Session) (string, error) {
	smtp, err := s.Open(ctx, login.SMTP, login.Plain)
	if err != nil {
		return "", err
	}
	got, err := smtp.send("sender@elsewhere.example", s.Secrets.Name+"@"+login.DefaultDomain, "Subject: keep\r\n\r\nkeep\r\n")
	smtp.Quit()
	if err != nil || !got.Positive {
		return "not delivered: " + codes(got.Line), err
	}
	for _, line := range []string{"DELE 1", "RETR 1"} {
		c, err := s.Open(ctx, login.POP3, login.Plain)
		if err != nil {
			return "", err
		}
		if err := c.waitForMailbox(s.Secrets); err != nil {
			_ = c.Close()
			return "", err
		}
		got, err = c.Say(line)
		_ = c.Close() // without QUIT
		if err != nil {
			return "", err
		}
	}
	if got.Positive {
		return "kept", nil
	}
	return "gone", nil
}

// waitForMailbox logs in. The server may not have noticed yet that the last
// session hung up, and then says [IN-USE]: that is asked again, each time on
// a round trip of its own.
func (c *Talk) waitForMailbox(s login.Secrets) error {
	for range 1000 {
		got, err := c.LogIn(s.Name, s.Password)
		if err != nil || got.Positive {
			return err
		}
		if head(login.POP3, got.Line) != "-ERR [IN-USE]" {
			return fmt.Errorf("login answered %s", head(login.POP3, got.Line))
		}
	}
	return errors.New("the mailbox stays in use")
}
