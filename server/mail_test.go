package server

import (
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// mail runs a transaction and returns the answer to the message, or the first
// refusal.
func (c *peer) mail(to, message string) string {
	c.t.Helper()
	for _, line := range []string{"MAIL FROM:<sender@elsewhere.example>", "RCPT TO:<" + to + ">", "DATA"} {
		if answer := c.ask(line); answer[0] > '3' {
			return answer
		}
	}
	return c.ask(message + "\r\n.")
}

// TestThere: mail that SMTP took is there by POP3, over each transport, as it
// was, with the trace that says how it came.
func TestThere(t *testing.T) {
	for transport, with := range map[login.Transport]string{
		login.Plain: "with ESMTPA;", login.StartTLS: "with ESMTPSA tls TLS_AES_128_GCM_SHA256;", login.TLS: "with ESMTPSA tls"} {
		s := start(t, open())
		body := "Subject: hello\r\n\r\n..two dots\r\n" + strings.Repeat("x", 5000) + "\r\nend"
		c := s.smtp(transport).enter(login.PLAIN, bob)
		if got := c.mail("alice@example.test", body); !strings.HasPrefix(got, "250 2.") {
			t.Fatalf("%s: %s", transport, got)
		}
		p := s.pop3(transport).enter(login.UserPass, alice)
		p.want("RETR 1", "+OK")
		got := strings.Join(p.dotted(), "\r\n")
		if !strings.HasSuffix(got, "\r\n"+body) {
			t.Errorf("%s: got %q", transport, got)
		}
		if !strings.HasPrefix(got, "Return-Path: <sender@elsewhere.example>\r\nReceived: from client.example ([127.0.0.1])\r\n\tby mail.example.test with ") ||
			!strings.Contains(got, with) {
			t.Errorf("%s: trace %.300q", transport, got)
		}
		if strings.Contains(got, bob.Password) {
			t.Errorf("%s: the trace tells the password", transport)
		}
	}
}

// TestSmuggling: only CR LF . CR LF ends a message, and one with a bare CR or
// LF is not taken (RFC 5321 2.3.8, 4.1.1.4).
func TestSmuggling(t *testing.T) {
	s := start(t, open())
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r.\n", "\r\n.\r", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n.\r\r\n"} {
		c := s.smtp(login.Plain)
		for _, line := range []string{"MAIL FROM:<a@b.example>", "RCPT TO:<alice@example.test>", "DATA"} {
			c.ask(line)
		}
		c.send("Subject: x\r\n\r\nbody" + end + "MAIL FROM:<evil@b.example>\r\nNOOP\r\n.\r\n")
		c.wantRead("550 5.6.0 ")
		c.want("NOOP", "250 ")
	}
	// A dot line behind CR CR LF is the end, though go-smtp does not think so.
	c := s.smtp(login.Plain)
	for _, line := range []string{"MAIL FROM:<a@b.example>", "RCPT TO:<alice@example.test>", "DATA"} {
		c.ask(line)
	}
	c.send("body\r\r\n.\r\n")
	c.wantRead("550 5.6.0 ")
	if n := len(s.mail.box("alice").messages); n != 0 {
		t.Errorf("%d messages were taken", n)
	}
	if got := c.mail("alice@example.test", "..\r\n.x\r\n..."); !strings.HasPrefix(got, "250 ") {
		t.Errorf("dots: %s", got)
	}
	stored := string(s.mail.box("alice").messages[0].data)
	if !strings.HasSuffix(stored, "\r\n.\r\nx\r\n..\r\n") { // RFC 5321 4.5.2
		t.Errorf("transparency: %q", stored)
	}
}

// TestSizes: too large, too many, too full.
func TestSizes(t *testing.T) {
	s := start(t, open(), WithLimits(Limits{MessageSize: 1000, MailboxSize: 1500, Recipients: 2}))
	c := s.smtp(login.Plain)
	c.want("MAIL FROM:<a@b.example> SIZE=1001", "552 5.3.4 ")
	if got := c.mail("alice@example.test", strings.Repeat("x", 1200)); !strings.HasPrefix(got, "552 5.3.4 ") {
		t.Errorf("too large: %s", got)
	}
	for i, want := range []string{"250 ", "452 4.2.2 "} {
		if got := c.mail("alice@example.test", strings.Repeat("x", 900)); !strings.HasPrefix(got, want) {
			t.Errorf("message %d: %s", i, got)
		}
	}
	converse(t, c, "RFC 5321 4.5.3.1.10", []exchange{{"MAIL FROM:<>", "250 "}, {"RCPT TO:<alice@example.test>", "250 "},
		{"RCPT TO:<bob@example.test>", "250 "}, {"RCPT TO:<postmaster>", "452 4.5.3 "}, {"RSET", "250 "}})
	if got := c.mail("bob@example.test", strings.Repeat(strings.Repeat("x", 900)+"\r\n", 30)); !strings.HasPrefix(got, "552 ") {
		t.Errorf("endless: %s", got)
	}
}

// TestBrokenLinesCount: what a message costs is counted in octets, of lines
// that are none too; many short ones do not make it a large one.
func TestBrokenLinesCount(t *testing.T) {
	s := start(t, open(), WithLimits(Limits{MessageSize: 100 << 10}))
	for _, tt := range []struct {
		name, octets string
		large        bool
	}{
		{"a long line with LF alone", strings.Repeat("x", 201<<10) + "\n", true},
		{"long lines with LF alone", strings.Repeat(strings.Repeat("x", 7<<10)+"\n", 29), true},
		{"short lines with LF alone", strings.Repeat("x\n", 500), false},
		{"a line too long", strings.Repeat("x", 201<<10) + "\r\n", true},
		{"lines too long", strings.Repeat(strings.Repeat("x", longestText+1)+"\r\n", 3), false},
		{"lines with NUL", strings.Repeat("\x00\r\n", 500), false},
		{"long lines with NUL", strings.Repeat("\x00"+strings.Repeat("x", 50<<10)+"\r\n", 5), true},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			c := s.smtp(login.Plain)
			converse(t, c, "RFC 5321 4.1.1.4", []exchange{{"MAIL FROM:<>", "250 "}, {"RCPT TO:<alice@example.test>", "250 "}, {"DATA", "354 "}})
			c.send(tt.octets)
			if tt.large { // and its end does not come
				c.wantRead("552 5.3.4 ")
				c.wantRead("EOF")
				return
			}
			c.want("\r\n.", "550 5.6.0 ")
			c.want("NOOP", "250 ")
		})
	}
}

// somewhere is a connection between addresses of our choice.
type somewhere struct {
	net.Conn
	local, remote string
}

func (s somewhere) LocalAddr() net.Addr  { return tcpAddr(s.local) }
func (s somewhere) RemoteAddr() net.Addr { return tcpAddr(s.remote) }

func tcpAddr(addr string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 25))
}

// fromTo is a session between two addresses.
func (s *site) fromTo(remote, local string) *peer {
	s.t.Helper()
	near, far := net.Pipe()
	go s.ServeConn(somewhere{far, local, remote}, login.SMTP, false)
	c := newPeer(s.t, near, login.SMTP)
	c.wantRead("220 ")
	c.want("EHLO client.example", "250-")
	return c
}

// TestRelay is rule 6.
func TestRelay(t *testing.T) {
	trusting := login.Trust{
		Interfaces: []string{"10.0.0.1", "fd00::1"},
		Assumptions: []login.Assumption{
			{Address: "192.0.2.7", Account: "bob"}, {Address: "192.0.2.0/24", Account: "alice"}, {Address: "2001:db8::/32", Account: "alice"}},
	}
	demanding := trusting
	demanding.DemandAuth = true
	for _, tt := range []struct {
		name, remote, local string
		logIn               bool
		trust               login.Trust
		want, account       string
	}{
		{"stranger", "198.51.100.1", "203.0.113.1", false, trusting, "550 5.7.1 ", ""},
		{"stranger, login demanded", "198.51.100.1", "203.0.113.1", false, demanding, "530 5.7.0 ", ""},
		{"logged in", "198.51.100.1", "203.0.113.1", true, trusting, "250 ", "alice"},
		{"logged in, login demanded", "198.51.100.1", "203.0.113.1", true, demanding, "250 ", "alice"},
		{"trusted interface", "198.51.100.1", "10.0.0.1", false, trusting, "250 ", ""},
		{"trusted interface, IPv6", "2001:db9::1", "fd00::1", false, demanding, "250 ", ""},
		{"its neighbour", "198.51.100.1", "10.0.0.2", false, trusting, "550 ", ""},
		{"assumption", "192.0.2.9", "203.0.113.1", false, demanding, "250 ", "alice"},
		{"narrower assumption", "192.0.2.7", "203.0.113.1", false, trusting, "250 ", "bob"},
		{"mapped address", "::ffff:192.0.2.7", "203.0.113.1", false, trusting, "250 ", "bob"},
		{"assumption, IPv6", "2001:db8::5", "203.0.113.1", false, trusting, "250 ", "alice"},
		{"no assumption", "192.0.3.1", "203.0.113.1", false, trusting, "550 ", ""},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			s := start(t, with(open(), func(s *login.Setup) { s.Trust = tt.trust }))
			c := s.fromTo(tt.remote, tt.local)
			if tt.logIn {
				c.enter(login.CRAMMD5, alice)
			}
			if got := c.mail("somebody@elsewhere.example", "x"); !strings.HasPrefix(got, tt.want) {
				t.Errorf("relay: %s, want %s", got, tt.want)
			}
			c.ask("RSET")
			if got := c.mail("alice@example.test", "x"); !strings.HasPrefix(got, "250 ") {
				t.Errorf("local: %s", got)
			}
			relayed := s.Relayed()
			if strings.HasPrefix(tt.want, "250") != (len(relayed) == 1) {
				t.Fatalf("%d relayed", len(relayed))
			}
			if len(relayed) == 1 && (relayed[0].Account != tt.account || !slices.Equal(relayed[0].To, []string{"somebody@elsewhere.example"})) {
				t.Errorf("recorded %+v", relayed[0])
			}
			c.want("MAIL FROM:<>", "250 ")
			if got := c.ask("RCPT TO:<x@squeaky>"); got[0] != '5' { // RFC 6409 4.2
				t.Errorf("half a domain: %s", got)
			}
		})
	}
}

// TestFailedLoginIsNoTrust: neither a failed nor a cancelled login helps.
func TestFailedLoginIsNoTrust(t *testing.T) {
	c := start(t, open()).smtp(login.Plain)
	c.want("AUTH PLAIN "+b64("\x00alice\x00x"), "535 ")
	c.want("AUTH PLAIN", "334 ")
	c.want("*", "501 ")
	if got := c.mail("somebody@elsewhere.example", "x"); !strings.HasPrefix(got, "550 5.7.1 ") {
		t.Errorf("relay: %s", got)
	}
}

// TestBadTrust: what cannot be understood is refused when the server starts.
func TestBadTrust(t *testing.T) {
	for name, trust := range map[string]login.Trust{
		"interface": {Interfaces: []string{"eth0"}}, "address": {Assumptions: []login.Assumption{{Address: "192.0.2", Account: "alice"}}}} {
		if _, err := New(with(open(), func(s *login.Setup) { s.Trust = trust }), withStore(testStore)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLoginNeedsNoEngine: a session that only logs in never starts go-smtp.
func TestLoginNeedsNoEngine(t *testing.T) {
	s := start(t, open())
	s.smtp(login.StartTLS).enter(login.PLAIN, alice).quit()
	if s.engine.smtp != nil {
		t.Error("go-smtp was started")
	}
}

// TestEngineAfterTLS: a transaction before and one after the upgrade, with
// different engines.
func TestEngineAfterTLS(t *testing.T) {
	s := start(t, open())
	c := s.smtp(login.Plain)
	if got := c.mail("alice@example.test", "in clear"); !strings.HasPrefix(got, "250 ") {
		t.Fatal(got)
	}
	c.upgrade()
	c.list()
	if got := c.mail("alice@example.test", "inside"); !strings.HasPrefix(got, "250 ") {
		t.Fatal(got)
	}
	if _, ok := c.conn.(*tls.Conn); !ok || len(s.mail.box("alice").messages) != 2 {
		t.Error("a message is missing")
	}
}
