package scenarios

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// talk is a plain conversation, line by line, where no client's manner is
// wanted.
type talk struct {
	*wire.Conn
	protocol     login.Protocol
	greeting     string
	capabilities []string // EHLO's keywords, or CAPA's
}

// said is an answer: its first line as it came, and its class.
type said struct {
	line     string
	positive bool // 2xx, 3xx, +OK
}

// connect opens a connection and says nothing.
func (s *Session) connect(ctx context.Context, p login.Protocol, t login.Transport) (*talk, error) {
	raw, err := s.Door.Dial(ctx, p, t)
	if err != nil {
		return nil, err
	}
	tap := wire.NewTap(raw)
	c := &talk{Conn: wire.NewConn(ctx, tap, s.Limit), protocol: p}
	s.seen = append(s.seen, Seen{p, t, c.Transcript, tap})
	return c, nil
}

// open connects, greets and, on an encrypted transport, brings TLS up with
// the certificate checked.
func (s *Session) open(ctx context.Context, p login.Protocol, t login.Transport) (*talk, error) {
	c, err := s.connect(ctx, p, t)
	if err != nil {
		return nil, err
	}
	if err := s.greet(ctx, c, t); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (s *Session) greet(ctx context.Context, c *talk, t login.Transport) error {
	if t == login.TLS {
		if err := c.Upgrade(ctx, s.trusting()); err != nil {
			return fmt.Errorf("implicit TLS: %w", err)
		}
	}
	greeting, err := c.answer()
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if !greeting.positive {
		return fmt.Errorf("greeting %q", greeting.line)
	}
	c.greeting = greeting.line
	if stamp := wire.Timestamp(greeting.line); stamp != "" {
		c.Reshow(strings.Replace(greeting.line, stamp, "<challenge>", 1))
	}
	if err := c.hello(); err != nil || t != login.StartTLS {
		return err
	}
	if err := c.startTLS(ctx, s.trusting()); err != nil {
		return err
	}
	return c.hello()
}

// trusting checks the server's certificate against what the door says may be
// trusted.
func (s *Session) trusting() *tls.Config {
	return &tls.Config{ServerName: login.DefaultIdentity, RootCAs: s.Door.Authority(), MinVersion: tls.VersionTLS12}
}

var startCommand = map[login.Protocol]string{login.SMTP: "STARTTLS", login.POP3: "STLS"}

func (c *talk) startTLS(ctx context.Context, config *tls.Config) error {
	command := startCommand[c.protocol]
	got, err := c.say(command)
	if err != nil {
		return err
	}
	if !got.positive {
		return fmt.Errorf("%s answered %q", command, got.line)
	}
	return c.Upgrade(ctx, config)
}

// hello asks for the capabilities.
func (c *talk) hello() error {
	if c.protocol == login.SMTP {
		if err := c.Send("EHLO mailmatrix.invalid"); err != nil {
			return err
		}
		reply, err := c.ReadSMTP()
		c.capabilities = reply.Lines
		return err
	}
	got, err := c.say("CAPA")
	if err != nil || !got.positive {
		return err
	}
	c.capabilities, err = c.ReadDotted()
	return err
}

// offers reports whether a line of the capabilities is the keyword, alone or
// with arguments.
func (c *talk) offers(keyword string) bool {
	for _, line := range c.capabilities {
		if first, _, _ := strings.Cut(line, " "); strings.EqualFold(first, keyword) {
			return true
		}
	}
	return false
}

func (c *talk) say(line string) (said, error) { return c.saySecret(line, line) }

func (c *talk) saySecret(line, shown string) (said, error) {
	if err := c.SendSecret(line, shown); err != nil {
		return said{}, err
	}
	return c.answer()
}

func (c *talk) answer() (said, error) {
	if c.protocol == login.SMTP {
		r, err := c.ReadSMTP()
		return said{r.First, r.Positive()}, err
	}
	r, err := c.ReadPOP3()
	return said{r.Line, r.Status == wire.POP3OK || r.Status == wire.POP3Continue}, err
}

// logIn is the login that must work everywhere: PLAIN over SMTP, USER/PASS
// over POP3.
func (c *talk) logIn(name, password string) (said, error) {
	if c.protocol == login.SMTP {
		return c.saySecret("AUTH PLAIN "+plainMessage(name, password), "AUTH PLAIN <secret>")
	}
	if got, err := c.saySecret("USER "+name, "USER <user>"); err != nil || !got.positive {
		return got, err
	}
	return c.saySecret("PASS "+password, "PASS <secret>")
}

// plainMessage is PLAIN's one message (RFC 4616 2).
func plainMessage(name, password string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password))
}

// quit takes leave and hangs up. Whatever the server thinks of it, the
// experiment is over.
func (c *talk) quit() {
	_, _ = c.say("QUIT")
	_ = c.Close()
}
