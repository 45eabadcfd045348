package mech

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/xdg-go/scram"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var errNoTLS = errors.New("channel binding needs TLS")

// channelBinding is what a connection has to be bound by (RFC 5056): the same
// on both of its ends, unless somebody in the middle has made two connections
// of it. shown is the certificate that the server has shown.
func channelBinding(kind login.Binding, connection *tls.ConnectionState, shown *x509.Certificate) (scram.ChannelBinding, error) {
	if connection == nil {
		return scram.ChannelBinding{}, errNoTLS
	}
	switch kind {
	case login.BindingExporter:
		// RFC 9266 4: below TLS 1.3 it can be the same on two connections.
		if connection.Version >= tls.VersionTLS13 {
			return scram.NewTLSExporterBinding(connection)
		}
	case login.BindingUnique:
		// Go has none on TLS 1.3, which does not define it (RFC 8446 C.5), nor
		// on a resumed connection where it would be of use to somebody in the
		// middle (RFC 7677 4).
		if len(connection.TLSUnique) > 0 {
			return scram.NewTLSUniqueBinding(connection.TLSUnique), nil
		}
	case login.BindingEndPoint:
		// RFC 5929 4.1: a digest of the server's certificate, whoever asks.
		if shown != nil {
			return scram.NewTLSServerEndpointBinding(&tls.ConnectionState{PeerCertificates: []*x509.Certificate{shown}})
		}
	}
	return scram.ChannelBinding{}, fmt.Errorf("this connection has no channel binding %q", string(kind))
}

// bestBinding is the type that a well-behaved client chooses: RFC 9266 3 has
// tls-exporter take the place of tls-unique from TLS 1.3 on.
func bestBinding(connection *tls.ConnectionState) login.Binding {
	if connection != nil && connection.Version < tls.VersionTLS13 {
		return login.BindingUnique
	}
	return login.BindingExporter
}
