package server

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// peer is a client that says exactly what a test tells it to.
type peer struct {
	t        testing.TB
	conn     net.Conn
	r        *bufio.Reader
	protocol login.Protocol
	greeting string
	issued   login.Issued // what the client has beside its password
}

// showing is how the client encrypts, with its certificate if it has one.
func (c *peer) showing() *tls.Config {
	config := clientTLS()
	if c.issued.Has(login.PresentsCertificate) {
		pair, err := tls.X509KeyPair(c.issued.Certificate, c.issued.Key)
		if err != nil {
			c.t.Fatal(err)
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config
}

// dial connects and reads the greeting; over the implicit port if asked.
func (s *site) dial(p login.Protocol, t login.Transport) *peer {
	s.t.Helper()
	return s.dialWith(p, t, s.issued)
}

func (s *site) dialWith(p login.Protocol, t login.Transport, issued login.Issued) *peer {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.ports[port{p, t == login.TLS}])
	if err != nil {
		s.t.Fatal(err)
	}
	c := newPeer(s.t, conn, p)
	c.issued = issued
	if t == login.TLS {
		c.handshake(c.showing())
	}
	c.greeting = c.read()
	if t == login.StartTLS {
		c.upgrade()
	}
	return c
}

func newPeer(t testing.TB, conn net.Conn, p login.Protocol) *peer {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &peer{t: t, conn: conn, r: bufio.NewReader(conn), protocol: p}
}

func (s *site) smtp(t login.Transport) *peer {
	s.t.Helper()
	c := s.dial(login.SMTP, t)
	c.want("EHLO client.example", "250-")
	return c
}

func (s *site) pop3(t login.Transport) *peer {
	s.t.Helper()
	return s.dial(login.POP3, t)
}

// upgrade starts TLS and, in SMTP, says EHLO where it is needed for that.
func (c *peer) upgrade() {
	c.t.Helper()
	if c.protocol == login.SMTP {
		c.want("EHLO client.example", "250-")
		c.want("STARTTLS", "220 2.0.0")
	} else {
		c.want("STLS", "+OK")
	}
	c.handshake(c.showing())
}

func (c *peer) handshake(config *tls.Config) {
	c.t.Helper()
	conn := tls.Client(c.conn, config)
	if err := conn.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.conn = conn
	c.r.Reset(conn)
}

// send writes octets as they are.
func (c *peer) send(octets string) {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(octets)); err != nil {
		c.t.Fatalf("sending %.40q: %v", octets, err)
	}
}

// read reads one answer: of several lines in SMTP, one line in POP3; "EOF" if
// the server has gone.
func (c *peer) read() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				c.t.Fatalf("no answer (so far: %q)", lines)
			}
			return strings.Join(append(lines, "EOF"), "\n")
		}
		if !strings.HasSuffix(line, "\r\n") {
			c.t.Fatalf("line without CR LF: %q", line)
		}
		line = strings.TrimSuffix(line, "\r\n")
		lines = append(lines, line)
		if c.protocol == login.POP3 || len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

// dotted reads the rest of a POP3 answer of several lines.
func (c *peer) dotted() []string {
	c.t.Helper()
	lines := []string{}
	for {
		line := c.read()
		if line == "." || line == "EOF" {
			return lines
		}
		lines = append(lines, line)
	}
}

// ask sends a line and reads the answer.
func (c *peer) ask(line string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.read()
}

// want asks and demands how the answer begins.
func (c *peer) want(line, begins string) string {
	c.t.Helper()
	got := c.ask(line)
	if !strings.HasPrefix(got, begins) {
		c.t.Errorf("%.60q: got %q, want %q", line, got, begins)
	}
	return got
}

// wantRead demands how the next answer begins.
func (c *peer) wantRead(begins string) string {
	c.t.Helper()
	got := c.read()
	if !strings.HasPrefix(got, begins) {
		c.t.Errorf("got %q, want %q", got, begins)
	}
	return got
}

// list is what EHLO, or POP3's CAPA, shows.
func (c *peer) list() []string {
	c.t.Helper()
	if c.protocol == login.POP3 {
		c.want("CAPA", "+OK")
		return c.dotted()
	}
	var lines []string
	for line := range strings.SplitSeq(c.want("EHLO client.example", "250-"), "\n") {
		lines = append(lines, line[4:])
	}
	return lines
}

// shows reports whether the connection lists the mechanism.
func (c *peer) shows(m login.Mechanism) bool {
	c.t.Helper()
	if m == login.APOP {
		return strings.Contains(c.greeting, "<")
	}
	for _, line := range c.list() {
		words := strings.Fields(line)
		switch {
		case m == login.UserPass && line == "USER":
			return true
		case words[0] != "AUTH" && words[0] != "SASL":
		default:
			for _, w := range words[1:] {
				if w == string(m) {
					return true
				}
			}
		}
	}
	return false
}

// quit takes leave, so that a mailbox is free again.
func (c *peer) quit() {
	c.t.Helper()
	if c.protocol == login.POP3 {
		c.want("QUIT", "+OK")
	} else {
		c.want("QUIT", "221 2.0.0")
	}
	if got := c.read(); got != "EOF" {
		c.t.Errorf("after QUIT: %q", got)
	}
}

func clientTLS() *tls.Config {
	return &tls.Config{RootCAs: testStore.pool(), ServerName: login.DefaultIdentity}
}

func dialTCP(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
