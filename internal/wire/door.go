package wire

import (
	"context"
	"crypto/x509"
	"net"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Door is a way into a server that has been put into one state.
type Door interface {
	// Dial opens a raw TCP connection to the port that serves the protocol on
	// the transport; no TLS yet.
	Dial(context.Context, login.Protocol, login.Transport) (net.Conn, error)
	// Authority is what a client of this server may trust; nil is the
	// machine's own store.
	Authority() *x509.CertPool
	// Record is what the server says of the login attempts so far; nil where
	// nobody can know.
	Record() []login.Record
	// Close waits until the server has let go of every connection.
	Close() error
}
