package server

import (
	"net"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// dial6 serves protocol p on [::1] until the test ends, and connects. The
// test is skipped where the machine has no IPv6.
func (s *site) dial6(p login.Protocol) *peer {
	s.t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		s.t.Skipf("no IPv6 loopback here: %v", err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l, p, false) // its error is that the listener is closed
	}()
	s.t.Cleanup(func() {
		_ = l.Close()
		<-served
	})
	c := newPeer(s.t, dialTCP(s.t, l.Addr().String()), p)
	c.greeting = c.read()
	return c
}

// TestIPv6Login: a session over IPv6 is like any other, inside TLS too, and
// the trace has the address as RFC 5321 4.1.3 writes it.
func TestIPv6Login(t *testing.T) {
	s := start(t, open())
	c := s.dial6(login.SMTP)
	c.list()
	c.upgrade()
	c.list()
	c.enter(login.PLAIN, bob)
	if got := c.mail("alice@example.test", "x"); !strings.HasPrefix(got, "250 ") {
		t.Errorf("mail: %s", got)
	}
	p := s.dial6(login.POP3).enter(login.APOP, alice)
	p.want("RETR 1", "+OK")
	if got := strings.Join(p.dotted(), "\n"); !strings.Contains(got, "([IPv6:::1])") {
		t.Errorf("trace %.200q", got)
	}
	p.quit()
}

// TestIPv6Trust: rule 6 for a real connection over IPv6.
func TestIPv6Trust(t *testing.T) {
	for _, tt := range []struct {
		name          string
		trust         login.Trust
		want, account string
	}{
		{"stranger", login.Trust{}, "550 5.7.1 ", ""},
		{"assumption for a network", login.Trust{Assumptions: []login.Assumption{{Address: "::/64", Account: "bob"}}}, "250 ", "bob"},
		{"assumption for another network", login.Trust{Assumptions: []login.Assumption{{Address: "2001:db8::/32", Account: "bob"}}}, "550 ", ""},
		{"assumption for IPv4", login.Trust{Assumptions: []login.Assumption{{Address: "0.0.0.0/0", Account: "bob"}}}, "550 ", ""},
		{"trusted interface", login.Trust{Interfaces: []string{"::1"}}, "250 ", ""},
		{"another interface", login.Trust{Interfaces: []string{"::2"}}, "550 ", ""},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			s := start(t, with(open(), func(s *login.Setup) { s.Trust = tt.trust }))
			c := s.dial6(login.SMTP)
			c.list()
			if got := c.mail("somebody@elsewhere.example", "x"); !strings.HasPrefix(got, tt.want) {
				t.Fatalf("relay: %s, want %s", got, tt.want)
			}
			relayed := s.Relayed()
			if wanted := strings.HasPrefix(tt.want, "250"); wanted != (len(relayed) == 1) {
				t.Fatalf("%d relayed", len(relayed))
			}
			if len(relayed) == 1 && relayed[0].Account != tt.account {
				t.Errorf("relayed for %q", relayed[0].Account)
			}
		})
	}
}
