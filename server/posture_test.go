package server

import (
	"crypto/tls"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// postures are the sixty of the recorded logins.
func postures(t *testing.T) recording.Cases {
	t.Helper()
	f, err := os.Open("../internal/recording/testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	cases, err := recording.ReadCases(f)
	if err != nil || len(cases) != 60 {
		t.Fatalf("%d cases, want 60: %v", len(cases), err)
	}
	return cases
}

// inPosture starts a server as the recorder of a case, and its clients.
type inPosture struct {
	*site
	recording.Case
	issued login.Issued
}

func startPosture(t *testing.T, c recording.Case, opts ...Option) *inPosture {
	t.Helper()
	s := start(t, c.Setup(recording.Secrets()), opts...)
	issued, err := s.Issue(recording.Account, login.Flawless)
	if err != nil {
		t.Fatal(err)
	}
	return &inPosture{s, c, issued}
}

// dial connects as the case's client does, without asking what certificate it
// is shown, and reads the greeting.
func (p *inPosture) dial() *peer {
	p.t.Helper()
	implicit := p.Spec.TLS == "implicit"
	c := newPeer(p.t, dialTCP(p.t, p.ports[port{p.Protocol, implicit}]), p.Protocol)
	c.issued = p.issued
	if implicit {
		c.handshake(trusting())
	}
	c.greeting = c.read()
	return c
}

func trusting() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // what is shown is looked at later
}

// inside is dial, and then inside TLS, where the posture lets anybody.
func (p *inPosture) inside() *peer {
	c := p.dial()
	if p.Spec.TLS == "starttls" {
		c.ask(map[login.Protocol]string{login.SMTP: "STARTTLS", login.POP3: "STLS"}[p.Protocol])
		c.handshake(trusting())
	}
	return c
}

// ready is inside, and ready for AUTH.
func (p *inPosture) ready() *peer {
	c := p.inside()
	if p.Protocol == login.SMTP && c.ask("EHLO client.example") == "500 5.5.1 unknown command" {
		c.want("HELO client.example", "250 ")
	}
	return c
}

func (p *inPosture) is(b *bool) bool { return b == nil || *b }

// list is what the posture lists, on a clear link or once TLS is up, in the
// words of the cases.
func (p *inPosture) mechs(encrypted bool) []string {
	if encrypted && p.Spec.MechsTLS != nil {
		return p.Spec.MechsTLS
	}
	return p.Spec.Mechs
}

// startsTLS: STARTTLS or STLS is offered in clear.
func (p *inPosture) startsTLS() bool { return strings.HasPrefix(p.Spec.TLS, "starttls") }

// TestRecorderGreets: greeting, EHLO, CAPA and the bare AUTH of every posture,
// exactly, in clear and inside TLS ("The recording server, exactly").
func TestRecorderGreets(t *testing.T) {
	for name, c := range postures(t) {
		t.Run(name, func(t *testing.T) {
			p := startPosture(t, c)
			peer := p.dial()
			greeting := `^220 lab\.test ESMTP ready$`
			if c.Protocol == login.POP3 {
				greeting = `^\+OK lab POP3 ready$`
				if c.Spec.APOP {
					greeting = `^\+OK lab POP3 ready <[^<>@ ]+\.[0-9]+@lab\.test>$`
				}
			}
			if !regexp.MustCompile(greeting).MatchString(peer.greeting) {
				t.Errorf("greeting %q", peer.greeting)
			}
			implicit := c.Spec.TLS == "implicit"
			p.lists(peer, implicit)
			if c.Spec.TLS == "starttls" {
				p.lists(p.inside(), true)
			}
		})
	}
}

func (p *inPosture) lists(c *peer, encrypted bool) {
	p.t.Helper()
	if p.Protocol == login.SMTP {
		p.listsEHLO(c, encrypted)
	} else {
		p.listsCAPA(c, encrypted)
	}
}

func (p *inPosture) listsEHLO(c *peer, encrypted bool) {
	p.t.Helper()
	got := c.ask("EHLO client.example")
	if p.Spec.EHLOReject {
		if got != "500 5.5.1 unknown command" {
			p.t.Errorf("EHLO: %q", got)
		}
		c.want("HELO client.example", "250 lab.test")
		return
	}
	want := []string{"lab.test", "SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if p.startsTLS() && !encrypted {
		want = append(want, "STARTTLS")
	}
	auth := "AUTH"
	if p.Spec.Lower {
		auth = "auth"
	}
	names := strings.Join(p.mechs(encrypted), " ")
	if names != "" && !p.Spec.AuthEqOnly {
		want = append(want, auth+" "+names)
	}
	if names != "" && p.Spec.AuthEq {
		want = append(want, auth+"="+names)
	}
	for i, line := range want {
		want[i] = "250-" + line
		if i == len(want)-1 {
			want[i] = "250 " + line
		}
	}
	if got != strings.Join(want, "\n") {
		p.t.Errorf("EHLO\n  got %q\n want %q", got, want)
	}
}

func (p *inPosture) listsCAPA(c *peer, encrypted bool) {
	p.t.Helper()
	names := p.mechs(encrypted)
	if p.is(p.Spec.CAPA) {
		want := []string{"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE"}
		if p.startsTLS() && !encrypted {
			want = append(want, "STLS")
		}
		if p.is(p.Spec.User) {
			want = append(want, "USER")
		}
		if len(names) > 0 {
			want = append(want, "SASL "+strings.Join(names, " "))
		}
		if got := c.list(); !slices.Equal(got, want) {
			p.t.Errorf("CAPA\n  got %q\n want %q", got, want)
		}
	} else if got := c.ask("CAPA"); got != "-ERR unknown command" {
		p.t.Errorf("CAPA: %q", got)
	}
	lists := p.is(p.Spec.CAPA)
	if p.Spec.AuthList != nil {
		lists = *p.Spec.AuthList
	}
	got := c.ask("AUTH")
	if !lists {
		if !strings.HasPrefix(got, "-ERR") {
			p.t.Errorf("bare AUTH: %q", got)
		}
		return
	}
	if list := c.dotted(); got != "+OK" || !slices.Equal(list, names) {
		p.t.Errorf("bare AUTH: %q %q, want %q", got, list, names)
	}
}

// TestRecorderStartsTLS: what STARTTLS and STLS come to, and which certificate
// is shown.
func TestRecorderStartsTLS(t *testing.T) {
	for name, c := range postures(t) {
		t.Run(name, func(t *testing.T) {
			p := startPosture(t, c)
			peer := p.dial()
			command, ready, refused, absent := "STARTTLS", "220 2.0.0 ready for TLS", "454 4.7.0 TLS not available", "502 5.5.1"
			if c.Protocol == login.POP3 {
				command, ready, refused, absent = "STLS", "+OK ready for TLS", "-ERR TLS not available", "-ERR unknown command"
			}
			switch c.Spec.TLS {
			case "none", "implicit":
				peer.want(command, absent)
			case "starttls-refused":
				peer.want(command, refused)
				peer.want("NOOP", map[login.Protocol]string{login.SMTP: "250", login.POP3: "-ERR"}[c.Protocol]) // and it goes on
			case "starttls-broken":
				peer.want(command, ready)
				err := tls.Client(peer.conn, trusting()).Handshake()
				if err == nil || err.Error() != "remote error: tls: handshake failure" {
					t.Errorf("handshake: %v", err)
				}
				if got := peer.read(); got != "EOF" {
					t.Errorf("after the alert: %q", got)
				}
			case "starttls":
				peer.want(command, ready)
				peer.handshake(trusting())
				peer.want(command, absent) // inside, it is not offered
			}
			if c.Spec.TLS == "starttls" || c.Spec.TLS == "implicit" {
				p.shows(peer.conn.(*tls.Conn).ConnectionState())
			}
		})
	}
}

// shows checks that the certificate is of the kind that the case names.
func (p *inPosture) shows(state tls.ConnectionState) {
	p.t.Helper()
	leaf := state.PeerCertificates[0]
	expired := leaf.NotAfter.Before(testStore.now)
	self := leaf.CheckSignatureFrom(leaf) == nil || leaf.Issuer.String() == leaf.Subject.String()
	other := leaf.VerifyHostname(recording.Host) != nil
	want := p.Spec.Cert
	if expired != (want == "expired") || self != (want == "self") || other != (want == "wrongname") {
		p.t.Errorf("certificate %q: expired %v, self-signed %v, another name %v", want, expired, self, other)
	}
	if state.Version < tls.VersionTLS12 {
		p.t.Errorf("TLS %x", state.Version)
	}
}
