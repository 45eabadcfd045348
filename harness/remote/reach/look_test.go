package reach_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// stages is a map of them, written short.
type stages = map[login.Stage]string

const ok = login.StageOK

// short is a limit that a test waits for.
const short = 500 * time.Millisecond

var (
	ehlo = map[string]string{"EHLO": "250-mail.example.test\n250-STARTTLS\n250 AUTH PLAIN LOGIN", "QUIT": "221 bye"}
	capa = map[string]string{"CAPA": "+OK\nUSER\nSTLS\nSASL PLAIN\n.", "QUIT": "+OK"}
)

// TestLook has a server for each word that a stage can have.
func TestLook(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		protocol  login.Protocol
		implicit  bool
		// limit is how long an answer is waited for, where the row waits.
		limit  time.Duration
		script func(*testing.T, *peer)
		want   stages
		// stops: the server has had enough, and no other door is asked.
		stops bool
	}{
		{"smtp", "a submission server as it should be", login.SMTP, false, 0, func(t *testing.T, p *peer) {
			p.says("220 hello")
			p.upgrades(ehlo, "220 go", good(t)).answers(ehlo)
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": ok, "certificate": ok, "hello-tls": ok,
			"auth": ok}, false},
		{"pop3", "the same", login.POP3, false, 0, func(t *testing.T, p *peer) {
			p.says("+OK hello")
			p.upgrades(capa, "+OK go", good(t)).answers(capa)
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": ok, "certificate": ok, "hello-tls": ok,
			"auth": ok}, false},
		{"smtps", "a port with TLS from the first octet", login.SMTP, true, 0, func(t *testing.T, p *peer) {
			p = p.inside(good(t))
			p.says("220 hello")
			p.answers(ehlo)
		}, stages{"dns": ok, "connect": ok, "handshake": ok, "certificate": ok, "banner": ok, "hello-tls": ok, "auth": ok}, false},
		{"silent", "RFC 5321 3.1: the server speaks first", login.SMTP, false, short, func(_ *testing.T, p *peer) { p.stays() },
			stages{"dns": ok, "connect": ok, "banner": "silent"}, false},
		{"speaks TLS", "an implicit port taken for a clear one", login.POP3, false, time.Second, func(t *testing.T, p *peer) {
			p = p.inside(good(t))
			p.says("+OK hello")
			p.answers(capa)
		}, stages{"dns": ok, "connect": ok, "banner": "speaks-tls"}, false},
		{"speaks TLS that we do not", "an alert is TLS too", login.POP3, false, time.Second, func(t *testing.T, p *peer) {
			old := good(t)
			old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			_ = p.inside(old).Conn.(*tls.Conn).Handshake()
		}, stages{"dns": ok, "connect": ok, "banner": "speaks-tls"}, false},
		{"not mail", "a web server", login.SMTP, false, 0, func(_ *testing.T, p *peer) { p.says("HTTP/1.1 400 Bad Request") },
			stages{"dns": ok, "connect": ok, "banner": "not-mail"}, false},
		{"other mail", "IMAP greets with an asterisk", login.POP3, false, 0, func(_ *testing.T, p *peer) { p.says("* OK IMAP4rev1") },
			stages{"dns": ok, "connect": ok, "banner": "not-mail"}, false},
		{"turned away for good", "RFC 5321 3.1: 554, and QUIT is still right", login.SMTP, false, 0, func(t *testing.T, p *peer) {
			p.says("554 no service for you")
			if line := p.hears(); line != "QUIT" {
				t.Errorf("after 554 the client says %q", line)
			}
		}, stages{"dns": ok, "connect": ok, "banner": "turned-away"}, false},
		{"turned away for now", "RFC 5321 3.8: 421 ends the conversation, and ours with this host", login.SMTP, false, 0,
			func(_ *testing.T, p *peer) { p.says("421 too many connections") },
			stages{"dns": ok, "connect": ok, "banner": "turned-away"}, true},
		{"turned away from the mailbox", "POP3 has one word for all", login.POP3, false, 0,
			func(_ *testing.T, p *peer) { p.says("-ERR [SYS/TEMP] come back"); p.answers(capa) },
			stages{"dns": ok, "connect": ok, "banner": "turned-away"}, false},
		{"closed", "tcp wrappers hang up without a word", login.SMTP, false, 0, func(*testing.T, *peer) {},
			stages{"dns": ok, "connect": ok, "banner": "closed"}, false},
		{"no ESMTP", "HELO lets us in, and there is no list", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "502 what?", "HELO": "250 mail", "STARTTLS": "502 what?", "QUIT": "221 bye"})
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "refused", "starttls": "not-offered"}, false},
		{"no hello at all", "a server that takes no strangers", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "550 no", "HELO": "550 no", "QUIT": "221 bye"})
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "turned-away"}, false},
		{"421 to EHLO", "it has had enough: HELO is not tried", login.SMTP, false, 0, func(t *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
			p.says("421 not now")
			if line := p.hears(); line != "" {
				t.Errorf("after 421 the client says %q", line)
			}
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "turned-away"}, true},
		{"closed on EHLO", "a server that hangs up on whom it has let in has had enough", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "closed"}, true},
		{"silent on CAPA", "a service that hangs", login.POP3, false, short, func(_ *testing.T, p *peer) {
			p.says("+OK hello")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "silent"}, false},
		{"nonsense to EHLO", "a firewall that rewrites", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
			p.says("250-one", "****")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "not-mail"}, false},
		{"no CAPA", "popa3d has none (RFC 2449 5 lets it), so nobody knows what it takes", login.POP3, false, 0, func(_ *testing.T, p *peer) {
			p.says("+OK hello")
			p.answers(map[string]string{"CAPA": "-ERR what?", "STLS": "-ERR what?", "QUIT": "+OK"})
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "not-offered"}, false},
		{"nothing on offer", "a port 25 that only takes mail in", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "250 mail", "QUIT": "221 bye"})
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "not-offered", "auth": "none"}, false},
		{"STARTTLS refused", "454: TLS is not available", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": ehlo["EHLO"], "STARTTLS": "454 no key", "QUIT": "221 bye"})
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "refused", "auth": ok}, false},
		{"STARTTLS dropped", "the process dies", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "dropped", "auth": ok}, true},
		{"STARTTLS swallowed", "somebody on the way", login.SMTP, false, short, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "silent", "auth": ok}, false},
		{"STARTTLS nonsense", "somebody on the way", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.says("ready")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "not-mail", "auth": ok}, false},
		{"injected", "CVE-2011-0411, seen from the client", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.says("220 go\r\n250 AUTH PLAIN")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "injected", "auth": ok}, false},
		{"handshake failed", "TLS 1.1 at most", login.SMTP, false, 0, func(t *testing.T, p *peer) {
			p.says("220 hello")
			old := good(t)
			old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			_ = p.upgrades(ehlo, "220 go", old).Conn.(*tls.Conn).Handshake()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": "failed", "auth": ok}, false},
		{"handshake hung up on", "no certificate", login.SMTP, false, 0, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.says("220 go")
			_, _ = p.r.Peek(1)
			_, _ = p.r.Discard(p.r.Buffered())
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": "closed", "auth": ok}, false},
		{"handshake unanswered", "a service that hangs", login.POP3, true, short, func(_ *testing.T, p *peer) { p.stays() },
			stages{"dns": ok, "connect": ok, "handshake": "silent"}, false},
		{"speaks in clear", "a clear port taken for an implicit one", login.POP3, true, 0, func(_ *testing.T, p *peer) {
			p.says("+OK hello")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "handshake": "speaks-clear"}, false},
		{"silent inside TLS", "a service that hangs behind a proxy", login.SMTP, true, time.Second, func(t *testing.T, p *peer) {
			p = p.inside(good(t))
			_ = p.Conn.(*tls.Conn).Handshake()
			p.stays()
		}, stages{"dns": ok, "connect": ok, "handshake": ok, "certificate": ok, "banner": "silent"}, false},
		{"closed inside TLS", "after the greeting, so it has had enough", login.POP3, true, 0, func(t *testing.T, p *peer) {
			p = p.inside(good(t))
			p.says("+OK hello")
			p.hears()
		}, stages{"dns": ok, "connect": ok, "handshake": ok, "certificate": ok, "banner": ok, "hello-tls": "closed"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, func(p *peer) { row.script(t, p) })
			c := caller(t)
			if row.limit > 0 {
				c.Limit = row.limit
			}
			look := c.Look(t.Context(), door(row.protocol, row.implicit, at), "ip4")
			checkStages(t, look, row.want)
			if t.Failed() {
				t.Logf("%s: %+v", row.why, look)
			}
			if got := c.Budget.Stopped() != ""; got != row.stops {
				t.Errorf("stopped %v (%q), want %v: %s", got, c.Budget.Stopped(), row.stops, row.why)
			}
			if e := c.Budget.Effort(); e.Connections != 1 {
				t.Errorf("%d connections", e.Connections)
			}
			if look.Address != at {
				t.Errorf("reached at %s, not %s", look.Address, at)
			}
			if look.From != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("from %s", look.From)
			}
		})
	}
}

// checkStages: each stage has its word, and each that is wrong a sentence.
func checkStages(t *testing.T, look reach.Look, want stages) {
	t.Helper()
	for _, s := range login.Stages() {
		status := look.Stages[s]
		if status != want[s] {
			t.Errorf("%s: %q, want %q (%s)", s, status, want[s], look.Explained[s])
		}
		sentence, said := look.Explained[s]
		if bad := status != "" && status != ok; said != bad || bad && (len(sentence) < 20 || strings.ContainsAny(sentence, "{}\r\n")) {
			t.Errorf("%s %q is explained as %q", s, status, sentence)
		}
	}
}

// TestLinks: what is offered is kept by link, and what must not be shown is not.
func TestLinks(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("+OK hello <1896.697170952@mail.example.test>")
		p = p.upgrades(map[string]string{"CAPA": "+OK\nUIDL\nSTLS\n.", "QUIT": "+OK"}, "+OK go", good(t))
		p.answers(map[string]string{"CAPA": "+OK\nUSER\nSASL PLAIN scram-sha-1\n.", "QUIT": "+OK"})
	})
	c := caller(t)
	look := c.Look(t.Context(), door(login.POP3, false, at), "ip4")
	if look.Greeting != "+OK hello <challenge>" {
		t.Errorf("greeting %q", look.Greeting)
	}
	clear, inside := look.Links[login.Plain], look.Links[login.StartTLS]
	if !clear.Open || clear.Verified || !slices.Equal(clear.Mechanisms, []login.Mechanism{login.APOP}) ||
		!slices.Equal(clear.Capabilities, []string{"UIDL", "STLS"}) {
		t.Errorf("in clear: %+v", clear)
	}
	want := []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.SCRAMSHA1}
	if !inside.Open || !inside.Verified || !slices.Equal(inside.Mechanisms, want) {
		t.Errorf("inside TLS: %+v", inside)
	}
	if _, there := look.Links[login.TLS]; there {
		t.Error("a clear port has no implicit TLS")
	}
	lines := strings.Join(inside.Transcript, "\n")
	if strings.Contains(lines, "1896") || !strings.Contains(lines, "C+ CAPA") {
		t.Errorf("transcript:\n%s", lines)
	}
	// Greeting, CAPA, STLS, handshake, CAPA, QUIT.
	if e := c.Budget.Effort(); e.Trips != 6 {
		t.Errorf("%+v", e)
	}
}

// TestCertificates: the worst that a client would refuse, and what pins and
// Trust.Any make of it.
func TestCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	stranger, err := certs.NewAuthority("somebody", now)
	if err != nil {
		t.Fatal(err)
	}
	strange := func(l certs.Leaf) *tls.Config {
		pair, err := stranger.Issue(l)
		if err != nil {
			t.Fatal(err)
		}
		c, err := pair.TLS()
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Config{Certificates: []tls.Certificate{c}}
	}
	names := []string{host}
	past, future := now.Add(-48*time.Hour), now.Add(48*time.Hour)
	for _, row := range []struct {
		name, why string
		config    *tls.Config
		want      string
	}{
		{"good", "", good(t), ok},
		{"self-signed", "nobody vouches", certificate(t, certs.Leaf{Names: names, SelfSigned: true}), "self-signed"},
		{"self-signed and expired", "who vouches comes first", certificate(t, certs.Leaf{Names: names, SelfSigned: true, NotAfter: past}), "self-signed"},
		{"unknown authority", "or a missing intermediate: nobody can tell", strange(certs.Leaf{Names: names}), "unknown-authority"},
		{"unknown and for another", "who vouches comes first", strange(certs.Leaf{Names: []string{"other.test"}}), "unknown-authority"},
		{"expired", "", certificate(t, certs.Leaf{Names: names, NotAfter: past}), "expired"},
		{"expired and for another", "when comes before for whom", certificate(t, certs.Leaf{Names: []string{"other.test"}, NotAfter: past}), "expired"},
		{"not yet", "a clock is wrong", certificate(t, certs.Leaf{Names: names, NotBefore: future}), "not-yet-valid"},
		{"other name", "RFC 9525 6.3", certificate(t, certs.Leaf{Names: []string{"other.test"}}), "other-name"},
		{"common name alone", "RFC 9525 2: it does not count", certificate(t, certs.Leaf{Names: names, CNOnly: true}), "other-name"},
		{"a client's", "RFC 5280 4.2.1.12", certificate(t, certs.Leaf{Names: names, Client: true}), "unusable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, func(p *peer) {
				p = p.inside(row.config)
				p.says("220 hello")
				p.answers(ehlo)
			})
			look := func(trust reach.Trust) reach.Look {
				c := caller(t)
				c.Trust = trust
				return c.Look(t.Context(), door(login.SMTP, true, at), "ip4")
			}
			got := look(reach.Trust{Roots: roots(t)})
			if got.Stages["certificate"] != row.want || got.Links[login.TLS].Verified != (row.want == ok) {
				t.Errorf("%q, verified %v, want %q: %s (%s)", got.Stages["certificate"], got.Links[login.TLS].Verified, row.want, row.why,
					got.Explained["certificate"])
			}
			if got.Stages["auth"] != ok {
				t.Error("the rest was not looked at")
			}
			described := got.Certificate
			if described == nil || len(described.SHA256) != 64 || described.Version != login.TLS13 || len(described.Names) != 1 {
				t.Fatalf("%+v", described)
			}
			leaf, err := tls.Dial("tcp", at.String(), &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				t.Fatal(err)
			}
			sum := pinOf(leaf.ConnectionState())
			_ = leaf.Close()
			if got := look(reach.Trust{Roots: roots(t), Pins: [][32]byte{sum}}); got.Stages["certificate"] != ok || !got.Links[login.TLS].Verified {
				t.Errorf("pinned: %q", got.Stages["certificate"])
			}
			if got := look(reach.Trust{Roots: roots(t), Any: true}); got.Stages["certificate"] != row.want || !got.Links[login.TLS].Verified {
				t.Errorf("any: %q", got.Stages["certificate"])
			}
		})
	}
}

// TestDays: a certificate's end as a date and in days.
func TestDays(t *testing.T) {
	t.Parallel()
	until := time.Now().Add(9*24*time.Hour + time.Hour)
	config := certificate(t, certs.Leaf{Names: []string{host}, NotAfter: until})
	at := serve(t, func(p *peer) { p.inside(config).says("220 hello") })
	look := caller(t).Look(t.Context(), door(login.SMTP, true, at), "ip4")
	if c := look.Certificate; c == nil || c.Days != 9 || c.Until != until.UTC().Format(time.DateOnly) || c.Issuer != "reach tests" {
		t.Errorf("%+v", c)
	}
}

// TestGuessedDoorIsNotWaitedFor: a port that nobody has named costs no more than
// a connection may take, however long an answer may.
func TestGuessedDoorIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) { p.stays() })
	c := caller(t)
	c.Connect, c.Limit = short, time.Minute
	d := door(login.SMTP, false, at)
	d.Found = login.FoundPort
	checkStages(t, c.Look(t.Context(), d, "ip4"), stages{"dns": ok, "connect": ok, "banner": "silent"})
	d.Implicit = true
	checkStages(t, c.Look(t.Context(), d, "ip4"), stages{"dns": ok, "connect": ok, "handshake": "silent"})
}

// TestUnfinished: our own deadline is no fault of the server's.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("220 hello")
		p.stays()
	})
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	c := caller(t)
	checkStages(t, c.Look(ctx, door(login.SMTP, false, at), "ip4"), stages{"dns": ok, "connect": ok, "banner": ok, "hello": "unfinished"})
	if c.Budget.Stopped() != "" {
		t.Errorf("stopped: %s", c.Budget.Stopped())
	}
}

// TestLeftAlone: once the server has had enough, no connection is made.
func TestLeftAlone(t *testing.T) {
	t.Parallel()
	c := caller(t)
	c.Budget.Stop("421 said")
	look := c.Look(t.Context(), door(login.SMTP, false, netip.MustParseAddrPort("127.0.0.1:1")), "ip4")
	checkStages(t, look, stages{"dns": ok, "connect": "stopped"})
	if c.Budget.Effort().Connections != 0 {
		t.Error("it was connected to")
	}
}

// TestReferenceServer: the good path on a server that is one.
func TestReferenceServer(t *testing.T) {
	t.Parallel()
	s, err := server.New(login.Setup{Flavour: login.Modern, Database: login.Full, Accounts: []login.Account{{Name: "alice", Password: "wonderland"}},
		Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass, login.APOP, login.CRAMMD5}, login.Secure)})
	if err != nil {
		t.Fatal(err)
	}
	var served []chan error
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, done := range served {
			if err := <-done; err != server.ErrClosed {
				t.Error(err)
			}
		}
	})
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			served = append(served, done)
			go func() { done <- s.Serve(l, p, implicit) }()
			c := caller(t)
			c.Trust.Roots = s.Authority()
			d := door(p, implicit, netip.MustParseAddrPort(l.Addr().String()))
			look := c.Look(t.Context(), d, "ip4")
			for stage, status := range look.Stages {
				if status != ok {
					t.Errorf("%s %v: %s is %s: %s", p, implicit, stage, status, look.Explained[stage])
				}
			}
			for _, tr := range d.Transports() {
				link := look.Links[tr]
				secure := slices.Contains(link.Mechanisms, login.PLAIN)
				if !link.Open || secure != tr.Encrypted() || link.Verified != tr.Encrypted() {
					t.Errorf("%s %s: %+v", p, tr, link)
				}
			}
			if e := c.Budget.Effort(); e.Connections != 1 || e.Stopped != "" {
				t.Errorf("%+v", e)
			}
		}
	}
}
