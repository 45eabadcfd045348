package server

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// certificates makes what servers show, each kind once: an authority, its
// leaves, and the TLS configurations around them. Servers share one.
type certificates struct {
	authority *certs.Authority
	now       time.Time

	mu      sync.Mutex
	configs map[configKey]*tls.Config
}

type configKey struct {
	flavour  login.Flavour
	kind     login.CertificateKind
	identity string
	protocol login.Protocol
	mutant   Bug
}

func newCertificates(now time.Time) (*certificates, error) {
	authority, err := certs.NewAuthority("mailmatrix authority", now)
	if err != nil {
		return nil, err
	}
	return &certificates{authority: authority, now: now, configs: map[configKey]*tls.Config{}}, nil
}

// config is the TLS of a server that shows a certificate of that kind.
func (c *certificates) config(key configKey) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if config, ok := c.configs[key]; ok {
		return config, nil
	}
	leaf := c.leaf(key.kind, key.identity)
	certificate, err := c.load(leaf)
	if err != nil {
		return nil, err
	}
	var rsa func() (tls.Certificate, error)
	if key.flavour == login.Classic {
		// Clients of the time know no elliptic curves. An RSA key takes long
		// to make, so none is made before one of them comes.
		leaf.Key = certs.RSA
		rsa = sync.OnceValues(func() (tls.Certificate, error) { return c.load(leaf) })
	}
	config := tlsConfig(key.flavour, key.protocol, key.mutant)
	show(config, certificate, rsa)
	c.configs[key] = config
	return config, nil
}

// leaf describes the certificate of that kind. The kinds that a server must
// refuse at the start begin as a valid one.
func (c *certificates) leaf(kind login.CertificateKind, identity string) certs.Leaf {
	switch kind {
	case login.CertSelfSigned:
		return certs.Leaf{Names: []string{identity}, SelfSigned: true}
	case login.CertOtherName:
		return certs.Leaf{Names: []string{"other.example.net"}}
	case login.CertWildcard:
		return certs.Leaf{Names: []string{"*." + parentDomain(identity)}}
	case wrongCertificate:
		return certs.Leaf{Names: []string{identity}, Client: true, NotBefore: c.now.AddDate(-1, 0, 0), NotAfter: c.now.AddDate(0, 0, -1)}
	case login.CertExpired, login.CertExpiredFile:
		return certs.Leaf{Names: []string{identity},
			NotBefore: c.now.AddDate(-1, 0, 0), NotAfter: c.now.AddDate(0, 0, -1)}
	default:
		return certs.Leaf{Names: []string{identity}}
	}
}

// wrongCertificate is a mutant's: nothing about it is right.
const wrongCertificate login.CertificateKind = "wrong"

// load issues the leaf and takes it unchecked: an experiment may want to show
// an expired one.
func (c *certificates) load(leaf certs.Leaf) (tls.Certificate, error) {
	pair, err := c.authority.Issue(leaf)
	if err != nil {
		return tls.Certificate{}, err
	}
	return pair.TLS()
}

// pool is what a client that trusts the authority trusts.
func (c *certificates) pool() *x509.CertPool { return c.authority.Pool() }

// parentDomain is the name without its first label: a wildcard stands for
// that one.
func parentDomain(name string) string {
	if _, parent, ok := strings.Cut(name, "."); ok && parent != "" {
		return parent
	}
	return name
}
