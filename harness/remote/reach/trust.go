package reach

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// unusable is the status of a certificate that is wrong in a way for which
// there is no word of its own: the detail says it.
const unusable = "unusable"

// ErrUnverified says that nothing proves the server to be the one that was meant.
var ErrUnverified = errors.New("its certificate cannot be trusted")

// tlsFor is how TLS is spoken with a host. The certificate is judged when it is
// there (see [Trust.judge]): one that is no good is to be described, and nothing
// secret is said before. Our own certificate is shown to none but who has a good
// one.
func (c *Caller) tlsFor(host string) *tls.Config {
	config := &tls.Config{ServerName: nameFor(host), InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	if c.Certificate != nil {
		config.Certificates = []tls.Certificate{*c.Certificate}
		// crypto/tls asks this before it answers the server's CertificateRequest,
		// so that who has not proved to be the host does not learn who we are.
		config.VerifyConnection = func(s tls.ConnectionState) error {
			if !c.Trust.Takes(s.PeerCertificates, host, c.Now()) {
				return ErrUnverified
			}
			return nil
		}
	}
	return config
}

// nameFor is a host as a certificate has it.
func nameFor(host string) string {
	name, _, _ := strings.Cut(strings.TrimSuffix(host, "."), "%") // the zone of an address is ours alone
	return name
}

// Takes reports whether the certificate is one that may be relied on.
func (t Trust) Takes(chain []*x509.Certificate, host string, now time.Time) bool {
	if t.Any {
		return len(chain) > 0
	}
	status, _ := t.judge(chain, host, now)
	return status == login.StageOK
}

// judge is the worst that a client would find wrong: who vouches for it before
// when, and when before for whom. detail says more, where there is more.
func (t Trust) judge(chain []*x509.Certificate, host string, now time.Time) (status, detail string) {
	if len(chain) == 0 {
		return unusable, "none was shown"
	}
	leaf := chain[0]
	if slices.Contains(t.Pins, sha256.Sum256(leaf.Raw)) {
		return login.StageOK, ""
	}
	// The chain is looked at on a day on which the certificate itself is good.
	at, status := now, login.StageOK
	switch {
	case now.After(leaf.NotAfter):
		at, status, detail = leaf.NotAfter, login.CertificateExpired, "it ended on "+date(leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		at, status, detail = leaf.NotBefore, login.CertificateNotYet, "it begins on "+date(leaf.NotBefore)
	}
	if found, why := t.judgeChain(chain, at); found != login.StageOK && (status == login.StageOK || found != login.CertificateExpired) {
		return found, why
	}
	if status != login.StageOK {
		return status, detail
	}
	if leaf.VerifyHostname(nameFor(host)) != nil {
		return login.CertificateOtherName, "it is for " + strings.Join(namesOf(leaf), ", ")
	}
	return login.StageOK, ""
}

func (t Trust) judgeChain(chain []*x509.Certificate, at time.Time) (status, detail string) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	leaf := chain[0]
	_, err := leaf.Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: between, CurrentTime: at})
	invalid, unknown := x509.CertificateInvalidError{}, x509.UnknownAuthorityError{}
	switch {
	case err == nil:
		return login.StageOK, ""
	case selfSigned(leaf):
		return login.CertificateSelfSigned, ""
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return login.CertificateExpired, "one of the authorities that vouch for it is out of its time"
	case errors.As(err, &unknown) && len(chain) == 1:
		// Which of the two it is could only be told by fetching the issuer.
		return login.CertificateUnknown, "it was sent alone, so it may be that no more is missing than the intermediate of " + issuerOf(leaf)
	case errors.As(err, &unknown):
		return login.CertificateUnknown, "it leads to " + issuerOf(chain[len(chain)-1])
	default:
		return unusable, err.Error()
	}
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// described is what was shown inside a TLS connection; nil where nothing was.
func described(state tls.ConnectionState, now time.Time) *login.CertificateResult {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	return &login.CertificateResult{
		Names: namesOf(leaf), Until: date(leaf.NotAfter), Days: int(math.Floor(leaf.NotAfter.Sub(now).Hours() / 24)),
		Issuer: issuerOf(leaf), SHA256: hex.EncodeToString(sum[:]), Version: versions[state.Version],
	}
}

var versions = map[uint16]login.TLSVersion{tls.VersionTLS12: login.TLS12, tls.VersionTLS13: login.TLS13}

// namesOf are those that count (RFC 9525 2); of a certificate that has none, the
// common name.
func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	return names
}

func issuerOf(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return c.Issuer.CommonName
	}
	return c.Issuer.String()
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
