package clientsim_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// authority signs every leaf of these tests.
var authority = sync.OnceValue(func() *certs.Authority {
	a, err := certs.NewAuthority("clientsim test", time.Now())
	if err != nil {
		panic(err)
	}
	return a
})

// rsaKey is shared: making one takes a while.
var rsaKey = sync.OnceValue(func() crypto.Signer {
	k, err := certs.NewKey(certs.RSA)
	if err != nil {
		panic(err)
	}
	return k
})

func certificate(t testing.TB, leaf certs.Leaf) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	if leaf.Key == certs.RSA {
		leaf.PrivateKey = rsaKey()
	}
	pair, err := authority().Issue(leaf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return c, authority().Pool()
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	const host = login.DefaultIdentity
	names := []string{host}
	long := time.Now().Add(-2 * time.Hour)
	for _, tt := range []struct {
		name    string
		profile string
		shown   certs.Leaf
		host    string
		trust   clientsim.Trust
		want    login.Outcome
		why     string
	}{
		{"valid", "outlook", certs.Leaf{Names: names}, host, clientsim.TrustStore, login.LoggedIn, "nothing to complain of"},
		{"self-signed", "outlook", certs.Leaf{Names: names, SelfSigned: true}, host, clientsim.TrustStore, login.CertRejected, "no authority knows it"},
		{"self-signed, trusted", "outlook", certs.Leaf{Names: names, SelfSigned: true}, host, clientsim.TrustAnything, login.LoggedIn, "the user said so"},
		{"expired", "outlook", certs.Leaf{Names: names, NotAfter: long}, host, clientsim.TrustStore, login.CertRejected, "its time is over"},
		{"expired, trusted", "outlook", certs.Leaf{Names: names, NotAfter: long}, host, clientsim.TrustAnything, login.LoggedIn, "the user said so"},
		{"expired before its authority was made, Claws Mail", "claws-mail", certs.Leaf{Names: names, NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().AddDate(-1, 0, 0)}, host, clientsim.TrustStore, login.LoggedIn, "dates are another check than the chain"},
		{"other name", "outlook", certs.Leaf{Names: []string{"other.example.test"}}, host, clientsim.TrustStore, login.CertRejected, "the document: most programs complain"},
		{"other name, trusted", "outlook", certs.Leaf{Names: []string{"other.example.test"}}, host, clientsim.TrustAnything, login.LoggedIn, "the user said so"},
		{"wildcard", "outlook", certs.Leaf{Names: []string{"*.example.test"}}, "a.b.example.test", clientsim.TrustStore, login.LoggedIn, "the document: any name that ends so"},
		{"wildcard, probe", "probe", certs.Leaf{Names: []string{"*.example.test"}}, "a.b.example.test", clientsim.TrustStore, login.CertRejected, "RFC 9525: one label"},
		{"other name, Eudora 7", "eudora-7-win", certs.Leaf{Names: []string{"other.example.test"}, Key: certs.RSA}, host, clientsim.TrustStore, login.LoggedIn, "it notes the name and goes on"},
		{"self-signed, Eudora 7", "eudora-7-win", certs.Leaf{Names: names, SelfSigned: true, Key: certs.RSA}, host, clientsim.TrustStore, login.CertRejected, "it does verify the chain"},
		{"no RSA key, Eudora 7", "eudora-7-win", certs.Leaf{Names: names}, host, clientsim.TrustStore, login.NoTLS, "it knows RSA key exchange only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := []string{"S+ +OK", "C+ USER <user>", "S+ +OK", "C+ PASS <secret>", "S+ +OK", "C+ QUIT", "S+ +OK"}
			if tt.profile != "outlook" && tt.profile != "claws-mail" { // which do not ask
				script = slices.Insert(script, 1, "C+ CAPA", "S+ -ERR")
			}
			s := newScripted(t, script, login.UserPass, tt.shown)
			c := configFor(t, conversation{profile: tt.profile, protocol: login.POP3, transport: login.TLS, mechanism: login.UserPass}, s)
			c.Host, c.Trust = tt.host, tt.trust
			got := clientsim.Login(t.Context(), c)
			if got.Observation.Outcome != tt.want {
				t.Errorf("%s: %s (%s), want %s", tt.why, got.Observation.Outcome, got.Observation.Detail, tt.want)
			}
			if heard := len(got.Transcript) > 1; heard != (tt.want == login.LoggedIn) {
				t.Errorf("went on after a refused certificate, or did not go on: %q", got.Transcript)
			}
			_ = s.Close() // a refused handshake is an error there
		})
	}
}
