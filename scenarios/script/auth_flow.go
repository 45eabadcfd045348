package script

import (
	"context"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// OnlyWith takes the steps in the rounds in which the case is played with one
// of those mechanisms, and leaves them out of the others.
func OnlyWith(ms []login.Mechanism, steps ...Step) Step { return onlyWith{ms, steps} }

type onlyWith struct {
	mechanisms []login.Mechanism
	steps      group
}

func (o onlyWith) run(ctx context.Context, p *Play) error {
	if !slices.Contains(o.mechanisms, p.mechanism) {
		return nil
	}
	return o.steps.run(ctx, p)
}

func (o onlyWith) bill(b *Bill) {
	if b.mechanism == "" || slices.Contains(o.mechanisms, b.mechanism) {
		o.steps.bill(b)
	}
}

// IfAccount takes the steps where the account's password may be presented: one
// is known, and it does not cross a clear link that nobody has permitted for
// it. Without them the case still says something.
func IfAccount(steps ...Step) Step { return ifAccount(steps) }

type ifAccount group

func (i ifAccount) run(ctx context.Context, p *Play) error {
	if !p.mayPresent() {
		return nil
	}
	return group(i).run(ctx, p)
}

func (i ifAccount) bill(b *Bill) { group(i).bill(b) }

// mayPresent reports whether the account's password may be presented on the
// case's link.
func (p *Play) mayPresent() bool {
	return !p.NoAccount && (p.transport.Encrypted() || p.Clear)
}

// Unannounced opens a connection on the case's link and brings TLS up where it
// is encrypted, but does not greet in what is open then: to the server nobody
// has asked for its extensions.
func Unannounced() Step { return unannounced{} }

type unannounced struct{}

func (unannounced) run(ctx context.Context, p *Play) error {
	talk, err := p.Session.Connect(ctx, p.protocol, p.transport)
	if err != nil {
		return skipping(login.WhyInconclusive, "no connection on %s: %s", p.transport, err)
	}
	p.keep(talk)
	talk.Rewrite = p.sabotaged(p.current)
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
