package scenarios

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Talk is a plain conversation, line by line, where no client's manner is
// wanted.
type Talk struct {
	*wire.Conn
	Protocol     login.Protocol
	Greeting     string
	Capabilities []string // EHLO's keywords, or CAPA's
}

// Said is an answer: its first line as it came, and its class.
type Said struct {
	Line     string
	Positive bool // 2xx, 3xx, +OK
}

// Connect opens a connection and says nothing.
func (s *Session) Connect(ctx context.Context, p login.Protocol, t login.Transport) (*Talk, error) {
	raw, err := s.Door.Dial(ctx, p, t)
	if err != nil {
		return nil, err
	}
	tap := wire.NewTap(raw)
	c := &Talk{Conn: wire.NewConn(ctx, tap, s.Limit), Protocol: p}
	s.seen = append(s.seen, Seen{p, t, c.Transcript, tap})
	return c, nil
}

// Open connects, greets and, on an encrypted transport, brings TLS up with
// the certificate checked.
func (s *Session) Open(ctx context.Context, p login.Protocol, t login.Transport) (*Talk, error) {
	c, err := s.Connect(ctx, p, t)
	if err != nil {
		return nil, err
	}
	if err := s.Greet(ctx, c, t); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// Greet reads the greeting and asks for the capabilities, inside TLS where the
// transport is encrypted.
func (s *Session) Greet(ctx context.Context, c *Talk, t login.Transport) error {
	return s.GreetBy(ctx, c, t, s.Trusting())
}

// GreetBy is Greet with another configuration of TLS.
func (s *Session) GreetBy(ctx context.Context, c *Talk, t login.Transport, config *tls.Config) error {
	if t == login.TLS {
		if err := c.Upgrade(ctx, config); err != nil {
			return fmt.Errorf("implicit TLS: %w", err)
		}
	}
	if err := c.BeGreeted(); err != nil {
		return err
	}
	if err := c.Hello(); err != nil || t != login.StartTLS {
		return err
	}
	if err := c.StartTLS(ctx, config); err != nil {
		return err
	}
	return c.Hello()
}

// BeGreeted reads the greeting.
func (c *Talk) BeGreeted() error {
	greeting, err := c.Answer()
	switch {
	case err != nil:
		return fmt.Errorf("greeting: %w", err)
	case !greeting.Positive:
		return fmt.Errorf("greeting %q", greeting.Line)
	}
	c.Greeting = greeting.Line
	if stamp := wire.Timestamp(greeting.Line); stamp != "" {
		c.Reshow(strings.Replace(greeting.Line, stamp, "<challenge>", 1))
	}
	return nil
}

// Name is what the server is called by who asks for it.
func (s *Session) Name() string { return cmp.Or(s.Host, login.DefaultIdentity) }

// Trusting checks the server's certificate against what the door says may be
// trusted, unless any will do.
func (s *Session) Trusting() *tls.Config {
	return &tls.Config{ServerName: s.Name(), RootCAs: s.Door.Authority(), MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: s.AnyCertificate} //nolint:gosec // where no secret is said
}

var startCommand = map[login.Protocol]string{login.SMTP: "STARTTLS", login.POP3: "STLS"}

// StartCommand is the command that asks for TLS.
func StartCommand(p login.Protocol) string { return startCommand[p] }

// StartTLS asks for TLS and shakes hands. What is known of the server stays as
// it was: see [Talk.Hello].
func (c *Talk) StartTLS(ctx context.Context, config *tls.Config) error {
	command := startCommand[c.Protocol]
	got, err := c.Say(command)
	if err != nil {
		return err
	}
	if !got.Positive {
		return fmt.Errorf("%s answered %q", command, got.Line)
	}
	return c.Upgrade(ctx, config)
}

// Hello asks for the capabilities.
func (c *Talk) Hello() error {
	if c.Protocol == login.SMTP {
		if err := c.Send("EHLO mailmatrix.invalid"); err != nil {
			return err
		}
		reply, err := c.ReadSMTP()
		c.Capabilities = reply.Lines
		return err
	}
	got, err := c.Say("CAPA")
	if err != nil || !got.Positive {
		return err
	}
	c.Capabilities, err = c.ReadDotted()
	return err
}

// Offers reports whether a line of the capabilities is the keyword, alone or
// with arguments.
func (c *Talk) Offers(keyword string) bool {
	for _, line := range c.Capabilities {
		if first, _, _ := strings.Cut(line, " "); strings.EqualFold(first, keyword) {
			return true
		}
	}
	return false
}

// Say says a line that holds no secret and reads the answer.
func (c *Talk) Say(line string) (Said, error) { return c.SaySecret(line, line) }

// SaySecret says line and shows shown in its place.
func (c *Talk) SaySecret(line, shown string) (Said, error) {
	if err := c.SendSecret(line, shown); err != nil {
		return Said{}, err
	}
	return c.Answer()
}

// Answer reads one.
func (c *Talk) Answer() (Said, error) {
	if c.Protocol == login.SMTP {
		r, err := c.ReadSMTP()
		return Said{r.First, r.Positive()}, err
	}
	r, err := c.ReadPOP3()
	return Said{r.Line, r.Status == wire.POP3OK || r.Status == wire.POP3Continue}, err
}

// LogIn is the login that must work everywhere: PLAIN over SMTP, USER/PASS
// over POP3.
func (c *Talk) LogIn(name, password string) (Said, error) {
	if c.Protocol == login.SMTP {
		return c.SaySecret("AUTH PLAIN "+plainMessage(name, password), "AUTH PLAIN <secret>")
	}
	if got, err := c.SaySecret("USER "+name, "USER <user>"); err != nil || !got.Positive {
		return got, err
	}
	return c.SaySecret("PASS "+password, "PASS <secret>")
}

// plainMessage is PLAIN's one message (RFC 4616 2).
func plainMessage(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
}

// Quit takes leave and hangs up. Whatever the server thinks of it, the
// experiment is over.
func (c *Talk) Quit() {
	_, _ = c.Say("QUIT")
	_ = c.Close()
}
