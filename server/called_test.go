package server

import (
	"net"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// cameTo is a connection that has come to that address.
type cameTo struct {
	net.Conn
	address net.Addr
}

func (c cameTo) LocalAddr() net.Addr { return c.address }

// TestCalledBy: RFC 7628 3.2, a client that means another server is refused.
func TestCalledBy(t *testing.T) {
	s, err := New(with(open(), func(s *login.Setup) { s.Certificate.Kind = login.CertWildcard }), withStore(testStore))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	here := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 587}
	for _, row := range []struct {
		name, host string
		address    net.Addr
		want       bool
	}{
		{"the identity", "mail.example.test", here, true},
		{"in another letter case, with the root's dot", "MAIL.example.test.", here, true},
		{"a name of the certificate", "pop.example.test", here, true},
		{"the address", "127.0.0.1", here, true},
		{"the address as IPv6 has it", "[::ffff:127.0.0.1]", here, true},
		{"localhost on loopback", "localhost", here, true},
		{"localhost elsewhere", "localhost", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, false},
		{"another address", "192.0.2.1", here, false},
		{"another name", "evil.example", here, false},
		{"a name that begins alike", "mail.example.test.evil.example", here, false},
		{"where there is no address", "127.0.0.1", &net.UnixAddr{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &session{server: s, raw: cameTo{address: row.address}}
			if got := c.calledBy(row.host); got != row.want {
				t.Errorf("%q: %v", row.host, got)
			}
		})
	}
}
