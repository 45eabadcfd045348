package script

import (
	"context"
	"slices"

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

// Was makes a condition for [When]: what was kept under the name is there, and
// matches a pattern.
func Was(name string, patterns ...string) func(*Play) bool {
	return func(p *Play) bool {
		a := answer{protocol: p.protocol, line: p.kept[name]}
		return a.line != "" && slices.ContainsFunc(patterns, a.matches)
	}
}

// Not turns a condition round.
func Not(seen func(*Play) bool) func(*Play) bool { return func(p *Play) bool { return !seen(p) } }

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

// IfIssued takes one of the steps where something of that kind was given out to
// the account, and the other where it was not.
func IfIssued(what login.Presents, issued, not Step) Step { return ifIssued{what, issued, not} }

type ifIssued struct {
	what        login.Presents
	issued, not Step
}

func (i ifIssued) run(ctx context.Context, p *Play) error {
	if p.Secrets.Issued.Has(i.what) {
		return i.issued.run(ctx, p)
	}
	return i.not.run(ctx, p)
}

func (i ifIssued) bill(b *Bill) { i.issued.bill(b) }
