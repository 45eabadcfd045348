package certs

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	// clockSkew is how far before "now" a new certificate begins, so that a peer whose clock is a little slow accepts it.
	clockSkew = time.Hour

	authorityYears = 10
)

// An Authority is a certificate authority that exists only in memory: an ECDSA P-256 key and its self-signed certificate.
// The zero value is of no use; get one from [NewAuthority].
type Authority struct {
	now  time.Time
	cert *x509.Certificate
	key  crypto.Signer
}

// NewAuthority makes an authority called name, valid from an hour before now for ten years. The same now is the present for
// every certificate that it issues. An empty name is an error.
func NewAuthority(name string, now time.Time) (*Authority, error) {
	if name == "" {
		return nil, errors.New("certificate authority needs a name")
	}
	key, err := NewKey(ECDSA)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true, // it signs leaves, never another authority
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make authority %q: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make authority %q: %w", name, err)
	}
	return &Authority{now: now, cert: cert, key: key}, nil
}

// Pool returns a new pool with this authority as its only root: what a client that trusts it puts into tls.Config.RootCAs.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM returns the authority's own certificate, never its key.
func (a *Authority) PEM() []byte { return encodeCertificates(a.cert.Raw) }

// Issue makes a certificate for l. The pair holds the leaf alone: a peer that trusts the authority has its certificate already
// (RFC 8446 s4.4.2 lets the sender leave the trust anchor out).
//
// Names are taken as they are, since experiments need odd ones too; it is an error if there is none, or if X.509 cannot hold it.
func (a *Authority) Issue(l Leaf) (Pair, error) {
	if l.SelfSigned {
		return create(l, a.now, nil)
	}
	return create(l, a.now, a)
}

// create makes the certificate that l asks for, signed by ca, or by its own key if ca is nil.
func create(l Leaf, now time.Time, ca *Authority) (Pair, error) {
	template, err := l.template(now)
	if err != nil {
		return Pair{}, err
	}
	key := l.PrivateKey
	if key == nil {
		if key, err = NewKey(l.Key); err != nil {
			return Pair{}, err
		}
	}
	template.KeyUsage = keyUsage(key.Public())

	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("make certificate for %q: %w", template.Subject.CommonName, err)
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{CertPEM: encodeCertificates(der), KeyPEM: keyPEM}, nil
}

// newSerial draws 128 random bits. RFC 5280 s4.1.2.2 wants a positive number of at most 20 octets.
func newSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	serial, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil
}
