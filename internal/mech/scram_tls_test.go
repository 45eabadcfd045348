package mech

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
)

// ends are the two sides of one TLS connection.
type ends struct{ client, server *tls.ConnectionState }

// shown is the server's certificate.
func (e ends) shown() *x509.Certificate { return e.client.PeerCertificates[0] }

// tls13 and tls12 are connections that several tests use.
var (
	tls13 = sync.OnceValue(func() ends { return handshake(tls.VersionTLS13) })
	tls12 = sync.OnceValue(func() ends { return handshake(tls.VersionTLS12) })
)

// handshake makes a connection of this version, with a certificate of its own.
func handshake(version uint16) ends {
	authority, err := certs.NewAuthority("tests", time.Now())
	if err != nil {
		panic(err)
	}
	pair, err := authority.Issue(certs.Leaf{Names: []string{"mail.example.test"}})
	if err != nil {
		panic(err)
	}
	certificate, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		panic(err)
	}
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	// Without tickets, so that the server has nothing to say when the client
	// has gone.
	server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{certificate},
		MinVersion: version, MaxVersion: version, SessionTicketsDisabled: true})
	client := tls.Client(here, &tls.Config{RootCAs: authority.Pool(), ServerName: "mail.example.test"})
	done := make(chan error)
	go func() { done <- server.Handshake() }()
	if err := client.Handshake(); err != nil {
		panic(err)
	}
	if err := <-done; err != nil {
		panic(err)
	}
	c, s := client.ConnectionState(), server.ConnectionState()
	return ends{&c, &s}
}
