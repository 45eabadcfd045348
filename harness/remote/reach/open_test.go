package reach_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestOpen: a conversation on each transport, ready for a login.
func TestOpen(t *testing.T) {
	t.Parallel()
	c := caller(t)
	inside := map[string]string{"CAPA": "+OK\nSASL PLAIN CRAM-MD5\n.", "QUIT": "+OK"}
	clear := serve(t, func(p *peer) {
		p.says("+OK <1896.697170952@mail.example.test>")
		p.upgrades(capa, "+OK go", good(t)).answers(inside)
	})
	implicit := serve(t, func(p *peer) {
		p = p.inside(good(t))
		p.says("+OK <1896.697170952@mail.example.test>")
		p.answers(inside)
	})
	looks := map[login.Transport]netip.AddrPort{login.Plain: clear, login.StartTLS: clear, login.TLS: implicit}
	for tr, at := range looks {
		look := c.Look(t.Context(), door(login.POP3, tr == login.TLS, at), "ip4")
		talk, err := c.Open(t.Context(), look, tr)
		if err != nil {
			t.Fatalf("%s: %v", tr, err)
		}
		if talk.Encrypted() != tr.Encrypted() || talk.Verified != tr.Encrypted() || talk.Offers("SASL") == false {
			t.Errorf("%s: encrypted %v, verified %v, %v", tr, talk.Encrypted(), talk.Verified, talk.Capabilities)
		}
		if !strings.Contains(talk.Greeting, "<1896") {
			t.Errorf("%s: APOP needs the timestamp: %q", tr, talk.Greeting)
		}
		talk.Quit()
		lines := strings.Join(talk.Transcript(), "\n")
		if strings.Contains(lines, "1896") || !strings.Contains(lines, "QUIT") {
			t.Errorf("%s:\n%s", tr, lines)
		}
		if len(talk.Tap.Octets(true)) == 0 {
			t.Errorf("%s: the tap heard nothing", tr)
		}
	}
	look := c.Look(t.Context(), door(login.POP3, true, implicit), "ip4")
	cannot := (*login.CannotError)(nil)
	if _, err := c.Open(t.Context(), look, login.Plain); !errors.As(err, &cannot) {
		t.Errorf("an implicit door has no clear link: %v", err)
	}
}

// TestOpenFails: what ends all, what ends this alone, and that a connection
// that came to nothing gives its place back.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		transport login.Transport
		script    func(*peer)
		says      string
		stops     bool
	}{
		{"no greeting", "it never let us in", login.Plain, func(*peer) {}, "greeting", false},
		{"turned away", "554 is for good, and no more than that", login.Plain, func(p *peer) { p.says("554 no") }, "554 no", false},
		{"421", "RFC 5321 3.8", login.Plain, func(p *peer) { p.says("421 enough") }, "421 enough", true},
		{"421 later", "RFC 5321 3.8", login.Plain, func(p *peer) {
			p.says("220 hello")
			p.hears()
			p.says("421 enough")
		}, "421 enough", true},
		{"hung up", "an answer was due", login.Plain, func(p *peer) {
			p.says("220 hello")
			p.hears()
		}, "no answer", true},
		{"no STARTTLS", "", login.StartTLS, func(p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "250 mail", "STARTTLS": "502 what?"})
		}, "STARTTLS: it said \"502 what?\"", false},
		{"hung up on STARTTLS", "an answer was due", login.StartTLS, func(p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "250 mail"})
		}, "no answer to STARTTLS", true},
		{"no TLS", "the rest of the server may be well", login.StartTLS, func(p *peer) {
			p.says("220 hello")
			p.answers(map[string]string{"EHLO": "250 mail"})
			p.says("220 go")
		}, "TLS", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, row.script)
			c := caller(t)
			c.Budget = budget.New(budget.Limits{Connections: 1}, nil)
			look := c.Look(t.Context(), door(login.SMTP, false, at), "ip4")
			c.Budget = budget.New(budget.Limits{Connections: 1}, nil)
			_, err := c.Open(t.Context(), look, row.transport)
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q: %s", err, row.says, row.why)
			}
			if got := c.Budget.Stopped(); (got != "") != row.stops {
				t.Errorf("stopped %q: %s", got, row.why)
			}
			if row.stops {
				stopped := (*budget.StoppedError)(nil)
				if _, err := c.Open(t.Context(), look, row.transport); !errors.As(err, &stopped) {
					t.Errorf("once stopped: %v", err)
				}
				return
			}
			done, err := c.Budget.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done()
		})
	}
}

// TestOpenUnverified: who may be listening is said, and the conversation goes on
// for who sends nothing secret.
func TestOpenUnverified(t *testing.T) {
	t.Parallel()
	other := certificate(t, certs.Leaf{Names: []string{"other.test"}})
	at := serve(t, func(p *peer) {
		p = p.inside(other)
		p.says("220 hello")
		p.answers(ehlo)
	})
	c := caller(t)
	talk, err := c.Open(t.Context(), c.Look(t.Context(), door(login.SMTP, true, at), "ip4"), login.TLS)
	if err != nil {
		t.Fatal(err)
	}
	talk.Quit()
	if talk.Verified {
		t.Error("a certificate for another name is no good")
	}
}

// TestOpenShowsCertificate: EXTERNAL needs one in the handshake.
func TestOpenShowsCertificate(t *testing.T) {
	t.Parallel()
	asking := good(t)
	asking.ClientAuth = tls.RequestClientCert
	shown := make(chan int, 2)
	at := serve(t, func(p *peer) {
		p = p.inside(asking)
		p.says("220 hello")
		p.answers(ehlo)
		shown <- len(p.Conn.(*tls.Conn).ConnectionState().PeerCertificates)
	})
	c := caller(t)
	look := c.Look(t.Context(), door(login.SMTP, true, at), "ip4")
	own := certificate(t, certs.Leaf{Names: []string{"alice"}, Client: true}).Certificates[0]
	with := *c
	with.Certificate = &own
	talk, err := with.Open(t.Context(), look, login.TLS)
	if err != nil {
		t.Fatal(err)
	}
	talk.Quit()
	if first, second := <-shown, <-shown; first+second != 1 {
		t.Errorf("shown %d and %d", first, second)
	}
}

// TestCertificateIsKeptFromStrangers: who has not proved to be the host does not
// learn who we are, in any version of TLS.
func TestCertificateIsKeptFromStrangers(t *testing.T) {
	t.Parallel()
	own := certificate(t, certs.Leaf{Names: []string{"alice"}, Client: true}).Certificates[0]
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, row := range map[string]struct {
			config *tls.Config
			any    bool
			shown  int
		}{
			"good":            {good(t), false, 1},
			"another's":       {certificate(t, certs.Leaf{Names: []string{"other.test"}}), false, 0},
			"nobody's":        {certificate(t, certs.Leaf{Names: []string{host}, SelfSigned: true}), false, 0},
			"in a laboratory": {certificate(t, certs.Leaf{Names: []string{"other.test"}}), true, 1},
		} {
			config := row.config
			config.MinVersion, config.MaxVersion = version, version
			seen := make(chan int, 2)
			config.ClientAuth = tls.RequestClientCert
			// It is called as soon as the client's certificate is there, before the
			// handshake ends.
			config.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
				seen <- len(raw)
				return nil
			}
			ended := make(chan error, 2)
			at := serve(t, func(p *peer) {
				p = p.inside(config)
				ended <- p.Conn.(*tls.Conn).Handshake()
				p.says("220 hello")
				p.answers(ehlo)
			})
			c := caller(t)
			look := c.Look(t.Context(), door(login.SMTP, true, at), "ip4")
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			for len(seen) > 0 {
				<-seen // a look has none to show
			}
			c.Certificate, c.Trust.Any = &own, row.any
			talk, err := c.Open(t.Context(), look, login.TLS)
			if (err == nil) != (row.shown > 0) || err != nil && !errors.Is(err, reach.ErrUnverified) {
				t.Errorf("%s, %x: %v", name, version, err)
			}
			if err == nil {
				talk.Quit()
			}
			if err := <-ended; (err == nil) != (row.shown > 0) {
				t.Errorf("%s, %x: the server's handshake: %v", name, version, err)
			}
			shown := 0
			for len(seen) > 0 {
				shown += <-seen
			}
			if shown != row.shown {
				t.Errorf("%s, %x: shown %d, want %d", name, version, shown, row.shown)
			}
		}
	}
}

// TestOpenHides: a caller whose secrets the server has heard says what may be
// shown of its lines.
func TestOpenHides(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) { p.says("421 opensesame") })
	c := caller(t)
	c.Hide = func(line string) string { return strings.ReplaceAll(line, "opensesame", "<hidden>") }
	_, err := c.Open(t.Context(), reach.Look{Door: door(login.SMTP, false, at), Address: at}, login.Plain)
	for _, said := range []string{fmt.Sprint(err), c.Budget.Stopped()} {
		if !strings.Contains(said, "421 <hidden>") {
			t.Errorf("%q", said)
		}
	}
}

// TestWayHeeds: a 421 said in clear to who tells the budget nothing stops all;
// what stands elsewhere in a line, or inside TLS, or in POP3, does not.
func TestWayHeeds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		protocol  login.Protocol
		says      []string // in one piece each
		clients   string   // what the client says first
		stops     bool
	}{
		{"421", "RFC 5321 3.8", login.SMTP, []string{"220 hi\r\n421 4.7.0 too many\r\n"}, "", true},
		{"in pieces", "a line may come octet by octet", login.SMTP, []string{"220 hi\r", "\n", "4", "2", "1"}, "", true},
		{"of several lines", "RFC 5321 4.2.1", login.SMTP, []string{"220 hi\r\n", "421-no\r\n421 no\r\n"}, "", true},
		{"in the words", "it is no code there", login.SMTP, []string{"220 421\r\n 421\r\n250-421 421\r\n"}, "", false},
		{"in POP3", "a message may begin so", login.POP3, []string{"+OK\r\n421 no\r\n"}, "", false},
		{"inside TLS", "a record may hold anything", login.SMTP, []string{"220 hi\r\n", "\n421"}, "\x16\x03\x01", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, func(p *peer) {
				_, _ = p.r.Peek(len(row.clients) + 1)
				for _, piece := range row.says {
					_, _ = io.WriteString(p, piece)
				}
			})
			c := caller(t)
			look := reach.Look{Door: door(row.protocol, false, at), Address: at, Links: map[login.Transport]reach.Link{login.Plain: {Open: true}}}
			conn, err := c.Way([]reach.Look{look}).Dial(t.Context(), row.protocol, login.Plain)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(conn, row.clients+"x"); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, conn)
			if got := c.Budget.Stopped(); (got != "") != row.stops || strings.Contains(got, "too many") {
				t.Errorf("stopped %q: %s", got, row.why)
			}
		})
	}
}

// TestWay: a transport goes to the first door that has it.
func TestWay(t *testing.T) {
	t.Parallel()
	naming := func(name string) netip.AddrPort {
		return serve(t, func(p *peer) {
			p.says("220 " + name)
			p.answers(map[string]string{"EHLO": "250 mail", "QUIT": "221 bye"})
		})
	}
	dead := serve(t, func(*peer) {})
	c := caller(t)
	var looks []reach.Look
	for _, at := range []netip.AddrPort{dead, naming("first"), naming("second")} {
		looks = append(looks, c.Look(t.Context(), door(login.SMTP, false, at), "ip4"))
	}
	way := c.Way(looks)
	conn, err := way.Dial(t.Context(), login.SMTP, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || line != "220 first\r\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	for p, tr := range map[login.Protocol]login.Transport{login.SMTP: login.StartTLS, login.POP3: login.Plain} {
		cannot := (*login.CannotError)(nil)
		if _, err := way.Dial(t.Context(), p, tr); !errors.As(err, &cannot) {
			t.Errorf("%s %s: %v", p, tr, err)
		}
	}
	c.Budget.Stop("421 said")
	if conn, err := way.Dial(t.Context(), login.SMTP, login.Plain); conn != nil || err == nil {
		t.Errorf("once stopped: %v, %v", conn, err)
	}
	if way.Authority() != c.Trust.Roots || way.Record() != nil || way.Close() != nil {
		t.Error("it trusts what the caller trusts, has no record, and waits for nothing")
	}
}

// TestMeter: who says twice and hears once has waited once.
func TestMeter(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("220 hello")
		p.answers(map[string]string{"EHLO": "250 mail", "QUIT": "221 bye", "TWO": "250 a", "ONE": "250 b"})
	})
	c := caller(t)
	look := c.Look(t.Context(), door(login.SMTP, false, at), "ip4")
	conn, err := c.Way([]reach.Look{look}).Dial(t.Context(), login.SMTP, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	before := c.Budget.Effort()
	r := bufio.NewReader(conn)
	for _, say := range []string{"", "ONE\r\n", "TWO\r\n"} {
		if _, err := io.WriteString(conn, say); err != nil {
			t.Fatal(err)
		}
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	_ = conn.Close()
	_ = conn.Close() // a second time gives no second place
	if e := c.Budget.Effort(); e.Trips-before.Trips != 3 {
		t.Errorf("%+v, before %+v", e, before)
	}
}
