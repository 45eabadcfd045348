package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

func testClientAuthority(t interface{ Fatal(...any) }) *clientAuthority {
	a, err := newClientAuthority(func() time.Time { return tokenDay })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// issued is a client's certificate, ready for TLS.
func issued(t interface{ Fatal(...any) }, a *clientAuthority, account string, flaw login.Flaw) tls.Certificate {
	certPEM, keyPEM, err := a.issue(account, flaw)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// certificateFlaw puts the errors of x509 into the words of login.Flaw.
func certificateFlaw(err error) login.Flaw {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return login.Flawless
	case errors.As(err, &unknown):
		return login.Forged
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return login.Expired
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return login.Elsewhere
	default:
		return login.Flaw("another: " + err.Error())
	}
}

// TestClientCertificates: each certificate has its flaw and no other, and
// goes through a handshake all the same, since a server asks for it without
// demanding a good one.
func TestClientCertificates(t *testing.T) {
	a := testClientAuthority(t)
	for _, flaw := range []login.Flaw{login.Flawless, login.Forged, login.Expired, login.Elsewhere} {
		for _, account := range []string{"alice", "alice@example.test"} {
			t.Run(account+"/"+string(flaw), func(t *testing.T) {
				chain := shown(t, a, issued(t, a, account, flaw))
				if len(chain) != 1 {
					t.Fatalf("%d certificates were shown", len(chain))
				}
				if name := mech.CertificateName(chain[0]); name != account {
					t.Errorf("it is for %q", name)
				}
				if isAddress := strings.Contains(account, "@"); isAddress != (len(chain[0].EmailAddresses) == 1) {
					t.Errorf("its mailboxes are %q", chain[0].EmailAddresses)
				}
				leaf, err := a.verify(chain, tokenDay)
				if got := certificateFlaw(err); got != flaw || (leaf != nil) != (flaw == login.Flawless) {
					t.Errorf("%v", err)
				}
			})
		}
	}
	for _, flaw := range []login.Flaw{login.Narrow, "rusty"} {
		if _, _, err := a.issue("alice", flaw); err == nil {
			t.Errorf("a certificate was issued with the flaw %q", flaw)
		}
	}
	if _, _, err := a.issue("", login.Flawless); err == nil {
		t.Error("a certificate was issued for nobody")
	}
}

// shown is what a server sees that asks for a certificate of a's.
func shown(t *testing.T, a *clientAuthority, certificate tls.Certificate) []*x509.Certificate {
	t.Helper()
	authority, err := certs.NewAuthority("server", tokenDay)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(certs.Leaf{Names: []string{"mail.example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	own, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return tokenDay }
	left, right := net.Pipe()
	t.Cleanup(func() { _, _ = left.Close(), right.Close() })
	server := tls.Server(left, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert,
		ClientCAs: a.pool(), Time: now, SessionTicketsDisabled: true})
	client := tls.Client(right, &tls.Config{RootCAs: authority.Pool(), ServerName: "mail.example.test",
		Certificates: []tls.Certificate{certificate}, Time: now})
	done := make(chan error, 1)
	go func() { done <- client.Handshake() }()
	if err = server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err = <-done; err != nil {
		t.Fatal(err)
	}
	return server.ConnectionState().PeerCertificates
}

func TestClientCertificateTimes(t *testing.T) {
	a := testClientAuthority(t)
	chain := []*x509.Certificate{issued(t, a, "alice", login.Flawless).Leaf}
	for _, row := range []struct {
		name string
		now  time.Time
		want login.Flaw
	}{
		{"when it is issued", tokenDay, login.Flawless},
		{"a year later", tokenDay.AddDate(1, 0, 0), login.Flawless},
		{"two years later", tokenDay.AddDate(2, 0, 0), login.Expired},
		{"a day before", tokenDay.AddDate(0, 0, -1), login.Expired},
	} {
		if _, err := a.verify(chain, row.now); certificateFlaw(err) != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestClientCertificatesOfOthers(t *testing.T) {
	a, other := testClientAuthority(t), testClientAuthority(t)
	servers, err := newCertificates(tokenDay)
	if err != nil {
		t.Fatal(err)
	}
	server, err := servers.load(servers.leaf(login.CertValid, "mail.example.test"))
	if err != nil {
		t.Fatal(err)
	}
	good := issued(t, a, "alice", login.Flawless).Leaf
	for _, row := range []struct {
		name  string
		chain []*x509.Certificate
	}{
		{"none", nil},
		{"another run's", []*x509.Certificate{issued(t, other, "alice", login.Flawless).Leaf}},
		{"the server's own", []*x509.Certificate{server.Leaf}},
		{"a good one behind another", []*x509.Certificate{issued(t, other, "alice", login.Flawless).Leaf, good}},
	} {
		if leaf, err := a.verify(row.chain, tokenDay); leaf != nil || err == nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestClientCertificateNames: any name of an account comes back.
func TestClientCertificateNames(t *testing.T) {
	a := testClientAuthority(t)
	names := rapid.StringMatching(`[a-z0-9._-]{1,20}(@[a-z]{1,10}\.test)?|[a-zäöü]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "name")
		leaf, err := a.verify([]*x509.Certificate{issued(t, a, name, login.Flawless).Leaf}, tokenDay)
		if err != nil || mech.CertificateName(leaf) != name {
			t.Fatalf("%v: %q", err, mech.CertificateName(leaf))
		}
	})
}

func BenchmarkClientCertificateVerify(b *testing.B) {
	a := testClientAuthority(b)
	chain := []*x509.Certificate{issued(b, a, "alice", login.Flawless).Leaf}
	for b.Loop() {
		if _, err := a.verify(chain, tokenDay); err != nil {
			b.Fatal(err)
		}
	}
}
