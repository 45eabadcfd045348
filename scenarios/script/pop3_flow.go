package script

import (
	"context"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// When takes the steps where what has been seen so far says so.
func When(seen func(*Play) bool, steps ...Step) Step { return when{seen, steps} }

type when struct {
	seen  func(*Play) bool
	steps group
}

func (w when) run(ctx context.Context, p *Play) error {
	if !w.seen(p) {
		return nil
	}
	return w.steps.run(ctx, p)
}

func (w when) bill(b *Bill) { w.steps.bill(b) }

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

// Wire is what the server sent on the connection that was opened last, as it
// crossed the wire: ciphertext, once TLS is up.
func (p *Play) Wire() []byte {
	seen := p.Seen()
	if len(seen) == 0 {
		return nil
	}
	return seen[len(seen)-1].Tap.Octets(true)
}
