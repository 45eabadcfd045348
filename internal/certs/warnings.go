package certs

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	expiresSoon = 30   // days
	minRSABits  = 2048 // NIST SP 800-131A: less has not been acceptable since 2014
)

// warnings says in plain sentences what will trouble clients. An authority's certificate is not judged by its names.
func warnings(cert *x509.Certificate, c CertificateInfo, now time.Time) []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }

	switch {
	case c.DaysLeft < 0:
		warn("expired on %s UTC", utcDate(c.NotAfter))
	case now.Before(c.NotBefore):
		warn("not valid before %s UTC", utcDate(c.NotBefore))
	case c.DaysLeft == 0:
		warn("ends in less than a day, on %s UTC", utcDate(c.NotAfter))
	case c.DaysLeft < expiresSoon:
		warn("ends in %d days, on %s UTC", c.DaysLeft, utcDate(c.NotAfter))
	}
	if c.KeyAlgorithm == "RSA" && c.KeyBits < minRSABits {
		warn("the RSA key has %d bits: less than %d is too weak (NIST SP 800-131A)", c.KeyBits, minRSABits)
	}
	if c.Authority {
		return all
	}
	if c.SelfSigned {
		warn("self-signed: clients complain until they are told to trust it")
	} else if isWeak(cert.SignatureAlgorithm) {
		warn("signed with %s: modern clients refuse it (RFC 8446 4.4.2.4)", cert.SignatureAlgorithm)
	}
	if !mayServe(cert) {
		warn("not for servers: its extended key usage lacks server authentication (RFC 5280 4.2.1.12)")
	}
	return append(all, nameWarnings(c)...)
}

// nameWarnings judges the names alone.
func nameWarnings(c CertificateInfo) []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }

	isCommonName := func(name string) bool { return strings.EqualFold(name, c.CommonName) }
	if len(c.Names) == 0 {
		warn("no subject alternative names: modern clients look only there, never at the common name (RFC 9525 2)")
	} else if checkName(c.CommonName) == nil && !slices.ContainsFunc(c.Names, isCommonName) {
		warn("the common name %q is not among the subject alternative names: only old clients see it (RFC 9525 2)", c.CommonName)
	}
	for _, name := range c.Names {
		rest, wildcard := strings.CutPrefix(name, "*.")
		switch {
		case strings.Contains(rest, "*"):
			warn("%q has a wildcard elsewhere than as its whole leftmost label: clients ignore it (RFC 9525 6.3)", name)
		case wildcard:
			warn("%q stands for one label: it matches mail.%s, but in modern clients neither %s nor a.b.%s (RFC 9525 6.3)", name, rest, rest, rest)
		}
	}
	return all
}

func isWildcard(name string) bool { return strings.HasPrefix(name, "*.") }

// isWeak says whether the signature's hash is MD5 or SHA-1.
func isWeak(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// mayServe: a certificate that lists no uses may be used for all (RFC 5280 s4.2.1.12).
func mayServe(cert *x509.Certificate) bool {
	if len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.ContainsFunc(cert.ExtKeyUsage, func(use x509.ExtKeyUsage) bool {
		return use == x509.ExtKeyUsageServerAuth || use == x509.ExtKeyUsageAny
	})
}
