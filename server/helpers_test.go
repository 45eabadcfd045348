package server

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// patience is how long a test waits for a server that owes an answer.
const patience = 10 * time.Second

var alice = login.Account{Name: "alice", Password: "wonderland"}

// aliceWithOverride has a POP3 override password too.
var aliceWithOverride = login.Account{Name: "alice", Password: "wonderland", Override: "lookingglass"}

var bob = login.Account{Name: "bob", Password: "builder"}

// everything is a policy that gives each mechanism the same setting.
func everything(s login.Setting) login.Policy { return login.Every(mech.Names(), s) }

// open is a setup in which most things are permitted.
func open() login.Setup {
	return login.Setup{Flavour: login.Modern, Database: login.WinGate, Policy: everything(login.Allow),
		Accounts: []login.Account{alice, bob}}
}

// with changes a setup.
func with(s login.Setup, change func(*login.Setup)) login.Setup {
	change(&s)
	return s
}

// slow is open with failed logins slowed down.
func slow() login.Setup {
	return with(open(), func(s *login.Setup) { s.Posture.SlowDown = true })
}

// site is a server on loopback.
type site struct {
	*Server
	t     testing.TB
	ports map[port]string
	// issued is what alice has beside her password.
	issued login.Issued
}

// start serves a setup on all four ports until the test ends.
func start(t testing.TB, setup login.Setup, opts ...Option) *site {
	t.Helper()
	s, err := New(setup, append([]Option{withStore(testStore), withIssuer(testIssuer)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	site := &site{Server: s, t: t, ports: map[port]string{}}
	if setup.Database == login.Full {
		if site.issued, err = s.Issue("alice", login.Flawless); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 4)
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			site.ports[port{p, implicit}] = l.Addr().String()
			go func() { served <- s.Serve(l, p, implicit) }()
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		for range 4 {
			if err := <-served; err != ErrClosed {
				t.Errorf("Serve returned %v", err)
			}
		}
	})
	return site
}

// testStore spares each test an authority of its own.
var testStore = func() *certificates {
	c, err := newCertificates(time.Now())
	if err != nil {
		panic(err)
	}
	return c
}()

// testIssuer spares each test keys of its own.
var testIssuer = func() *issuer {
	i, err := newIssuer(login.DefaultIdentity, time.Now)
	if err != nil {
		panic(err)
	}
	return i
}()

func clientTLS() *tls.Config {
	return &tls.Config{RootCAs: testStore.pool(), ServerName: login.DefaultIdentity}
}

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

// logIn runs a login without initial response to its end, or to the refusal.
// asked reports whether the server asked for a secret.
func (c *peer) logIn(m login.Mechanism, name, password string) (answer string, asked bool) {
	c.t.Helper()
	return c.logInAs(m, mech.ClientConfig{Username: name, Password: password})
}

func (c *peer) logInAs(m login.Mechanism, config mech.ClientConfig) (answer string, asked bool) {
	c.t.Helper()
	impl, ok := mech.Get(m)
	if !ok {
		c.t.Fatalf("no mechanism %s", m)
	}
	config.Protocol, config.Host, config.Rand, config.Now = c.protocol, login.DefaultIdentity, rand.Reader, time.Now
	config.Token, config.Ticket = c.issued.Token, c.issued.Tickets[c.protocol]
	if t, ok := c.conn.(*tls.Conn); ok && config.TLS == nil {
		state := t.ConnectionState()
		config.TLS = &state
	}
	name, password := config.Username, config.Password
	client := impl.Client(config)
	switch m {
	case login.UserPass:
		if answer = c.ask("USER " + name); !strings.HasPrefix(answer, "+OK") {
			return answer, false
		}
		return c.ask("PASS " + password), true
	case login.APOP:
		response, err := client.Next([]byte(wire.Timestamp(c.greeting)))
		if err != nil {
			c.t.Fatal(err)
		}
		return c.ask("APOP " + string(response)), true
	}
	_, initial, err := client.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	answer = c.ask("AUTH " + string(m))
	for {
		challenge, more := c.challengeIn(answer)
		if !more {
			return answer, asked
		}
		asked = true
		response := initial
		if response == nil {
			if response, err = client.Next(challenge); err != nil {
				return c.ask("*"), asked
			}
		}
		initial = nil
		answer = c.ask(base64.StdEncoding.EncodeToString(response))
	}
}

func (c *peer) challengeIn(answer string) ([]byte, bool) {
	c.t.Helper()
	prefix := "334 "
	if c.protocol == login.POP3 {
		prefix = "+ "
	}
	text, ok := strings.CutPrefix(answer, prefix)
	if !ok {
		return nil, false
	}
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		c.t.Errorf("challenge %q: %v", answer, err)
	}
	return challenge, true
}

// enter logs in or fails the test.
func (c *peer) enter(m login.Mechanism, a login.Account) *peer {
	c.t.Helper()
	if answer, _ := c.logIn(m, a.Name, a.Password); !accepted(answer) {
		c.t.Fatalf("%s as %s: %s", m, a.Name, answer)
	}
	return c
}

func accepted(answer string) bool {
	return strings.HasPrefix(answer, "235 ") || strings.HasPrefix(answer, "+OK")
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

// last is the newest record.
func (s *site) last() login.Record {
	s.t.Helper()
	all := s.Record()
	if len(all) == 0 {
		s.t.Fatal("nothing was recorded")
	}
	return all[len(all)-1]
}

// b64 is one response.
func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func dialTCP(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
