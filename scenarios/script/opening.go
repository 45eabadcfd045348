package script

import (
	"context"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Opening is the step that opens a connection.
type Opening struct {
	on  *login.Transport
	raw bool
}

// Open opens a connection on the case's link, greets and asks for the
// capabilities, inside TLS where the link is encrypted. It takes the place of
// the connection that was open.
func Open() Opening { return Opening{} }

// OpenOn is Open on another link.
func OpenOn(t login.Transport) Opening { return Opening{on: &t} }

// Connect opens a connection on the case's link and says and reads nothing; no
// TLS either.
func Connect() Opening { return Opening{raw: true} }

func (o Opening) run(ctx context.Context, p *Play) error {
	t := p.transport
	if o.on != nil {
		t = *o.on
	}
	talk, err := p.connect(ctx, p.protocol, t)
	if err != nil {
		return skipping(login.WhyInconclusive, "no connection on %s: %s", t, err)
	}
	p.keep(talk)
	if o.raw {
		return nil
	}
	if err := p.Greet(ctx, talk, t); err != nil {
		return skipping(login.WhyInconclusive, "no service on %s: %s", t, err)
	}
	return nil
}

func (o Opening) bill(b *Bill) { b.connect() }

// Unannounced opens a connection on the case's link and brings TLS up where it
// is encrypted, but does not greet in what is open then: to the server nobody
// has asked for its extensions.
func Unannounced() Step { return unannounced{} }

type unannounced struct{}

func (unannounced) run(ctx context.Context, p *Play) error {
	talk, err := p.connect(ctx, p.protocol, p.transport)
	if err != nil {
		return skipping(login.WhyInconclusive, "no connection on %s: %s", p.transport, err)
	}
	p.keep(talk)
	if p.transport == login.TLS {
		err = talk.Upgrade(ctx, p.Trusting())
	}
	if err == nil {
		_, err = talk.Answer()
	}
	if err == nil && p.transport == login.StartTLS {
		if err = talk.Hello(); err == nil {
			err = talk.StartTLS(ctx, p.Trusting())
		}
	}
	if err != nil {
		return skipping(login.WhyInconclusive, "no service on %s: %s", p.transport, err)
	}
	return nil
}

func (unannounced) bill(b *Bill) { b.connect() }

// Served is [Open] for a case that demands that somebody who comes now is
// served.
func Served() Step { return served{} }

type served struct{}

func (served) run(ctx context.Context, p *Play) error {
	err := Open().run(ctx, p)
	var end *stop
	if asStop(err, &end) {
		return p.find(login.Ruling{Verdict: login.Fail, Reason: "a new connection is not served: " + end.Reason})
	}
	return err
}

func (served) bill(b *Bill) { b.connect() }

// Covered brings TLS up on a connection that [Connect] has opened, where the
// case's link has it from the first octet; elsewhere it does nothing. The
// greeting is the next thing that the server says.
func Covered() Step { return covered{} }

type covered struct{}

func (covered) run(ctx context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil || p.transport != login.TLS {
		return err
	}
	if err := t.Upgrade(ctx, p.Trusting()); err != nil {
		return skipping(login.WhyInconclusive, "no TLS: %s", err)
	}
	return nil
}

func (covered) bill(*Bill) {}
