package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// maxReplyLine is what we take from a server: RFC 5321 4.5.3.1.5 says 512, an
// NTLM challenge needs far more.
const maxReplyLine = 64 << 10

// Conn is a client's end of a mail connection. It keeps a transcript of what
// is said above TLS; its [Tap], where there is one, keeps what crosses below.
//
// A line of the transcript is "C" or "S", "+" inside TLS, a space and the
// line as it may be shown. Only the code that sends a secret knows that it is
// one, so nothing is redacted here: see [Conn.SendSecret] and [Conn.Reshow].
type Conn struct {
	raw        net.Conn
	conn       net.Conn // raw, or TLS over it
	r          *bufio.Reader
	limit      time.Duration
	encrypted  bool
	transcript []string
	stop       func() bool
	// Rewrite, where set, alters each line of the server before anybody reads
	// it: a suite that must be able to fail sabotages itself here.
	Rewrite func(line string) string
}

// NewConn takes over raw. Each read and write has limit to end in, and all of
// them end when ctx does. limit must be positive.
func NewConn(ctx context.Context, raw net.Conn, limit time.Duration) *Conn {
	c := &Conn{raw: raw, conn: raw, r: bufio.NewReader(raw), limit: limit}
	// Closing ends a read that is under way.
	c.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	return c
}

// Encrypted reports whether TLS is up.
func (c *Conn) Encrypted() bool { return c.encrypted }

// TLSState describes the TLS connection; it is the zero value without TLS.
func (c *Conn) TLSState() tls.ConnectionState {
	if t, ok := c.conn.(*tls.Conn); ok {
		return t.ConnectionState()
	}
	return tls.ConnectionState{}
}

// LocalAddr is our end of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// Transcript is what has been said so far, fit to be shown.
func (c *Conn) Transcript() []string { return c.transcript }

// Note adds a line of our own to the transcript, such as a TLS failure.
func (c *Conn) Note(text string) { c.transcript = append(c.transcript, "* "+text) }

// Send sends a line that holds no secret and adds its end.
func (c *Conn) Send(line string) error { return c.SendSecret(line, line) }

// SendSecret sends line and shows shown in its place.
func (c *Conn) SendSecret(line, shown string) error {
	buf := make([]byte, 0, len(line)+2)
	return c.SendRaw(append(append(buf, line...), '\r', '\n'), shown)
}

// SendRaw sends octets as they are, in one write, and shows shown in their
// place.
func (c *Conn) SendRaw(octets []byte, shown string) error {
	c.record("C", shown)
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
		return err
	}
	_, err := c.conn.Write(octets)
	return err
}

// Wait sets how long each further read and write may take.
func (c *Conn) Wait(limit time.Duration) { c.limit = limit }

// ReadLine reads one line from the server.
func (c *Conn) ReadLine() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return "", err
	}
	b, err := ReadLine(c.r, maxReplyLine)
	if err != nil {
		return "", err
	}
	line := string(b)
	if c.Rewrite != nil {
		line = c.Rewrite(line)
	}
	c.record("S", line)
	return line, nil
}

// Reshow replaces what the transcript shows of the line read last.
func (c *Conn) Reshow(shown string) {
	c.transcript[len(c.transcript)-1] = c.mark("S") + shown
}

// Pending reports whether the server has sent more than was read: behind the
// answer to STARTTLS that is an injection (CVE-2011-0411).
func (c *Conn) Pending() bool { return c.r.Buffered() > 0 }

// TakePending takes what the server has sent and nobody has read.
func (c *Conn) TakePending() []byte {
	pending := make([]byte, c.r.Buffered())
	n, _ := c.r.Read(pending) // all of it is there
	return pending[:n]
}

// Unread puts octets before what is read next. Nothing may be pending.
func (c *Conn) Unread(octets []byte) {
	c.r.Reset(io.MultiReader(bytes.NewReader(octets), c.conn))
}

// Upgrade runs the TLS handshake. What the server sent in clear behind its
// answer is not read as TLS: it is an error.
func (c *Conn) Upgrade(ctx context.Context, config *tls.Config) error {
	if n := c.r.Buffered(); n > 0 {
		return fmt.Errorf("%d octets in clear follow the answer to STARTTLS", n)
	}
	if err := c.raw.SetDeadline(time.Now().Add(c.limit)); err != nil {
		return err
	}
	t := tls.Client(c.raw, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	c.conn, c.encrypted = t, true
	c.r.Reset(t)
	return nil
}

// Close ends the connection at once.
func (c *Conn) Close() error {
	c.stop()
	err := c.raw.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (c *Conn) record(who, text string) {
	c.transcript = append(c.transcript, c.mark(who)+text)
}

func (c *Conn) mark(who string) string {
	if c.encrypted {
		return who + "+ "
	}
	return who + " "
}
