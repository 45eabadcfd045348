package script

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func asStop(err error, end **stop) bool { return errors.As(err, end) }

// Group is steps as one.
func Group(steps ...Step) Step { return group(steps) }

type group []Step

func (g group) run(ctx context.Context, p *Play) error { return p.steps(ctx, g) }
func (g group) bill(b *Bill) {
	for _, s := range g {
		s.bill(b)
	}
}

// Each makes the steps of each value, one after the other.
func Each[T any](values []T, steps func(T) []Step) Step {
	var all group
	for _, v := range values {
		all = append(all, steps(v)...)
	}
	return all
}

// On takes the steps on the connection of that name, beside the one that is
// open.
func On(name string, steps ...Step) Step { return named{name, steps} }

type named struct {
	name  string
	steps group
}

func (n named) run(ctx context.Context, p *Play) error {
	before := p.current
	p.current = n.name
	err := n.steps.run(ctx, p)
	p.current = before
	return err
}

func (n named) bill(b *Bill) {
	before := b.current
	b.current = n.name
	n.steps.bill(b)
	b.current = before
}

// OnEachLink takes the steps on every link of the case that is open.
func OnEachLink(steps ...Step) Step { return onEachLink(steps) }

type onEachLink group

func (o onEachLink) run(ctx context.Context, p *Play) error {
	before := p.transport
	defer func() { p.transport = before }()
	for _, t := range p.links() {
		p.transport = t
		if err := group(o).run(ctx, p); err != nil {
			return about(err, string(t))
		}
	}
	return nil
}

func (o onEachLink) bill(b *Bill) {
	for range login.Transports() {
		group(o).bill(b)
	}
}

// WithEach takes the steps with each mechanism that there is, offered or not,
// of which which says so; what skips with one of them does not end the others.
func WithEach(which func(*Play, login.Mechanism) bool, steps ...Step) Step {
	return withEach{which, steps}
}

type withEach struct {
	which func(*Play, login.Mechanism) bool
	steps group
}

func (w withEach) run(ctx context.Context, p *Play) error {
	before := p.mechanism
	defer func() { p.mechanism = before }()
	for _, m := range everyMechanism[p.protocol] {
		if !w.which(p, m) {
			continue
		}
		p.mechanism = m
		err := w.steps.run(ctx, p)
		var end *stop
		if asStop(err, &end) && end.Verdict == login.Skip && end.Why == login.WhyNotApplicable {
			continue
		}
		if err != nil {
			return about(err, string(m))
		}
	}
	return nil
}

func (w withEach) bill(b *Bill) {
	for range everyMechanism[b.protocol] {
		w.steps.bill(b)
	}
}

// about says in the reason where it was.
func about(err error, where string) error {
	var end *stop
	if asStop(err, &end) {
		end.Reason = where + ": " + end.Reason
	}
	return err
}

// Alike runs both halves, each on a connection of its own, and compares what
// the server answered: the number of answers, their codes and their words, but
// for names, numbers and challenges. The halves' own expectations hold too.
func Alike(what string, a, b []Step) Step { return alike{what, a, b} }

type alike struct {
	what string
	a, b group
}

func (x alike) run(ctx context.Context, p *Play) error {
	first, second, err := x.both(ctx, p, false)
	if err != nil {
		return err
	}
	if !slices.Equal(first, second) {
		return p.find(login.Ruling{Verdict: login.Fail,
			Reason: fmt.Sprintf("%s: the answers differ: %q and %q", x.what, first, second)})
	}
	return p.find(login.Ruling{Verdict: login.Pass})
}

// both runs the halves, the second one first where they are turned round.
func (x alike) both(ctx context.Context, p *Play, turned bool) (a, b []string, err error) {
	if turned {
		b, a, err = alike{x.what, x.b, x.a}.both(ctx, p, false)
		return a, b, err
	}
	if a, err = p.listen(ctx, "alike a", x.a); err != nil {
		return nil, nil, err
	}
	b, err = p.listen(ctx, "alike b", x.b)
	return a, b, err
}

func (p *Play) listen(ctx context.Context, name string, steps group) ([]string, error) {
	var heard []string
	p.heard = &heard
	err := named{name, steps}.run(ctx, p)
	p.heard = nil
	p.hangUp(name)
	return heard, err
}

func (x alike) bill(b *Bill) {
	x.a.bill(b)
	x.b.bill(b)
}

// Distinct fails where a value of the list came twice.
func Distinct(name, what string) Step {
	return Check(func(p *Play) (login.Verdict, string) {
		values := slices.Sorted(slices.Values(p.List(name)))
		for i := 1; i < len(values); i++ {
			if values[i] == values[i-1] {
				return login.Fail, what + " came twice"
			}
		}
		return login.Pass, ""
	})
}

// Collect adds to a list what a look at the play finds.
func Collect(name string, what func(*Play) string) Step { return collect{name, what} }

type collect struct {
	name string
	what func(*Play) string
}

func (c collect) run(_ context.Context, p *Play) error {
	p.kept[c.name] = c.what(p)
	p.lists[c.name] = append(p.lists[c.name], p.kept[c.name])
	return nil
}
func (collect) bill(*Bill) {}
