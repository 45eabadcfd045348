package server

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// clientAuthority issues what clients show in TLS to log in by EXTERNAL, and
// judges what they show. It is apart from the authority of the server's own
// certificates: being a server here makes nobody a client.
type clientAuthority struct {
	trusted, stranger *certs.Authority // of the same name
	roots             *x509.CertPool
	now               func() time.Time
}

func newClientAuthority(now func() time.Time) (*clientAuthority, error) {
	const name = "mailmatrix client authority"
	trusted, err := certs.NewAuthority(name, now())
	if err != nil {
		return nil, err
	}
	stranger, err := certs.NewAuthority(name, now())
	if err != nil {
		return nil, err
	}
	return &clientAuthority{trusted: trusted, stranger: stranger, roots: trusted.Pool(), now: now}, nil
}

// pool has the authority whose certificates are asked for in TLS.
func (a *clientAuthority) pool() *x509.CertPool { return a.roots }

// issue makes a certificate in which [mech.CertificateName] finds the account,
// and its key, both in PEM. Its flaw is the only thing that is wrong with it.
func (a *clientAuthority) issue(account string, flaw login.Flaw) (certPEM, keyPEM []byte, err error) {
	leaf := certs.Leaf{CommonName: account, CNOnly: true, Client: true}
	if strings.Contains(account, "@") {
		leaf.Mailboxes = []string{account}
	}
	authority := a.trusted
	switch flaw {
	case login.Flawless:
	case login.Forged:
		authority = a.stranger
	case login.Expired:
		leaf.NotAfter = a.now().AddDate(0, 0, -1)
	case login.Elsewhere:
		leaf.Client = false
	default:
		return nil, nil, fmt.Errorf("a certificate cannot be %s", flaw)
	}
	pair, err := authority.Issue(leaf)
	return pair.CertPEM, pair.KeyPEM, err
}

// verify returns the client's own certificate, the first of the chain, if the
// authority signed it, it is valid now and it is for clients (RFC 5280 6.1).
// The authority signs no other authority, so the rest of the chain is of no
// use.
func (a *clientAuthority) verify(chain []*x509.Certificate, now time.Time) (*x509.Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("no client certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: a.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return chain[0], nil
}
