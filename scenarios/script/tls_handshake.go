package script

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Handshake shakes hands on the current connection, which stands where TLS
// begins, and checks the certificate unless told otherwise. name is how it is
// called; options change how it is done.
func Handshake(name string, options ...func(*tls.Config)) *Shaking {
	return &Shaking{name: name, see: func(ctx context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		config := p.Trusting()
		for _, o := range options {
			o(config)
		}
		var secrets strings.Builder
		config.KeyLogWriter = &secrets
		line, err := shake(ctx, t, config)
		p.kept[secretsOf(p.current)] = secrets.String()
		return line, err
	}}
}

// secretsOf is the name under which the secrets of a connection's TLS are
// kept, with which its records can be read.
func secretsOf(connection string) string { return "secrets of " + connection }

// Unverified takes any certificate. No secret may be sent over such a link.
func Unverified(config *tls.Config) { config.InsecureSkipVerify = true }

// Version has one version offered and no other.
func Version(v uint16) func(*tls.Config) {
	return func(config *tls.Config) { config.MinVersion, config.MaxVersion = v, v }
}

// ALPN names the protocols that the client would speak (RFC 7301).
func ALPN(protocols ...string) func(*tls.Config) {
	return func(config *tls.Config) { config.NextProtos = protocols }
}

// Resumable has the client ask for what a session can be resumed with.
func Resumable(config *tls.Config) { config.ClientSessionCache = tls.NewLRUClientSessionCache(1) }

// shake shakes hands, and says what came of it.
func shake(ctx context.Context, t *scenarios.Talk, config *tls.Config) (string, error) {
	if t.Pending() { // in clear, behind the answer to STARTTLS
		got, err := t.ReadHello()
		return got.String(), err
	}
	err := t.Upgrade(ctx, config)
	if err == nil {
		line := upLine(t.TLSState())
		t.Note(line)
		return line, nil
	}
	t.Note("handshake: " + err.Error())
	var text tls.RecordHeaderError
	var untrusted *tls.CertificateVerificationError
	alert, refused := alertOf(err)
	switch {
	case refused:
		return wire.AlertName(alert), nil
	case errors.As(err, &text):
		first, _, _ := strings.Cut(string(text.RecordHeader[:]), "\r")
		return "clear " + first, nil
	case errors.As(err, &untrusted):
		return "untrusted " + untrusted.Error(), nil
	case lost(err):
		return "", err
	default:
		return "broken " + err.Error(), nil
	}
}

func upLine(state tls.ConnectionState) string {
	line := "up " + tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
	if state.NegotiatedProtocol != "" {
		line += " alpn " + state.NegotiatedProtocol
	}
	if state.DidResume {
		line += " resumed"
	}
	return line
}

// alertOf is the alert that the server ended a handshake by. crypto/tls has a
// type of its own for it, a number, and tells nobody.
func alertOf(err error) (byte, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return 0, false
	}
	number := reflect.ValueOf(op.Err)
	if number.Kind() != reflect.Uint8 {
		return 0, false
	}
	return byte(number.Uint()), true
}

// lost: the connection is at fault, not what was said on it.
func lost(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.As(err, &op)
}

// Carried offers the session that the other protocol's server has given out to
// this one's. It sees
//
//	no ticket               nothing was given out
//	full                    the handshake was a full one
//	resumed                 the session was taken
//	resumed as another      and the server has another certificate than the one it began with
func Carried() *Shaking {
	return &Shaking{name: "a session of the other service", anew: 3, see: carried}
}

func carried(ctx context.Context, p *Play) (string, error) {
	other := p.otherProtocol()
	cache := &countedCache{ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	began, err := p.session(ctx, other, cache)
	if err != nil {
		return "", skipping(login.WhyNotApplicable, "there is no %s with TLS beside it: %s", other, err)
	}
	if cache.put == 0 {
		return "no ticket", nil
	}
	own, err := p.sessionOn(ctx, p.protocol, p.transport, nil)
	if err != nil {
		return "", err
	}
	got, err := p.sessionOn(ctx, p.protocol, p.transport, cache)
	switch {
	case err != nil:
		return "", err
	case !got.DidResume:
		return "full", nil
	case !own.PeerCertificates[0].Equal(began.PeerCertificates[0]):
		return "resumed as another", nil
	default:
		return "resumed", nil
	}
}

// session shakes hands with a protocol's server on whatever link there is.
func (p *Play) session(ctx context.Context, protocol login.Protocol, cache tls.ClientSessionCache) (state tls.ConnectionState, err error) {
	for _, t := range transportsOf[Encrypted] {
		if state, err = p.sessionOn(ctx, protocol, t, cache); err == nil {
			return state, nil
		}
	}
	return state, err
}

func (p *Play) sessionOn(ctx context.Context, protocol login.Protocol, t login.Transport, cache tls.ClientSessionCache) (tls.ConnectionState, error) {
	talk, err := p.approach(ctx, protocol, t)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer talk.Quit()
	config := p.Trusting()
	Unverified(config)
	config.ClientSessionCache = cache
	if err := talk.Upgrade(ctx, config); err != nil {
		return tls.ConnectionState{}, err
	}
	// A ticket comes with the first answer.
	return talk.TLSState(), enter(talk, t)
}

// countedCache knows whether anything was put into it.
type countedCache struct {
	tls.ClientSessionCache
	put int
}

func (c *countedCache) Put(key string, s *tls.ClientSessionState) {
	if s != nil {
		c.put++
	}
	c.ClientSessionCache.Put(key, s)
}
