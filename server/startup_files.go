package server

import (
	"encoding/pem"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// refusedAtStart are the files that a server must refuse when it starts, and
// the name that each is refused by (rule 8).
var refusedAtStart = map[login.CertificateKind]certs.Kind{
	login.CertDER:          certs.KindDER,
	login.CertPKCS7:        certs.KindPKCS7,
	login.CertPKCS12:       certs.KindPKCS12,
	login.CertEncryptedKey: certs.KindEncryptedKey,
	login.CertKeyMismatch:  certs.KindKeyMismatch,
	login.CertExpiredFile:  certs.KindExpired,
}

// refuseFiles reads certificate files of a kind that must be refused, as a
// server does when it starts. The refusal is a [*login.StartupError]; any
// other error is ours.
func (c *certificates) refuseFiles(kind login.CertificateKind, identity string) error {
	certFile, keyFile, err := c.files(kind, identity)
	if err != nil {
		return fmt.Errorf("make %s files: %w", kind, err)
	}
	_, err = certs.Load(certFile, keyFile, c.now)
	if err == nil {
		return fmt.Errorf("%s files were taken for good ones", kind)
	}
	reason, _ := certs.KindOf(err)
	if reason != refusedAtStart[kind] {
		return fmt.Errorf("%s files were refused for another reason: %w", kind, err)
	}
	return &login.StartupError{Kind: string(reason), Err: fmt.Errorf("certificate: %w", err)}
}

// files makes the certificate and key files of one of those kinds.
func (c *certificates) files(kind login.CertificateKind, identity string) (cert, key []byte, err error) {
	pair, err := c.authority.Issue(c.leaf(kind, identity))
	if err != nil {
		return nil, nil, err
	}
	loaded, err := pair.TLS()
	if err != nil {
		return nil, nil, err
	}
	cert, key = pair.CertPEM, pair.KeyPEM
	switch kind {
	case login.CertDER:
		cert = loaded.Leaf.Raw
	case login.CertPKCS7:
		cert, err = certs.EncodePKCS7(loaded.Leaf)
	case login.CertPKCS12:
		cert, err = certs.EncodePKCS12(pair, "nobody opens it")
	case login.CertEncryptedKey:
		// Nobody here can open it, so what is inside does not matter.
		block, _ := pem.Decode(key)
		block.Type = "ENCRYPTED PRIVATE KEY"
		key = pem.EncodeToMemory(block)
	case login.CertKeyMismatch:
		var other certs.Pair
		other, err = c.authority.Issue(c.leaf(kind, identity))
		key = other.KeyPEM
	}
	return cert, key, err
}
