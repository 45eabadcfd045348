package script

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What certificates are made of.
func TestWeakness(t *testing.T) {
	rsaKey := func(bits uint) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1), E: 65537}
	}
	curve := func(c elliptic.Curve) *ecdsa.PublicKey { return &ecdsa.PublicKey{Curve: c} }
	subject, issuer := []byte("subject"), []byte("issuer")
	for _, row := range []struct {
		name string
		leaf x509.Certificate
		want string
	}{
		{"RSA", x509.Certificate{PublicKey: rsaKey(2048), SignatureAlgorithm: x509.SHA256WithRSA}, ""},
		{"short RSA", x509.Certificate{PublicKey: rsaKey(1024), SignatureAlgorithm: x509.SHA256WithRSA}, "RSA key of 1024 bits"},
		{"P-256", x509.Certificate{PublicKey: curve(elliptic.P256()), SignatureAlgorithm: x509.ECDSAWithSHA256}, ""},
		{"short curve", x509.Certificate{PublicKey: curve(&elliptic.CurveParams{BitSize: 192})}, "curve of 192 bits"},
		{"SHA-1", x509.Certificate{PublicKey: rsaKey(4096), SignatureAlgorithm: x509.SHA1WithRSA, RawSubject: subject, RawIssuer: issuer}, "signature by SHA1-RSA"},
		{"SHA-1 of its own", x509.Certificate{PublicKey: rsaKey(4096), SignatureAlgorithm: x509.SHA1WithRSA, RawSubject: subject, RawIssuer: subject}, ""},
		{"for clients", x509.Certificate{PublicKey: rsaKey(2048), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, "purpose that is not a server's"},
		{"for both", x509.Certificate{PublicKey: rsaKey(2048), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}, ""},
		{"for all", x509.Certificate{PublicKey: rsaKey(2048), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}, ""},
	} {
		if got := weakness([]*x509.Certificate{&row.leaf}); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	if weakness(nil) == "" {
		t.Error("no certificate is a good one")
	}
}

// A condition is about what was kept, and about nothing else.
func TestWas(t *testing.T) {
	p := &Play{protocol: login.SMTP, kept: map[string]string{"start": "220 2.0.0 ready", "shake": "up TLS 1.3 X", "empty": ""}}
	for _, row := range []struct {
		name, pattern string
		want          bool
	}{
		{"start", "220", true}, {"start", Refused, false}, {"shake", Up, true}, {"shake", Alert, false},
		{"empty", "~", false}, {"never", "~", false},
	} {
		if got := Was(row.name, row.pattern)(p); got != row.want || Not(Was(row.name, row.pattern))(p) == row.want {
			t.Errorf("%s, %s: %t", row.name, row.pattern, got)
		}
	}
}

// The patterns of TLS mean the same in either protocol, and a step that sees
// one of them is found by its sabotage.
func TestShakingPatterns(t *testing.T) {
	for _, p := range login.Protocols() {
		for _, row := range []struct {
			line, pattern string
			want          bool
		}{
			{"up TLS 1.3 TLS_AES_128_GCM_SHA256", Up, true},
			{"up TLS 1.3 TLS_AES_128_GCM_SHA256", "up TLS 1.3", true},
			{"up TLS 1.3 TLS_AES_128_GCM_SHA256", "up TLS 1.2", false},
			{"hello SSL 2.0", HelloBack, true},
			{"alert 70 protocol_version", "alert 70", true},
			{"alert 70 protocol_version", "alert 7", false},
			{"clear 250 ok", InClear, true},
			{"clear 250 ok", OK, false},
			{"alert 40 handshake_failure", Refused, false},
		} {
			if got := (answer{protocol: p, line: row.line}).matches(row.pattern); got != row.want {
				t.Errorf("%s: %q, %q: %t", p, row.line, row.pattern, got)
			}
		}
	}
	s := Handshake("the handshake").Pass(Up).Warn(Alert).Because("a reason")
	if !strings.Contains(s.expects[1].because, "reason") || s.expects.good() != Up {
		t.Errorf("%+v", s.expects)
	}
}
