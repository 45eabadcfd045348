package clientsim

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// certificateError is the client's refusal of a certificate. The server did
// nothing wrong below the certificate: TLS could be had.
type certificateError struct {
	why string // a few words that are the same in every run
	err error
}

func (e *certificateError) Error() string { return fmt.Sprintf("%s: %s", e.why, e.err) }

// curves leave out the hybrids with ML-KEM: no client described here sends
// them, and they cost more than the rest of a handshake.
var curves = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}

// config is how the client encrypts towards host.
//
// The chain is verified by us and not by crypto/tls, because clients differ
// in how they compare names. There is no session resumption: each login shows
// a whole handshake.
func (t *tlsSheet) config(host string, trust bool, authority *x509.CertPool, now func() time.Time) *tls.Config {
	c := &tls.Config{
		MinVersion:             tlsNumbers[slices.Index(tlsVersions, t.oldest())],
		MaxVersion:             tlsNumbers[slices.Index(tlsVersions, t.newest())],
		CipherSuites:           t.suites(),
		CurvePreferences:       curves,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // verified by VerifyConnection
	}
	if t.SNI.Value {
		c.ServerName = host
	}
	if t.Verifies.Value && !(trust && t.CanTrust.Value) {
		c.VerifyConnection = func(s tls.ConnectionState) error {
			return verify(s.PeerCertificates, host, t.Names.Value, authority, now())
		}
	}
	return c
}

// verify checks the chain without a name, then the name by the client's own
// rule.
func verify(chain []*x509.Certificate, host string, rule login.NameMatch, authority *x509.CertPool, now time.Time) error {
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: authority, Intermediates: intermediates, CurrentTime: now})
	if err != nil {
		return &certificateError{why: "certificate not trusted", err: err}
	}
	if !nameMatches(rule, host, chain[0]) {
		return &certificateError{why: "certificate for another name", err: x509.HostnameError{Certificate: chain[0], Host: host}}
	}
	return nil
}

// suites are the client's own, or nil for those of crypto/tls.
func (t *tlsSheet) suites() []uint16 {
	if t.Suites == nil {
		return nil
	}
	numbers := cipherSuites()
	ids := make([]uint16, len(t.Suites.Value))
	for i, name := range t.Suites.Value {
		ids[i] = numbers[name]
	}
	return ids
}

// cipherSuites are all that crypto/tls has, the insecure included: old
// clients have no others.
func cipherSuites() map[string]uint16 {
	numbers := map[string]uint16{}
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		numbers[s.Name] = s.ID
	}
	return numbers
}

// matchers are the rules by which clients compare the name in a certificate,
// in lower case, with that of the server.
var matchers = map[login.NameMatch]func(host string, c *x509.Certificate) bool{
	login.MatchSuffix:   matchSuffix,
	login.MatchOneLabel: matchOneLabel,
	login.MatchCNOnly:   matchCNOnly,
	login.MatchNone:     func(string, *x509.Certificate) bool { return true },
}

var nameRules = slices.Sorted(maps.Keys(matchers))

func nameMatches(rule login.NameMatch, host string, c *x509.Certificate) bool {
	return matchers[rule](canonical(host), c)
}

// canonical: host names have no letter case (RFC 4343), and the dot of the
// root may be written.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// matchSuffix is the document's rule: *.example.test stands for "any name
// that ends in" example.test, at a dot.
func matchSuffix(host string, c *x509.Certificate) bool {
	// RFC 2595 2.4: alternative names are the source, where there are any.
	names := c.DNSNames
	if len(names) == 0 {
		names = []string{c.Subject.CommonName}
	}
	return hasAddress(host, c) || slices.ContainsFunc(names, func(name string) bool {
		domain, wildcard := strings.CutPrefix(canonical(name), "*.")
		return host == domain || wildcard && strings.HasSuffix(host, "."+domain)
	})
}

// matchOneLabel: the asterisk is the whole leftmost label and stands for one
// (RFC 9525 6.3); the common name does not count (RFC 9525 2).
func matchOneLabel(host string, c *x509.Certificate) bool {
	_, parent, _ := strings.Cut(host, ".")
	return hasAddress(host, c) || slices.ContainsFunc(c.DNSNames, func(name string) bool {
		name = canonical(name)
		return host == name || parent != "" && name == "*."+parent
	})
}

// matchCNOnly: the common name is a pattern of the shell, so an asterisk
// stands for any labels.
func matchCNOnly(host string, c *x509.Certificate) bool {
	ok, err := path.Match(canonical(c.Subject.CommonName), host)
	return err == nil && ok
}

// hasAddress: a server that is called by its address is found among the
// addresses of the certificate (RFC 9525 6.2).
func hasAddress(host string, c *x509.Certificate) bool {
	ip := net.ParseIP(host)
	return ip != nil && slices.ContainsFunc(c.IPAddresses, ip.Equal)
}
