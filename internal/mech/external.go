package mech

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"unicode/utf8"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// EXTERNAL says that who the client is was shown outside of SASL: here, by a
// TLS client certificate (RFC 4422 A).
var EXTERNAL = register(Impl{
	Traits: login.Traits{Name: login.EXTERNAL, Class: login.ShowsIdentity, Presents: login.PresentsCertificate, ClientFirst: true, NeedsTLS: true, Protocols: both,
		Refs: []string{"RFC 4422 A"},
		Compared: login.Comparison{
			Status:    "Proposed Standard",
			Malicious: "the certificate; the key never leaves the client",
			Stolen:    "nothing: it holds no more than the authority's certificate",
			Binding:   "it is TLS itself that authenticates",
		}},
	Client: func(c ClientConfig) sasl.Client { return sasl.NewExternalClient(c.Authzid) },
	Server: func(c ServerConfig) Server { return &externalServer{config: c} },
})

// CertificateName is the account that a client certificate is for: the first
// mailbox among its alternative names (RFC 5280 4.2.1.6), or else its
// subject's common name. It is "" if there is neither.
func CertificateName(c *x509.Certificate) string {
	switch {
	case c == nil:
		return ""
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	default:
		return c.Subject.CommonName
	}
}

type externalServer struct {
	config   ServerConfig
	asked    bool
	username string
}

func (s *externalServer) Username() string { return s.username }

func (s *externalServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if message == nil && !s.asked { // no initial response: an empty challenge asks for it
		s.asked = true
		return []byte{}, false, nil
	}
	// RFC 4422 A.1: the identity to act as in UTF-8 without NUL, or nothing.
	if !utf8.Valid(message) || bytes.IndexByte(message, 0) >= 0 {
		return nil, true, ErrMalformed
	}
	name := CertificateName(s.config.Certificate)
	s.username = string(message)
	if s.username == "" {
		s.username = name
	}
	known := s.config.Known(s.username)
	switch {
	case s.config.Certificate == nil:
		err = fmt.Errorf("%w: no certificate", ErrCredentials)
	case name == "":
		err = fmt.Errorf("%w: the certificate names nobody", ErrCredentials)
	case !known:
		err = fmt.Errorf("%w: no account has this name", ErrCredentials)
	case !s.config.mayActAs(s.username, name): // nobody here may act for somebody else
		err = fmt.Errorf("%w: the certificate is for another account", ErrCredentials)
	}
	return nil, true, err
}
