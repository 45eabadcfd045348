package clientsim

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// upgrade asks for encryption and, once it is there, looks again: what was
// learnt in clear does not count (RFC 3207 4.2, RFC 2595 4), save for a client
// that forgets nothing. Only the greeting is not said twice.
func (s *session) upgrade(ctx context.Context) error {
	manner := s.sheet.Encryption
	if manner == nil {
		manner = &encryptionSheet{}
	}
	if !s.offer.startTLS && (s.IfAvailable || !manner.Blind.or(false)) {
		return s.withoutTLS("encryption is not offered", func(f *encryptionFailures) *fact[reaction] { return f.Unoffered })
	}
	a, err := s.speaks.startTLS()
	if err != nil {
		return err
	}
	if a.kind != accepted {
		return s.withoutTLS("encryption is refused: "+a.line, func(f *encryptionFailures) *fact[reaction] { return f.Refused })
	}
	var injected []byte
	if manner.Injected.or(injectionFails) != injectionFails {
		injected = s.conn.TakePending()
	}
	if err := s.encrypt(ctx); err != nil {
		return err
	}
	if manner.Injected.or(injectionFails) == injectionRead && s.conn.Encrypted() {
		s.conn.Unread(injected)
	}
	before := s.offer
	if !manner.KeepsTimestamp.or(true) {
		before.timestamp = nil
	}
	s.offer = offer{timestamp: before.timestamp}
	if manner.Remembers.or(false) {
		s.offer = before
	}
	if !manner.SaysAgain.or(true) {
		s.offer = before
		return nil
	}
	if err := s.speaks.discover(); err != nil {
		return err
	}
	if manner.SaysTwice.or(false) {
		if err := s.speaks.discover(); err != nil {
			return err
		}
	}
	if manner.Remembers.or(false) {
		s.offer.mechanisms = append(s.offer.mechanisms, before.mechanisms...)
	}
	return nil
}

// encryptsFirst: STARTTLS is the first thing that the client says.
func (s *session) encryptsFirst() bool {
	e := s.sheet.Encryption
	return s.mustEncrypt() && e != nil && e.BeforeHello.or(false)
}

// withoutTLS is what the client does where it cannot encrypt. In clear and on
// the same connection it is no ending.
func (s *session) withoutTLS(why string, which func(*encryptionFailures) *fact[reaction]) error {
	return s.noTLS(login.NoTLS, why, s.failing(which, inClear))
}

func (s *session) noTLS(outcome login.Outcome, why string, then reaction) error {
	switch then {
	case inClear:
		s.clear = true
		return nil
	case inClearOnNew, inClearAfterQuit:
		s.clear = true
	}
	return &ending{outcome, why, then}
}

// failing is the reaction to one kind of failure; otherwise holds where
// encryption need not be.
func (s *session) failing(which func(*encryptionFailures) *fact[reaction], otherwise reaction) reaction {
	var said *encryptionFailures
	if e := s.sheet.Encryption; e != nil {
		said = e.Required
		if s.IfAvailable {
			said = e.IfAvailable
		}
	}
	if !s.IfAvailable {
		otherwise = closing
	}
	if said == nil {
		return otherwise
	}
	return which(said).or(otherwise)
}

// takesAny: no certificate is looked at after STARTTLS or STLS.
func (e *encryptionSheet) takesAny() bool { return e != nil && e.Unchecked.or(false) }

// neverInsists: encryption that is not offered is done without, even where it
// is required.
func (e *encryptionSheet) neverInsists() bool {
	return e != nil && e.Required != nil && e.Required.Unoffered.or(closing) == inClear
}

// encrypt runs the handshake.
func (s *session) encrypt(ctx context.Context) error {
	check := &certificateCheck{sheet: s.Profile.sheet.TLS, host: s.Host, trust: s.Trust, authorities: s.authorities(), now: s.Now, ours: s.Verify,
		unchecked: s.Transport != login.TLS && s.sheet.Encryption.takesAny(), hangUp: func() { _ = s.conn.Close() }}
	config := check.config()
	if s.NewestTLS != 0 {
		config.MaxVersion = min(config.MaxVersion, s.NewestTLS)
	}
	if err := s.showCertificate(config); err != nil {
		return failure{err}
	}
	err := s.conn.Upgrade(ctx, config)
	var rejected *certificateError
	switch {
	case err == nil:
		if rejected = check.refusedLate; rejected == nil {
			return nil
		}
		if err := s.beforeLook(); err != nil {
			return err
		}
		err = rejected
	case ctx.Err() != nil:
		return err
	case check.forbidden != nil:
		return failure{check.forbidden}
	case check.refused != nil:
		rejected = check.refused
	}
	s.hungUp = true
	failed := func(f *encryptionFailures) *fact[reaction] { return f.Failed }
	if rejected == nil {
		s.conn.Note("no TLS")
		return s.noTLS(login.NoTLS, "handshake: "+err.Error(), s.failing(failed, closing))
	}
	s.conn.Note(rejected.why)
	then := s.failing(func(f *encryptionFailures) *fact[reaction] {
		if f.Untrusted != nil {
			return f.Untrusted
		}
		return f.Failed
	}, closing)
	if check.refusedLate != nil && (then == quitting || s.lastWords(then) != nil) {
		s.hungUp = false // the connection still stands
	}
	return s.noTLS(login.CertRejected, rejected.Error(), then)
}

// beforeLook is what a client says inside TLS before it looks at the
// certificate.
func (s *session) beforeLook() error {
	if e := s.sheet.Encryption; s.Transport == login.TLS || e == nil || !e.LooksLate.or(false) {
		return nil
	}
	return s.speaks.discover()
}

// showCertificate gives the client its own certificate to show, where it may
// log in with one (RFC 4422 A).
func (s *session) showCertificate(config *tls.Config) error {
	issued := s.Secrets.PresentedIssue(s.Credential)
	if !slices.Contains(s.willing(), login.EXTERNAL) || !issued.Has(login.PresentsCertificate) {
		return nil
	}
	pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
	if err != nil {
		return fmt.Errorf("the client's certificate: %w", err)
	}
	// Shown whoever the server trusts: a client that has one certificate does
	// not choose.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return nil
}
