package compliance

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// The server's certificate.

var _ = register(
	script.Case{
		ID: "tls/cert/001", Title: "Chain verifies, in time, complete", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 5.3", "RFC 7817 3", "RFC 5280 6.1", "RFC 8446 4.4.2"),
		Says: "The certificates that the server sends, the leaf first, lead a client to an authority that it trusts, " +
			"without anything that it would have to look for, and are current.",
		Steps: steps{
			onEachTLS(approach(), handshake("the handshake", unverified).Must(up), check(chainVerifies)),
		},
		Sabotage: state(func(s *login.Setup) { s.Certificate.Kind = login.CertSelfSigned }),
	},
	script.Case{
		ID: "tls/cert/002", Title: "Name matches the host the user types", Since: "2026.1",
		Level: must, Refs: refs("RFC 7817 3", "RFC 9525 6", "RFC 8314 5.1"),
		Says: "The certificate names the host by which users look for the server, as an alternative name; " +
			"a common name alone is what few clients still look at.",
		Steps: steps{
			onEachTLS(approach(), handshake("the handshake", unverified).Must(up), check(nameMatches)),
		},
		Sabotage: state(func(s *login.Setup) { s.Certificate.Kind = login.CertOtherName }),
	},
	script.Case{
		ID: "tls/cert/004", Title: "Key and signature strength", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 4.5", "RFC 5280 4.2.1.12"),
		Says: "The key has 2048 bits at least with RSA and 224 on a curve, " +
			"no signature below the authority's own is by MD5 or SHA-1, and the certificate is for servers.",
		Steps: steps{
			onEachTLS(approach(), handshake("the handshake", unverified).Must(up),
				script.Strength().Pass("strong").Fail("weak")),
		},
		Sabotage: answers("THE CERTIFICATE", "strong", "weak RSA key of 1024 bits"),
	},
)

// soon is when a certificate had better have been renewed.
const soon = 14 * 24 * time.Hour

func chainVerifies(p *script.Play) (login.Verdict, string) {
	sent := p.Talk().TLSState().PeerCertificates
	where := string(p.Transport()) + ": "
	leaf, now := sent[0], p.Now()
	options := x509.VerifyOptions{Roots: p.Door.Authority(), Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	for _, c := range sent[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(options); err != nil {
		return login.Fail, where + err.Error()
	}
	for i := range sent[1:] {
		if !bytes.Equal(sent[i].RawIssuer, sent[i+1].RawSubject) {
			return login.Warn, where + "a certificate is sent that is not the issuer of the one before it"
		}
	}
	if left := leaf.NotAfter.Sub(now); left < soon {
		return login.Warn, fmt.Sprintf("%sthe certificate ends in %d days", where, int(left.Hours()/24))
	}
	return login.Pass, ""
}

func nameMatches(p *script.Play) (login.Verdict, string) {
	leaf := p.Talk().TLSState().PeerCertificates[0]
	err := leaf.VerifyHostname(p.Name())
	switch {
	case err == nil:
		return login.Pass, ""
	case net.ParseIP(p.Name()) == nil && len(leaf.DNSNames) == 0 && strings.EqualFold(leaf.Subject.CommonName, p.Name()):
		return login.Warn, string(p.Transport()) + ": the name is the common name alone"
	default:
		return login.Fail, string(p.Transport()) + ": " + err.Error()
	}
}
