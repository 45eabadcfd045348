package certs

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// Info is what [Inspect] found in a file.
type Info struct {
	Certificates []CertificateInfo `json:"certificates"` // in the order of the file
}

// CertificateInfo describes one certificate, as data.
type CertificateInfo struct {
	Subject      string    `json:"subject"` // RFC 2253 form, as "CN=mail.example.test"
	Issuer       string    `json:"issuer"`
	CommonName   string    `json:"common_name"`   // "" = none
	Names        []string  `json:"names"`         // subject alternative names: DNS names, then addresses; never null
	KeyAlgorithm string    `json:"key_algorithm"` // "RSA", "ECDSA", "Ed25519", else "unknown"
	KeyCurve     string    `json:"key_curve"`     // "P-256"; "" = not ECDSA
	KeyBits      int       `json:"key_bits"`      // 0 = unknown
	NotBefore    time.Time `json:"not_before"`    // UTC
	NotAfter     time.Time `json:"not_after"`     // UTC
	DaysLeft     int       `json:"days_left"`     // whole days until NotAfter; negative = over
	SelfSigned   bool      `json:"self_signed"`   // signed by its own key
	Authority    bool      `json:"authority"`     // may sign others
	Wildcard     bool      `json:"wildcard"`      // one of its names, or its common name, begins with "*."
	Fingerprint  string    `json:"fingerprint"`   // as [Fingerprint] writes it
	Warnings     []string  `json:"warnings"`      // plain sentences; never null
}

// Inspect describes the certificates of a PEM file at the moment now. A file without any is the same [*FormatError] as in
// [Load]; what has expired is no error here.
func Inspect(certPEM []byte, now time.Time) (Info, error) {
	chain, err := readCertificates(certPEM)
	if err != nil {
		return Info{}, err
	}
	info := Info{Certificates: make([]CertificateInfo, 0, len(chain))}
	for i, cert := range chain {
		c := describe(cert, now)
		c.Warnings = append(c.Warnings, warnings(cert, c, now)...)
		if i+1 < len(chain) && !issued(chain[i+1], cert) {
			c.Warnings = append(c.Warnings,
				"the next certificate in the file is not this one's issuer: some clients then find no chain (RFC 5246 7.4.2)")
		}
		info.Certificates = append(info.Certificates, c)
	}
	return info, nil
}

// Fingerprint returns the SHA-256 hash of a DER certificate, by which people tell one from another: "sha256:" and 64 lower-case
// hexadecimal digits.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func describe(cert *x509.Certificate, now time.Time) CertificateInfo {
	c := CertificateInfo{
		Subject:     cert.Subject.String(),
		Issuer:      cert.Issuer.String(),
		CommonName:  cert.Subject.CommonName,
		Names:       append([]string{}, cert.DNSNames...),
		NotBefore:   cert.NotBefore.UTC(),
		NotAfter:    cert.NotAfter.UTC(),
		DaysLeft:    daysBetween(now, cert.NotAfter),
		SelfSigned:  isSelfSigned(cert),
		Authority:   cert.BasicConstraintsValid && cert.IsCA,
		Fingerprint: Fingerprint(cert.Raw),
		Warnings:    []string{},
	}
	for _, ip := range cert.IPAddresses {
		c.Names = append(c.Names, ip.String())
	}
	c.KeyAlgorithm, c.KeyCurve, c.KeyBits = describeKey(cert.PublicKey)
	c.Wildcard = isWildcard(c.CommonName)
	for _, name := range c.Names {
		c.Wildcard = c.Wildcard || isWildcard(name)
	}
	return c
}

// daysBetween rounds down, so that what ended a minute ago is -1. It counts seconds because a Duration ends after 292 years, and
// "no end" is the year 9999 (RFC 5280 s4.1.2.5).
func daysBetween(from, to time.Time) int {
	const day = 24 * 60 * 60
	seconds := to.Unix() - from.Unix()
	days := seconds / day
	if seconds%day < 0 {
		days--
	}
	return int(days)
}

// isSelfSigned checks the signature with the certificate's own key. CheckSignatureFrom would also demand that it be an authority's.
func isSelfSigned(cert *x509.Certificate) bool {
	return issued(cert, cert) && cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}
