package script

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Certified opens a connection in which the client shows a certificate that was
// issued to the account, and takes the steps on it. A handshake that the server
// breaks off over a flaw is a refusal, and as good as any: the steps are left
// out then.
func Certified(flaw login.Flaw, steps ...Step) Step { return certified{flaw, steps} }

type certified struct {
	flaw  login.Flaw
	steps group
}

func (c certified) run(ctx context.Context, p *Play) error {
	issued, err := p.issued(c.flaw)
	if err != nil {
		return err
	}
	if !issued.Has(login.PresentsCertificate) {
		return skipping(login.WhyNoCredentials, "no client certificate is given out")
	}
	pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
	if err != nil {
		return fmt.Errorf("certificate of a client: %w", err)
	}
	err = p.openWith(ctx, func(config *tls.Config) {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	})
	switch {
	case err == nil:
		return c.steps.run(ctx, p)
	case c.flaw == login.Flawless:
		return skipping(login.WhyInconclusive, "no service for the certificate of the account: %s", err)
	default:
		return p.find(login.Ruling{Verdict: login.Pass})
	}
}

func (c certified) bill(b *Bill) {
	b.connect()
	c.steps.bill(b)
}

// issued is what was given out to the account, with a flaw or without.
func (p *Play) issued(flaw login.Flaw) (login.Issued, error) {
	switch {
	case flaw == login.Flawless:
		return p.Secrets.Issued, nil
	case p.Issue == nil:
		return login.Issued{}, skipping(login.WhyNoCredentials, "nobody gives out what has the flaw %q", flaw)
	default:
		return p.Issue(p.Secrets.Name, flaw)
	}
}

// RequestSeen opens a connection without any certificate and keeps under the
// name "certificate request" whether the server asked for one.
func RequestSeen() Step { return requestSeen{} }

type requestSeen struct{}

func (requestSeen) run(ctx context.Context, p *Play) error {
	p.kept["certificate request"] = ""
	err := p.openWith(ctx, func(config *tls.Config) {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			p.kept["certificate request"] = "yes"
			return &tls.Certificate{}, nil
		}
	})
	if err != nil {
		return skipping(login.WhyInconclusive, "no service on %s: %s", p.transport, err)
	}
	return nil
}

func (requestSeen) bill(b *Bill) { b.connect() }

// UpTo opens a connection on the case's link with no newer version of TLS than
// that, and takes the steps on it; where the server does not speak it they are
// left out.
func UpTo(version uint16, steps ...Step) Step { return upTo{version, steps} }

type upTo struct {
	version uint16
	steps   group
}

func (u upTo) run(ctx context.Context, p *Play) error {
	if err := p.openWith(ctx, func(config *tls.Config) { config.MaxVersion = u.version }); err != nil {
		return nil // another case is about the versions
	}
	return u.steps.run(ctx, p)
}

func (u upTo) bill(b *Bill) {
	b.connect()
	u.steps.bill(b)
}

// openWith opens a connection on the case's link with TLS configured in another
// way. Its error is that it did not come about.
func (p *Play) openWith(ctx context.Context, change func(*tls.Config)) error {
	talk, err := p.connect(ctx, p.protocol, p.transport)
	if err != nil {
		return err
	}
	p.keep(talk)
	config := p.Trusting()
	change(config)
	return p.GreetBy(ctx, talk, p.transport, config)
}
