package server

import (
	"crypto/tls"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// tlsConfig is what a flavour speaks, without certificates. Nothing is
// resumed: each connection of a run makes a full handshake.
func tlsConfig(f login.Flavour, p login.Protocol, mutant Bug) *tls.Config {
	config := &tls.Config{
		SessionTicketsDisabled: mutant != SessionTickets,
		// A client that comes for another protocol is refused (RFC 7301 3.2);
		// one that names no protocol is served.
		NextProtos:   []string{string(p)},
		MinVersion:   tls.VersionTLS12,
		CipherSuites: modernSuites,
	}
	switch {
	case f == login.Classic, mutant == TLS10InModern:
		config.MinVersion = tls.VersionTLS10
	case mutant == TLS11InModern:
		config.MinVersion = tls.VersionTLS11
	}
	if config.MinVersion < tls.VersionTLS12 {
		config.CipherSuites = append(modernSuites[:len(modernSuites):len(modernSuites)], oldSuites...)
	}
	return config
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
