package server

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// experiments show what a server does: what a mutant must change somewhere.
// Cheap ones come first.
var experiments = []func(t *testing.T, bug Bug) facts{
	relaying,
	func(t *testing.T, bug Bug) facts { return sequences(start(t, under(login.Secure), WithBug(bug))) },
	func(t *testing.T, bug Bug) facts { return sequences(start(t, under(login.Allow), WithBug(bug))) },
	func(t *testing.T, bug Bug) facts { return challenges(start(t, open(), WithBug(bug))) },
	encryption,
	func(t *testing.T, bug Bug) facts { return mailboxes(start(t, open(), WithBug(bug))) },
	failures,
	logins(under(login.Deny)),
	logins(under(login.Secure)),
	logins(login.Setup{Flavour: login.Classic, Database: login.WinGate, Policy: everything(login.Allow), Accounts: []login.Account{aliceWithOverride}}),
	logins(login.Setup{Flavour: login.Classic, Database: login.NT, Policy: everything(login.Allow), Accounts: []login.Account{alice}}),
	logins(login.Setup{Flavour: login.Modern, Database: login.NT, Policy: everything(login.Allow), Accounts: []login.Account{aliceWithOverride}}),
}

// under is a setup with one setting for everything.
func under(s login.Setting) login.Setup {
	return with(open(), func(setup *login.Setup) { setup.Policy = everything(s) })
}

type facts []string

func (f *facts) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// codes is the part of an answer that machines read.
func codes(answer string) string {
	words := strings.SplitN(answer, " ", 3)
	if len(words) < 2 || words[0][0] < '0' && !strings.HasPrefix(words[1], "[") {
		return words[0]
	}
	return words[0] + " " + words[1]
}

// secured starts TLS if the server lets us.
func (c *peer) secured() bool {
	c.t.Helper()
	if !strings.HasPrefix(c.ask(startTLS[c.protocol].say), startTLS[c.protocol].want) {
		return false
	}
	c.handshake(clientTLS())
	return true
}

// logins tries each mechanism with each password over each link.
func logins(setup login.Setup) func(*testing.T, Bug) facts {
	return func(t *testing.T, bug Bug) (f facts) {
		s := start(t, setup, WithBug(bug))
		for _, impl := range mech.All() {
			for _, p := range impl.Protocols {
				for _, encrypted := range []bool{false, true} {
					for _, who := range []mech.ClientConfig{
						{Username: "alice", Password: "wonderland"},
						{Username: "alice", Password: "lookingglass"},
						{Username: "alice", Password: "wrong"},
						{Username: "ghost", Password: "wonderland"},
						{Username: "alice", Password: "wonderland", NTLM: login.NTLMv1},
					} {
						if who.NTLM == "" || impl.Name == login.NTLM {
							f.login(s.hello(p), impl.Name, who, encrypted)
						}
					}
				}
			}
		}
		return f
	}
}

func (f *facts) login(c *peer, m login.Mechanism, who mech.ClientConfig, encrypted bool) {
	c.t.Helper()
	if encrypted && !c.secured() {
		f.add("%s: no TLS", c.protocol)
		return
	}
	shown := c.shows(m)
	answer, asked := c.logInAs(m, who)
	f.add("%s %s encrypted %t, %s %s: shown %t, asked %t, %s", c.protocol, m, encrypted, who.Password, who.NTLM, shown, asked, codes(answer))
	c.quit()
}

// sequences are commands in odd orders and odd spellings.
func sequences(s *site) (f facts) {
	plain := b64("\x00alice\x00wonderland")
	for _, of := range []struct {
		protocol login.Protocol
		talks    [][]string
	}{
		{login.SMTP, [][]string{
			{"AUTH PLAIN"}, {"EHLO x", "RSET", "AUTH PLAIN"}, {"EHLO x", "AUTH PLAIN " + plain, "AUTH PLAIN"},
			{"EHLO x", "MAIL FROM:<a@b.example>", "AUTH PLAIN"}, {"EHLO x", "auth plain"}, {"EHLO x", "AUTH PLAIN " + plain},
			{"EHLO x", "AUTH PLAIN !" + plain}, {"EHLO x", "AUTH PLAIN", "*"}, {"EHLO x", "STARTTLSX"},
		}},
		{login.POP3, [][]string{{"USER alice", "PASS wonderland", "AUTH"}, {"AUTH plain"}}},
	} {
		for _, talk := range of.talks {
			c := s.dial(of.protocol, login.Plain)
			answers := ""
			for _, line := range talk {
				answers += codes(c.ask(line)) + ", "
			}
			f.add("%q: %s", talk, answers)
			_ = c.conn.Close()
			if of.protocol == login.POP3 {
				s.freed()
			}
		}
	}
	return f
}

// freed waits until the server has let go of alice's mailbox.
func (s *site) freed() {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		if _, err := s.mail.open("alice", false); err == nil {
			s.mail.release("alice")
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("alice's mailbox stays in use")
		}
	}
}

// challenges tells whether they repeat.
func challenges(s *site) (f facts) {
	first, second := s.pop3(login.Plain), s.pop3(login.Plain)
	f.add("timestamps repeat %t", first.greeting == second.greeting)
	f.add("challenges repeat %t", first.ask("AUTH CRAM-MD5") == second.ask("AUTH CRAM-MD5"))
	return f
}

// encryption is about the upgrade, versions and the start of a server.
func encryption(t *testing.T, bug Bug) (f facts) {
	t.Helper()
	s := start(t, open(), WithBug(bug))
	c := s.hello(login.POP3)
	c.send("STLS\r\nCAPA\r\n")
	if got := c.read(); strings.HasPrefix(got, "+OK") {
		c.handshake(clientTLS())
		f.add("injected and answered: %s", codes(c.read()))
	}
	c = s.hello(login.SMTP)
	if c.secured() {
		f.add("before EHLO, inside TLS: %s", codes(c.ask("MAIL FROM:<a@b.example>")))
	}
	c = s.hello(login.POP3)
	c.send("STLS\r\n")
	c.read()
	c.send("CAPA\r\n")
	alert, _ := c.r.Peek(1)
	f.add("after a failed handshake: %q", alert)
	c = s.hello(login.SMTP)
	if strings.HasPrefix(c.ask("STARTTLS"), "220") {
		config := clientTLS()
		only(tls.VersionTLS10)(config)
		f.add("TLS 1.0: %t", tls.Client(c.conn, config).Handshake() == nil)
	}
	classic := open()
	classic.Flavour = login.Classic
	f.add("implicit TLS in classic: %t", start(t, classic, WithBug(bug)).Implicit())
	classic.Certificate.Kind = login.CertKeyMismatch
	_, err := New(classic, withStore(testStore), WithBug(bug))
	f.add("started with another's key: %t", err == nil)
	return f
}

func relaying(t *testing.T, bug Bug) (f facts) {
	t.Helper()
	for _, trust := range []login.Trust{
		{}, {DemandAuth: true}, {Interfaces: []string{"127.0.0.1"}}, {Assumptions: []login.Assumption{{Address: "127.0.0.0/8"}}},
	} {
		setup := open()
		setup.Trust = trust
		s := start(t, setup, WithBug(bug))
		for _, to := range []string{"alice@example.test", "somebody@elsewhere.example"} {
			f.add("%+v, to %s: %s", trust, to, codes(s.smtp(login.Plain).mail(to, "x")))
		}
	}
	return f
}

func mailboxes(s *site) (f facts) {
	if err := s.Deliver("alice", []byte("Subject: x\r\n\r\nbody\r\n")); err != nil {
		s.t.Fatal(err)
	}
	c := s.pop3(login.Plain)
	answer, _ := c.logIn(login.CRAMMD5, "alice", "wonderland")
	if !accepted(answer) {
		f.add("no login: %s", answer)
		return f
	}
	second, _ := s.pop3(login.Plain).logIn(login.CRAMMD5, "alice", "wonderland")
	f.add("second session: %s", codes(second))
	f.add("DELE: %s", codes(c.ask("DELE 1")))
	_ = c.conn.Close()
	s.freed()
	f.add("left: %d", len(s.mail.box("alice").messages))

	c = s.hello(login.POP3)
	if !c.secured() {
		return f
	}
	raw := c.conn.(*tls.Conn).NetConn()
	c.enter(login.CRAMMD5, alice)
	c.send("RETR 1\r\n")
	octet := make([]byte, 1)
	_, _ = raw.Read(octet)
	f.add("first octet of a message: %q", octet)
	return f
}

func failures(t *testing.T, bug Bug) (f facts) {
	t.Helper()
	s := start(t, slow(), WithBug(bug), WithClock(NewVirtualClock(time.Unix(1_800_000_000, 0))))
	c := s.hello(login.SMTP)
	for range 4 {
		answer := c.ask("AUTH PLAIN " + b64("\x00alice\x00wrong"))
		f.add("failure: %s, %d ms", codes(answer), s.last().DelayMS)
		if strings.HasPrefix(answer, "421") || strings.HasPrefix(answer, "235") {
			break
		}
	}
	return f
}
