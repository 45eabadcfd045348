package server

import (
	"crypto/tls"
	"crypto/x509"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// tlsConfig is what a flavour speaks, without certificates. Nothing is
// resumed: each connection of a run makes a full handshake.
func tlsConfig(f login.Flavour, p login.Protocol, mutant Bug) *tls.Config {
	config := &tls.Config{
		SessionTicketsDisabled: true,
		// A client that comes for another protocol is refused (RFC 7301 3.2);
		// one that names no protocol is served.
		NextProtos:   []string{string(p)},
		MinVersion:   tls.VersionTLS12,
		CipherSuites: modernSuites,
	}
	if f == login.Classic || mutant == OldTLSInModern {
		config.MinVersion = tls.VersionTLS10
	}
	if config.MinVersion < tls.VersionTLS12 {
		config.CipherSuites = append(modernSuites[:len(modernSuites):len(modernSuites)], oldSuites...)
	}
	if mutant == OldTLSInModern {
		config.CipherSuites = append(config.CipherSuites, tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA)
	}
	return config
}

// askingForCertificate has the client show a certificate where it can log in
// with one, and only there: some clients bother their user about it. None is
// demanded, and which is good is not for the handshake to say.
func (s *Server) askingForCertificate(config *tls.Config, p login.Protocol) *tls.Config {
	if !s.decide(p, login.EXTERNAL, link{transport: login.TLS, certificate: true}).permitted {
		return config
	}
	config = config.Clone()
	config.ClientAuth, config.ClientCAs = tls.RequestClientCert, s.issuer.clients.pool()
	return config
}

// verified is the client's certificate, if it has shown one that leads to the
// authority, is current and is for clients; else nil.
func (s *Server) verified(chain []*x509.Certificate) *x509.Certificate {
	if len(chain) == 0 {
		return nil
	}
	now, leaf := s.clock.Now(), chain[0]
	forServers := slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	if s.bug(ForgedTaken) || s.bug(StaleTaken) && (forServers || now.After(leaf.NotAfter)) {
		return leaf
	}
	leaf, err := s.issuer.clients.verify(chain, now)
	if err != nil {
		return nil
	}
	return leaf
}

// modernSuites are for TLS 1.2; those of TLS 1.3 are not chosen
// (RFC 9325 4.2: forward secrecy and authenticated encryption).
var modernSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// oldSuites are what clients of 2005 know.
var oldSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_RSA_WITH_AES_256_CBC_SHA,
	tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
}

// tlsConfig is the configuration for this connection. Where a channel binding
// may be to the server's certificate (RFC 5929 4), it notes which one that is.
func (s *session) tlsConfig() *tls.Config {
	config := s.server.spoken(s.server.tls[s.protocol])
	within := link{transport: login.TLS}
	if !s.server.decide(s.protocol, login.SCRAMSHA1PLUS, within).permitted &&
		!s.server.decide(s.protocol, login.SCRAMSHA256PLUS, within).permitted {
		return config
	}
	noting := config.Clone()
	noting.Certificates = nil // else crypto/tls may choose among them without asking
	noting.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		chosen, err := choose(config, hello)
		if err == nil {
			s.shown = chosen.Leaf
		}
		return chosen, err
	}
	return noting
}

// choose takes the certificate that config shows to a client: the first that
// it can use, or else the first.
func choose(config *tls.Config, hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if config.GetCertificate != nil {
		return config.GetCertificate(hello)
	}
	for i := range config.Certificates {
		if hello.SupportsCertificate(&config.Certificates[i]) == nil {
			return &config.Certificates[i], nil
		}
	}
	return &config.Certificates[0], nil
}

// show adds the certificate to the configuration and, where rsa is not nil,
// a second one for clients that cannot use the first.
func show(config *tls.Config, certificate tls.Certificate, rsa func() (tls.Certificate, error)) {
	if rsa == nil {
		config.Certificates = []tls.Certificate{certificate}
		return
	}
	config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		// The check minds names, and a client may ask for any name it likes:
		// RFC 6066 3 lets a server show what it has. Without this line who
		// asks for another name would get RSA.
		hello.ServerName = ""
		if hello.SupportsCertificate(&certificate) == nil {
			return &certificate, nil
		}
		other, err := rsa()
		return &other, err
	}
}
