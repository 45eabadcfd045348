package server

import (
	"crypto/tls"
	"log/slog"

	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// Option changes a [Server], or every server of a [Reference], from its
// strict defaults.
type Option func(*Server)

// WithClock replaces the machine's clock.
func WithClock(c Clock) Option { return func(s *Server) { s.clock = c } }

// WithLogger sends a structured log of events to l. It never holds a secret.
func WithLogger(l *slog.Logger) Option { return func(s *Server) { s.log = l } }

// WithLimits replaces the default limits.
func WithLimits(l Limits) Option { return func(s *Server) { s.limits = l } }

// WithCertificate has the server show these certificates, the first that a
// client can use, in place of one made for [login.Setup.Certificate].
func WithCertificate(certificates ...tls.Certificate) Option {
	return func(s *Server) { s.given = certificates }
}

// WithTokens has bearer tokens verified by v, in place of the server's own
// issuer.
func WithTokens(v TokenVerifier) Option { return func(s *Server) { s.tokens = v } }

// WithKerberos has tickets accepted by k, such as one made of a keytab from a
// KDC, in place of the server's own realm; nil accepts none.
func WithKerberos(k *kerberos.Service) Option {
	return func(s *Server) { s.kerberos, s.noKerberos = k, k == nil }
}

// WithBug makes the server a mutant: it breaks the one rule that b names.
func WithBug(b Bug) Option { return func(s *Server) { s.mutant = b } }

// withStore shares certificates among the servers of a Reference.
func withStore(c *certificates) Option { return func(s *Server) { s.store = c } }

// withIssuer shares an issuer among the servers of a Reference.
func withIssuer(i *issuer) Option { return func(s *Server) { s.issuer = i } }

// withHandshakes calls f after each full TLS handshake.
func withHandshakes(f func()) Option { return func(s *Server) { s.onHandshake = f } }
