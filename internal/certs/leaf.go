package certs

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// leafLife is how long a leaf lives if nobody says otherwise: just under the 398 days after which Apple's and the browsers'
// verifiers refuse a server certificate.
const leafLife = 397 * 24 * time.Hour

// A Leaf describes a certificate to be made: a server's, unless it is said to be a client's.
type Leaf struct {
	// Names go into the subject alternative names, as addresses where they parse as such. None = the common name alone.
	Names []string
	// CommonName is the subject. Empty = the first of Names.
	CommonName string
	// CNOnly leaves Names out of the subject alternative names, as certificates of the 1990s did, and those of clients do.
	CNOnly bool
	// Mailboxes go into the subject alternative names too (RFC 5280 s4.2.1.6): whom a client's certificate is for.
	Mailboxes []string
	// Client makes it good for clients alone, and not for servers (RFC 5280 s4.2.1.12).
	Client bool

	// NotBefore and NotAfter bound the validity, to the second. Zero = chosen around the present: begun an hour ago, ending
	// 397 days from now; or, where only one of them is set and that excludes the present, 397 days away from it.
	NotBefore, NotAfter time.Time

	// SelfSigned has the leaf signed by its own key in place of the authority's.
	SelfSigned bool

	// Key is the kind of key to make. It is not looked at if PrivateKey is set.
	Key KeyKind
	// PrivateKey is used in place of a new key, so that several leaves can share one (an RSA key takes a while to make).
	// It must be of a kind that PKCS#8 can hold. Nil = a new one.
	PrivateKey crypto.Signer
}

// SelfSigned makes a certificate signed by its own key, for a server that has no authority: `mailmatrix cert generate`.
//
// The common name is demanded (l.CommonName, else the first of l.Names), and is always among the subject alternative names, unless
// l.CNOnly. Every name must be a host name, an IP address or a wildcard such as *.example.test: anything else is an error that says
// what is wrong with it.
func SelfSigned(l Leaf, now time.Time) (Pair, error) {
	name := l.commonName()
	if name == "" {
		return Pair{}, errors.New("certificate needs a common name: the name under which clients reach the server")
	}
	if !slices.Contains(l.Names, name) {
		l.Names = append([]string{name}, l.Names...)
	}
	for _, n := range l.Names {
		if err := checkName(n); err != nil {
			return Pair{}, fmt.Errorf("certificate %w", err)
		}
	}
	if len(name) > maxCommonName {
		return Pair{}, fmt.Errorf("certificate %w", &nameError{name,
			"longer than the 64 characters of a common name; put it among the names and choose a shorter common name"})
	}
	return create(l, now, nil)
}

func (l Leaf) commonName() string {
	if l.CommonName == "" && len(l.Names) > 0 {
		return l.Names[0]
	}
	return l.CommonName
}

// template is the certificate to be signed, complete but for the key's part.
func (l Leaf) template(now time.Time) (*x509.Certificate, error) {
	name := l.commonName()
	if name == "" {
		return nil, errors.New("certificate needs a name")
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	notBefore, notAfter, err := l.validity(now)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		BasicConstraintsValid: true,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		EmailAddresses:        l.Mailboxes,
	}
	if l.Client {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if l.CNOnly {
		return template, nil
	}
	names := l.Names
	if len(names) == 0 {
		names = []string{name}
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	return template, nil
}

func (l Leaf) validity(now time.Time) (notBefore, notAfter time.Time, err error) {
	notBefore, notAfter = l.NotBefore, l.NotAfter
	if notBefore.IsZero() {
		notBefore = now.Add(-clockSkew)
		if !notAfter.IsZero() && !notAfter.After(notBefore) { // ended before the present
			notBefore = notAfter.Add(-leafLife)
		}
	}
	if notAfter.IsZero() {
		notAfter = now.Add(leafLife)
		if !notAfter.After(notBefore) { // begins after the present
			notAfter = notBefore.Add(leafLife)
		}
	}
	if !notAfter.After(notBefore) {
		return notBefore, notAfter, errors.New("certificate would end before it begins")
	}
	return notBefore, notAfter, nil
}

// keyUsage is what a TLS server does with such a key. RFC 5246 s7.4.2: the RSA key exchange of the old suites needs
// keyEncipherment; all else is signing.
func keyUsage(pub crypto.PublicKey) x509.KeyUsage {
	if _, ok := pub.(*rsa.PublicKey); ok {
		return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	}
	return x509.KeyUsageDigitalSignature
}
