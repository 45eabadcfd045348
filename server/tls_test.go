package server

import (
	"crypto/tls"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// startTLS is the word for it, and the answer to a good one.
var startTLS = map[login.Protocol]exchange{login.SMTP: {"STARTTLS", "220 "}, login.POP3: {"STLS", "+OK"}}

// harmless is a command that is answered before the login.
var harmless = map[login.Protocol]exchange{login.SMTP: {"NOOP", "250 "}, login.POP3: {"CAPA", "+OK"}}

// hello dials in clear and says EHLO where that is needed.
func (s *site) hello(p login.Protocol) *peer {
	s.t.Helper()
	c := s.dial(p, login.Plain)
	if p == login.SMTP {
		c.list()
	}
	return c
}

// TestInjection: what was sent in clear behind STARTTLS never takes effect
// (RFC 3207 6, CVE-2011-0411), whole or in part.
func TestInjection(t *testing.T) {
	for _, p := range login.Protocols() {
		for _, behind := range []string{harmless[p].say + "\r\n", "NO", "\r\n", "AUTH PLAIN "} {
			s := start(t, open())
			c := s.hello(p)
			c.send(startTLS[p].say + "\r\n" + behind)
			for answer := c.read(); answer != "EOF"; answer = c.read() {
				if strings.HasPrefix(answer, startTLS[p].want) || strings.HasPrefix(answer, harmless[p].want) {
					t.Errorf("%s with %q behind: %q", p, behind, answer)
				}
			}
		}
	}
}

// TestFailedHandshake: after one, nothing is said in clear (RFC 3207 4.1).
func TestFailedHandshake(t *testing.T) {
	for _, p := range login.Protocols() {
		s := start(t, open())
		c := s.hello(p)
		c.want(startTLS[p].say, startTLS[p].want)
		c.send(harmless[p].say + "\r\n")
		rest := make([]byte, 100)
		n, _ := c.r.Read(rest) // an alert, at most
		if n > 0 && rest[0] != 21 {
			t.Errorf("%s: in clear after a failed handshake: %q", p, rest[:n])
		}
	}
}

// TestInsideTLS: once TLS is up there is no second, and what was said before
// is forgotten (RFC 3207 4.2, RFC 2595 4).
func TestInsideTLS(t *testing.T) {
	for _, transport := range []login.Transport{login.StartTLS, login.TLS} {
		s := start(t, open())
		converse(t, s.smtp(transport), "RFC 3207 4.2", []exchange{{"STARTTLS", "503 5.5.1 "}, {"NOOP", "250 "}})
		converse(t, s.pop3(transport), "RFC 2595 4", []exchange{{"STLS", "-ERR "}, {"CAPA", "+OK"}})
	}
	s := start(t, open())
	c := s.hello(login.SMTP)
	c.want("MAIL FROM:<a@b.example>", "250 ")
	c.want("STARTTLS", "220 ")
	c.handshake(clientTLS())
	converse(t, c, "RFC 3207 4.2", []exchange{
		{"AUTH PLAIN", "503 5.5.1 "}, {"MAIL FROM:<a@b.example>", "503 "}, {"EHLO x", "250-"}, {"RCPT TO:<alice@example.test>", "503 "}})
	p := s.hello(login.POP3)
	p.want("USER alice", "+OK")
	p.want("STLS", "+OK")
	p.handshake(clientTLS())
	p.want("PASS wonderland", "-ERR ")
}

// TestVersions: what each flavour speaks.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		name    string
		flavour login.Flavour
		client  func(*tls.Config)
		ok      bool
		curve   bool // the certificate shown is the elliptic one
	}{
		{"classic, TLS 1.0", login.Classic, only(tls.VersionTLS10), true, true},
		{"classic, TLS 1.2", login.Classic, only(tls.VersionTLS12), true, true},
		{"classic, TLS 1.3", login.Classic, only(tls.VersionTLS13), true, true},
		{"classic, TLS 1.0 with RSA only", login.Classic, old(tls.TLS_RSA_WITH_AES_128_CBC_SHA), true, false},
		{"classic, 3DES", login.Classic, old(tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA), true, false},
		{"modern, TLS 1.0", login.Modern, only(tls.VersionTLS10), false, false},
		{"modern, TLS 1.1", login.Modern, only(tls.VersionTLS11), false, false},
		{"modern, TLS 1.2", login.Modern, only(tls.VersionTLS12), true, true},
		{"modern, TLS 1.3", login.Modern, only(tls.VersionTLS13), true, true},
		{"modern, CBC", login.Modern, func(c *tls.Config) {
			only(tls.VersionTLS12)(c)
			c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}, false, false},
		{"ALPN of ours", login.Modern, func(c *tls.Config) { c.NextProtos = []string{"smtp"} }, true, true},
		{"ALPN of a browser", login.Modern, func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} }, false, false},
		{"modern, another name asked for", login.Modern, asking("x.example"), true, true},
		{"classic, another name asked for", login.Classic, asking("x.example"), true, true},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := start(t, with(open(), func(s *login.Setup) { s.Flavour = tt.flavour }))
			c := s.hello(login.SMTP)
			c.want("STARTTLS", "220 ")
			config := clientTLS()
			tt.client(config)
			conn := tls.Client(c.conn, config)
			err := conn.Handshake()
			if (err == nil) != tt.ok {
				t.Fatalf("handshake: %v", err)
			}
			if err == nil {
				if curve := conn.ConnectionState().PeerCertificates[0].PublicKeyAlgorithm.String() == "ECDSA"; curve != tt.curve {
					t.Errorf("elliptic %t", curve)
				}
			}
		})
	}
}

func only(version uint16) func(*tls.Config) {
	return func(c *tls.Config) {
		c.MinVersion, c.MaxVersion = version, version
		// As clients of the time had them.
		c.CipherSuites = append(modernSuites[:len(modernSuites):len(modernSuites)], oldSuites...)
	}
}

// asking is for a server of that name, whoever answers.
func asking(name string) func(*tls.Config) {
	return func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = name, true }
}

func old(suite uint16) func(*tls.Config) {
	return func(c *tls.Config) {
		only(tls.VersionTLS10)(c)
		c.CipherSuites = []uint16{suite}
	}
}

// TestNoResumption: each connection makes a full handshake.
func TestNoResumption(t *testing.T) {
	full := 0
	s := start(t, open(), withHandshakes(func() { full++ }))
	config := clientTLS()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	for range 3 {
		c := s.hello(login.SMTP)
		c.want("STARTTLS", "220 ")
		c.handshake(config)
		c.quit()
		if c.conn.(*tls.Conn).ConnectionState().DidResume {
			t.Error("resumed")
		}
	}
	if full != 3 {
		t.Errorf("%d full handshakes", full)
	}
}

// TestPostures: STARTTLS taken away, and refused.
func TestPostures(t *testing.T) {
	for _, tt := range []struct {
		stripping        login.Stripping
		listed           bool
		smtp, pop3, then string
	}{
		{login.TLSStripped, false, "500 5.5.1 ", "-ERR unknown command", "250 "},
		{login.TLSRefused, true, "454 4.7.0 ", "-ERR ", "250 "},
	} {
		s := start(t, with(open(), func(s *login.Setup) { s.Posture.StartTLS = tt.stripping }))
		c, p := s.smtp(login.Plain), s.pop3(login.Plain)
		if got := strings.Contains(strings.Join(c.list(), " "), "STARTTLS"); got != tt.listed {
			t.Errorf("%s: listed %t", tt.stripping, got)
		}
		if got := strings.Contains(strings.Join(p.list(), " "), "STLS"); got != tt.listed {
			t.Errorf("%s: STLS listed %t", tt.stripping, got)
		}
		c.want("STARTTLS", tt.smtp)
		c.want("NOOP", tt.then)
		p.want("STLS", tt.pop3)
	}

	s := start(t, with(open(), func(s *login.Setup) {
		s.Policy, s.Posture.OfferedRefused = everything(login.Allow), true
	}))
	for _, m := range []login.Mechanism{login.PLAIN, login.CRAMMD5, login.NTLM, login.GSSAPI, login.UserPass, login.APOP} {
		c := s.pop3(login.Plain)
		if !c.shows(m) {
			t.Errorf("%s is not listed", m)
		}
		answer, asked := c.logIn(m, "alice", "wonderland")
		if asked && m != login.APOP || accepted(answer) || strings.Contains(answer, "[") || s.last().Refusal != login.ByPolicy {
			t.Errorf("%s: %s, asked %t, record %+v", m, answer, asked, s.last())
		}
	}
}

// TestWithoutCertificate: no TLS to be had, and secure refuses everywhere.
func TestWithoutCertificate(t *testing.T) {
	s := start(t, with(open(), func(s *login.Setup) {
		s.Certificate.Kind, s.Policy = login.CertNone, everything(login.Secure)
	}))
	c := s.smtp(login.Plain)
	if list := strings.Join(c.list(), " "); strings.Contains(list, "STARTTLS") || strings.Contains(list, "AUTH") {
		t.Errorf("list %s", list)
	}
	c.want("STARTTLS", "502 5.5.1 ")
	c.want("AUTH PLAIN", "504 5.5.4 ")
	p := s.pop3(login.Plain)
	if strings.Contains(p.greeting, "<") {
		t.Errorf("a timestamp although APOP can never be used: %s", p.greeting)
	}
	p.want("STLS", "-ERR ")
	p.want("USER alice", "-ERR ")
}

// TestImplicit: modern has it, classic has not (rule 7), and nothing is said
// in clear there.
func TestImplicit(t *testing.T) {
	s := start(t, open())
	s.smtp(login.TLS).enter(login.PLAIN, alice)
	s.pop3(login.TLS).enter(login.UserPass, alice)
	classic := start(t, with(open(), func(s *login.Setup) { s.Flavour = login.Classic }))
	if classic.Implicit() {
		t.Error("classic says that it has implicit TLS")
	}
	c := newPeer(t, dialTCP(t, classic.ports[port{login.POP3, true}]), login.POP3)
	c.wantRead("EOF")
	c = newPeer(t, dialTCP(t, s.ports[port{login.SMTP, true}]), login.SMTP)
	c.send("EHLO x\r\n")
	b := make([]byte, 100)
	if n, _ := c.r.Read(b); n > 0 && b[0] != 21 { // an alert, at most
		t.Errorf("in clear on the TLS port: %q", b[:n])
	}
}

// TestStartup: certificate files that a server must refuse, each by name.
func TestStartup(t *testing.T) {
	untested := maps.Clone(refusedAtStart)
	for kind, word := range map[login.CertificateKind]string{
		login.CertDER: "der", login.CertPKCS7: "pkcs7", login.CertPKCS12: "pkcs12",
		login.CertEncryptedKey: "encrypted-key", login.CertKeyMismatch: "key-mismatch", login.CertExpiredFile: "expired",
	} {
		setup := with(open(), func(s *login.Setup) { s.Certificate.Kind = kind })
		_, err := New(setup, withStore(testStore))
		var refused *login.StartupError
		if !errors.As(err, &refused) || refused.Kind != word {
			t.Errorf("%s: %v", kind, err)
		}
		delete(untested, kind)
	}
	if len(untested) > 0 {
		t.Errorf("not tested: %v", untested)
	}
	// Good files, and files bad in another way, are an accident of ours.
	for _, kind := range []login.CertificateKind{login.CertValid, login.CertExpired} {
		err := testStore.refuseFiles(kind, login.DefaultIdentity)
		var refused *login.StartupError
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// TestCertificates: each kind that is shown to clients.
func TestCertificates(t *testing.T) {
	for _, tt := range []struct {
		kind    login.CertificateKind
		host    string
		problem string // what a strict client says; "" is nothing
	}{
		{login.CertValid, "mail.example.test", ""},
		{login.CertValid, "example.test", "is valid for mail.example.test"},
		{login.CertSelfSigned, "mail.example.test", "unknown authority"},
		{login.CertOtherName, "mail.example.test", "is valid for other.example.net"},
		{login.CertExpired, "mail.example.test", "expired"},
		{login.CertWildcard, "mail.example.test", ""},
		{login.CertWildcard, "a.b.example.test", "is valid for *.example.test"},
	} {
		s := start(t, with(open(), func(s *login.Setup) { s.Certificate.Kind = tt.kind }))
		c := s.hello(login.SMTP)
		c.want("STARTTLS", "220 ")
		config := clientTLS()
		config.ServerName = tt.host
		err := tls.Client(c.conn, config).Handshake()
		if tt.problem == "" && err != nil || tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)) {
			t.Errorf("%q for %s: %v", tt.kind, tt.host, err)
		}
	}
}
