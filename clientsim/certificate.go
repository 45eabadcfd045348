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

// certificateCheck is how one client looks at the certificate of one server.
type certificateCheck struct {
	sheet       *tlsSheet
	host        string
	trust       Trust
	unchecked   bool // nothing is demanded on this connection
	authorities *x509.CertPool
	now         func() time.Time
	// ours is what we ask besides, before anything that the client asks; nil is
	// nothing.
	ours func(tls.ConnectionState) error
	// hangUp ends the connection in the middle of the handshake.
	hangUp func()

	forbidden   error             // by ours
	refused     *certificateError // in the handshake
	refusedLate *certificateError // once it was done
}

// config is how the client encrypts.
//
// The chain is verified by us and not by crypto/tls, because clients differ
// in what they check, how they compare names, and when they say so. There is
// no session resumption: each login shows a whole handshake.
func (c *certificateCheck) config() *tls.Config {
	t := c.sheet
	config := &tls.Config{
		MinVersion:             tlsNumbers[slices.Index(tlsVersions, t.oldest())],
		MaxVersion:             tlsNumbers[slices.Index(tlsVersions, t.newest())],
		CipherSuites:           t.suites(),
		CurvePreferences:       curves,
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, // verified by VerifyConnection
		VerifyConnection:       c.verify,
	}
	if t.SNI.Value {
		config.ServerName = c.host
	}
	return config
}

// verify makes the client's checks and shows a refusal in its manner.
func (c *certificateCheck) verify(state tls.ConnectionState) error {
	if c.ours != nil {
		if c.forbidden = c.ours(state); c.forbidden != nil {
			return c.forbidden
		}
	}
	if c.unchecked {
		return nil
	}
	demanded := c.sheet.checks(c.trust)
	for _, k := range checks {
		manner, ok := demanded[k]
		if !ok {
			continue
		}
		err := verifiers[k](c, state.PeerCertificates)
		if err == nil {
			continue
		}
		switch manner {
		case afterHandshake:
			c.refusedLate = err
			continue // a check that shows in the handshake may come yet
		case silently:
			c.refused = err
			c.hangUp()
		default:
			c.refused = err
		}
		return err
	}
	return nil
}

// verifiers are the checks, one by one.
var verifiers = map[check]func(*certificateCheck, []*x509.Certificate) *certificateError{
	checkChain: (*certificateCheck).verifyChain,
	checkDates: (*certificateCheck).verifyDates,
	checkName:  (*certificateCheck).verifyName,
}

// verifyChain looks at the chain as if the leaf were valid: dates are another
// check. The authority is looked at now; it may be younger than an old leaf.
func (c *certificateCheck) verifyChain(chain []*x509.Certificate) *certificateError {
	intermediates := x509.NewCertPool()
	for _, i := range chain[1:] {
		intermediates.AddCert(i)
	}
	now := c.now()
	leaf := *chain[0]
	leaf.NotBefore, leaf.NotAfter = now, now
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.authorities, Intermediates: intermediates, CurrentTime: now})
	if err != nil {
		return &certificateError{why: "certificate not trusted", err: err}
	}
	return nil
}

// within is now, or the nearest time at which the certificate is valid.
func within(leaf *x509.Certificate, now time.Time) time.Time {
	switch {
	case now.Before(leaf.NotBefore):
		return leaf.NotBefore
	case now.After(leaf.NotAfter):
		return leaf.NotAfter
	}
	return now
}

func (c *certificateCheck) verifyDates(chain []*x509.Certificate) *certificateError {
	if now := c.now(); !within(chain[0], now).Equal(now) {
		return &certificateError{why: "certificate not current", err: x509.CertificateInvalidError{Cert: chain[0], Reason: x509.Expired}}
	}
	return nil
}

func (c *certificateCheck) verifyName(chain []*x509.Certificate) *certificateError {
	if !nameMatches(c.sheet.Names.Value, c.host, chain[0]) {
		return &certificateError{why: "certificate for another name", err: x509.HostnameError{Certificate: chain[0], Host: c.host}}
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
