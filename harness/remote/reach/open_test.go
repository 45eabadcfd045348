package reach_test

import (
	"bufio"
	"crypto/tls"
	"errors"
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
