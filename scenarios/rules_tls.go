package scenarios

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// helloForgotten: what was said before TLS does not count (RFC 3207 4.2).
func helloForgotten(ctx context.Context, s *Session) (string, error) {
	c, err := s.Open(ctx, login.SMTP, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	if err := c.StartTLS(ctx, s.Trusting()); err != nil {
		return "", err
	}
	got, err := c.Say("AUTH PLAIN")
	return codes(got.Line), err
}

// injection: a command in the same segment as STARTTLS must never take effect.
func injection(p login.Protocol) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, login.Plain)
		if err != nil {
			return "", err
		}
		defer func() { _ = c.Close() }()
		if !c.Offers(startCommand[p]) {
			return "not offered", nil
		}
		got, err := c.Say(startCommand[p] + "\r\nNOOP")
		if err != nil {
			return "ended", nil // hanging up at once is a right answer
		}
		if !got.Positive { // and so is saying why before
			if _, err := c.Answer(); err == nil {
				return "goes on in clear", nil
			}
			return "ended", nil
		}
		var clear tls.RecordHeaderError
		err = c.Upgrade(ctx, s.Trusting())
		switch {
		case c.Pending(), errors.As(err, &clear): // an answer where a handshake should be
			return "obeyed in clear", nil
		case err != nil:
			return "ended", nil // and this is another
		}
		if _, err := c.Answer(); err != nil {
			return "ended", nil // nothing was injected
		}
		return "obeyed", nil
	}
}

// failedHandshake: what is no TLS ends the session; it never goes on in clear
// (RFC 3207 4.1).
func failedHandshake(p login.Protocol) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, _ *Session) (string, error) {
		if got, err := c.Say(startCommand[p]); err != nil || !got.Positive {
			return "not offered", err
		}
		// An alert record (handshake_failure), which no server can take for a
		// hello, and a command behind it.
		if err := c.Send("\x15\x03\x01\x00\x02\x02\x28NOOP"); err != nil {
			return "ended", nil // it has hung up
		}
		for {
			line, err := c.ReadLine()
			if err != nil {
				return "ended", nil // it has hung up
			}
			c.Reshow("<octets>")
			// Its own alert may come first; a reply of the protocol may not.
			if strings.HasPrefix(line, "+OK") || len(line) > 3 && line[0] >= '2' && line[0] <= '5' && line[3] == ' ' {
				return "goes on in clear", nil
			}
		}
	})
}

// oldTLS asks for that version and no other, with the suites of its time.
func oldTLS(p login.Protocol, version uint16) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, login.Plain)
		if err != nil {
			return "", err
		}
		defer func() { _ = c.Close() }()
		config := s.Trusting()
		config.MinVersion, config.MaxVersion = version, version
		if got, err := c.Say(startCommand[p]); err != nil || !got.Positive {
			return "not offered", err
		}
		if err := c.Upgrade(ctx, config); err != nil {
			return "refused", nil // the handshake's failure is the answer
		}
		return tls.VersionName(c.TLSState().Version), nil
	}
}

// resumed: each connection shakes hands in full, though the client would
// rather not.
func resumed(p login.Protocol) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		config := s.Trusting()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			c, err := s.Open(ctx, p, login.Plain)
			if err != nil {
				return "", err
			}
			err = c.StartTLS(ctx, config)
			if err == nil {
				err = c.Hello() // a ticket comes with the first answer
			}
			again := c.TLSState().DidResume
			c.Quit()
			if err != nil || again {
				return "resumed", err
			}
		}
		return "in full", nil
	}
}
