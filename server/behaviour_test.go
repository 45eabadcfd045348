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
	func(t *testing.T, bug Bug) facts { return lists(start(t, under(login.Secure), WithBug(bug))) },
	secondChances,
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
						{Username: "alice", Password: "wonderland", NTLM: login.NTLMLM},
						{Username: "alice", Password: "wonderland", Authzid: "bob"},
					} {
						if (who.NTLM == "" || impl.Name == login.NTLM) && (who.Authzid == "" || impl.Name == login.PLAIN) {
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
	f.add("%s %s encrypted %t, %s %s %s: shown %t, asked %t, %s", c.protocol, m, encrypted, who.Password, who.NTLM, who.Authzid, shown, asked, codes(answer))
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
			{"EHLO x", "AUTH LOGIN", b64("ghost")},
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

// challenges tells whether they, and greetings, repeat and name the server.
func challenges(s *site) (f facts) {
	first, second := s.pop3(login.Plain), s.pop3(login.Plain)
	f.add("timestamps repeat %t", first.greeting == second.greeting)
	challenge, _ := first.challengeIn(first.ask("AUTH CRAM-MD5"))
	again, _ := second.challengeIn(second.ask("AUTH CRAM-MD5"))
	f.add("challenges repeat %t", string(challenge) == string(again))
	greeting, timestamp, _ := strings.Cut(first.greeting, "<")
	for _, said := range []string{s.smtp(login.Plain).greeting, greeting, timestamp, string(challenge)} {
		f.add("the server is named: %t", strings.Contains(said, s.identity))
	}
	return f
}

// lists are what a connection shows in clear, inside TLS and after a login.
func lists(s *site) (f facts) {
	for _, p := range login.Protocols() {
		c := s.dial(p, login.Plain)
		show := func(when string) {
			f.add("%s %s: %q", p, when, c.list())
			if p == login.POP3 {
				if answer := c.ask("AUTH"); accepted(answer) {
					f.add("%s %s, bare AUTH: %q", p, when, c.dotted())
				}
			}
		}
		show("in clear")
		if c.secured() {
			show("inside TLS")
			answer, _ := c.logIn(login.PLAIN, alice.Name, alice.Password)
			show("after " + codes(answer))
		}
	}
	return f
}

// secondChances: with nt, of somebody who has no override password.
func secondChances(t *testing.T, bug Bug) (f facts) {
	t.Helper()
	s := start(t, login.Setup{Flavour: login.Modern, Database: login.NT, Policy: everything(login.Allow),
		Accounts: []login.Account{aliceWithOverride, bob}}, WithBug(bug))
	for _, m := range []login.Mechanism{login.APOP, login.CRAMMD5} {
		answer, asked := s.pop3(login.Plain).logIn(m, bob.Name, bob.Password)
		f.add("%s without override: asked %t, %s", m, asked, codes(answer))
	}
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
	} else {
		f.add("injected and refused: %s, then %s", codes(got), codes(c.read()))
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
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		config := clientTLS()
		only(version)(config)
		f.add("%s: %t", tls.VersionName(version), s.shakes(config) != nil)
	}
	config := clientTLS()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		if state := s.shakes(config); state != nil {
			f.add("resumed: %t", state.DidResume)
		}
	}
	classic := open()
	classic.Flavour = login.Classic
	f.add("implicit TLS in classic: %t", start(t, classic, WithBug(bug)).Implicit())
	classic.Certificate.Kind = login.CertKeyMismatch
	_, err := New(classic, withStore(testStore), WithBug(bug))
	f.add("started with another's key: %t", err == nil)
	return f
}

// shakes starts TLS and returns how that went, nil if badly.
func (s *site) shakes(config *tls.Config) *tls.ConnectionState {
	s.t.Helper()
	c := s.hello(login.SMTP)
	if !strings.HasPrefix(c.ask("STARTTLS"), "220") {
		return nil
	}
	inside := tls.Client(c.conn, config)
	if inside.Handshake() != nil {
		return nil
	}
	c.conn = inside
	c.r.Reset(inside)
	c.ask("NOOP") // a session ticket comes with the answer
	state := inside.ConnectionState()
	return &state
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
		for _, m := range s.Relayed() {
			f.add("relayed for %q", m.Account)
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
		if strings.HasPrefix(answer, "421") {
			_, _ = c.conn.Write([]byte("NOOP\r\n"))
			f.add("and then: %s", codes(c.read()))
			break
		}
		if strings.HasPrefix(answer, "235") {
			break
		}
	}
	return f
}
