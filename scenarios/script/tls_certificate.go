package script

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
)

// Strength looks at what the server's certificates are made of, on the current
// connection, on which TLS is up: "strong", or "weak" and why.
func Strength() *Shaking {
	return &Shaking{name: "the certificate", see: func(_ context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		if why := weakness(t.TLSState().PeerCertificates); why != "" {
			return "weak " + why, nil
		}
		return "strong", nil
	}}
}

// What a key has at least (RFC 9325 4.5).
const (
	fewestRSABits   = 2048
	fewestCurveBits = 224
)

var brokenSignatures = []x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1}

// weakness is what is wrong with the chain; "" is nothing. An authority's own
// signature on itself proves nothing and may be by whatever hash it likes.
func weakness(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "no certificate at all"
	}
	for _, c := range chain {
		switch key := c.PublicKey.(type) {
		case *rsa.PublicKey:
			if n := key.N.BitLen(); n < fewestRSABits {
				return fmt.Sprintf("RSA key of %d bits", n)
			}
		case *ecdsa.PublicKey:
			if n := key.Curve.Params().BitSize; n < fewestCurveBits {
				return fmt.Sprintf("curve of %d bits", n)
			}
		}
		if selfSigned := bytes.Equal(c.RawIssuer, c.RawSubject); !selfSigned && slices.Contains(brokenSignatures, c.SignatureAlgorithm) {
			return "signature by " + c.SignatureAlgorithm.String()
		}
	}
	// RFC 5280 4.2.1.12: who names purposes is for no other.
	named := chain[0].ExtKeyUsage
	forServers := slices.Contains(named, x509.ExtKeyUsageServerAuth) || slices.Contains(named, x509.ExtKeyUsageAny)
	if len(named)+len(chain[0].UnknownExtKeyUsage) > 0 && !forServers {
		return "purpose that is not a server's"
	}
	return ""
}
