package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// The labels of the PEM blocks that this package writes (RFC 7468 s5, s10).
const (
	labelCertificate = "CERTIFICATE"
	labelKey         = "PRIVATE KEY"
)

// A Pair is a certificate with its private key, both in PEM.
type Pair struct {
	CertPEM []byte // the chain, leaf first; nil = no certificate
	KeyPEM  []byte // PKCS#8, not encrypted; nil = no key
}

// TLS makes the pair ready for tls.Config. A part that is missing, or a key that does not belong to the leaf, is an error. The
// validity is not looked at, since experiments serve expired certificates too: that is [Load]'s business.
func (p Pair) TLS() (tls.Certificate, error) {
	return tls.X509KeyPair(p.CertPEM, p.KeyPEM)
}

// encodeCertificates writes DER certificates as PEM, in the order given.
func encodeCertificates(ders ...[]byte) []byte {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: labelCertificate, Bytes: der})...)
	}
	return out
}

// encodeKey writes a key as PKCS#8 PEM.
func encodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: labelKey, Bytes: der}), nil
}
