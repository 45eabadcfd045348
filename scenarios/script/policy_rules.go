package script

import (
	"context"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Ruled is what the policy says of a mechanism or, where nobody has said it,
// what can be seen of it: what is offered in clear is allowed, and what is
// offered inside TLS only is secure. What is never offered is unknown.
func (p *Play) Ruled(m login.Mechanism) login.Setting {
	if s, ok := p.Setting(m); ok {
		return s
	}
	return p.survey.Observed(m)
}

// Observed is what can be seen of the setting of a mechanism.
func (s *Survey) Observed(m login.Mechanism) login.Setting {
	setting := login.Unknown
	for _, t := range login.Transports() {
		switch {
		case !s.Claims(t, m):
		case t == login.Plain:
			return login.Allow
		default:
			setting = login.Secure
		}
	}
	return setting
}

// Claims reports whether a link says that it takes a mechanism. The timestamp
// in the greeting of a clear connection says nothing of it where TLS can still
// come: there is no second greeting.
func (s *Survey) Claims(t login.Transport, m login.Mechanism) bool {
	offer := s.Links[t]
	return slices.Contains(offer.Mechanisms, m) && !(m == login.APOP && offer.upgrades(t))
}

// Silent reports whether a link says nothing of a mechanism, one way or the
// other: there is no list, or the timestamp of [Survey.Claims].
func (s *Survey) Silent(t login.Transport, m login.Mechanism) bool {
	offer := s.Links[t]
	if m == login.APOP {
		return offer.upgrades(t) && slices.Contains(offer.Mechanisms, m)
	}
	return offer.Capabilities == nil
}

func (o Offer) upgrades(t login.Transport) bool {
	return t == login.Plain && (o.Has("STARTTLS") || o.Has("STLS"))
}

// Shown are the mechanisms of a link's lists, those of the list before
// RFC 2554, "AUTH=", as well.
func (o Offer) Shown() []login.Mechanism {
	all := slices.Clone(o.Mechanisms)
	for _, line := range o.Capabilities {
		if len(line) > len("AUTH=") && strings.EqualFold(line[:len("AUTH=")], "AUTH=") {
			for _, name := range strings.Fields(line[len("AUTH="):]) {
				all = append(all, login.Mechanism(strings.ToUpper(name)))
			}
		}
	}
	return all
}

// Here is whether the current link says that it takes a mechanism.
func (p *Play) Here(m login.Mechanism) bool { return p.survey.Claims(p.transport, m) }

// foremost is the first link of the case that takes a mechanism: encrypted, if
// there is one.
func (p *Play) foremost(m login.Mechanism) login.Transport {
	for _, t := range p.links() {
		if p.survey.Claims(t, m) {
			return t
		}
	}
	return ""
}

// SameAnswer reports whether two answers say the same, but for names, numbers
// and challenges.
func (p *Play) SameAnswer(a, b string) bool { return p.normalised(a) == p.normalised(b) }

// AtLeastOne ends the case as one that does not apply where there is no
// mechanism of which which says so; what is missing then.
func AtLeastOne(which func(*Play, login.Mechanism) bool, what string) Step {
	return Check(func(p *Play) (login.Verdict, string) {
		for _, m := range everyMechanism[p.protocol] {
			if which(p, m) {
				return login.Pass, ""
			}
		}
		return login.Skip, "there is " + what
	})
}

// Among is [WithEach] for these mechanisms alone.
func Among(ms []login.Mechanism, which func(*Play, login.Mechanism) bool, steps ...Step) Step {
	return among{ms, withEach{func(p *Play, m login.Mechanism) bool { return slices.Contains(ms, m) && which(p, m) }, steps}}
}

type among struct {
	mechanisms []login.Mechanism
	each       withEach
}

func (a among) run(ctx context.Context, p *Play) error { return a.each.run(ctx, p) }
func (a among) bill(b *Bill) {
	for _, m := range everyMechanism[b.protocol] {
		if slices.Contains(a.mechanisms, m) {
			a.each.steps.bill(b)
		}
	}
}

// WithFirst takes the steps with the first mechanism of which which says so,
// offered or not.
func WithFirst(which func(*Play, login.Mechanism) bool, steps ...Step) Step {
	return withFirst{which, steps}
}

type withFirst struct {
	which func(*Play, login.Mechanism) bool
	steps group
}

func (w withFirst) run(ctx context.Context, p *Play) error {
	for _, m := range everyMechanism[p.protocol] {
		if w.which(p, m) {
			return withEach{func(_ *Play, other login.Mechanism) bool { return other == m }, w.steps}.run(ctx, p)
		}
	}
	return nil
}

func (w withFirst) bill(b *Bill) { w.steps.bill(b) }

// AtItsBest takes the steps on the best link that takes the mechanism that is
// being tried: encrypted, if there is one.
func AtItsBest(steps ...Step) Step { return atItsBest(steps) }

type atItsBest group

func (a atItsBest) run(ctx context.Context, p *Play) error {
	before := p.transport
	defer func() { p.transport = before }()
	if p.transport = p.foremost(p.mechanism); p.transport == "" {
		return nil
	}
	return group(a).run(ctx, p)
}

func (a atItsBest) bill(b *Bill) { group(a).bill(b) }

// CallOff cancels the exchange that [Begin] has begun; USER has begun none.
func CallOff() Step { return callOff{} }

type callOff struct{}

func (callOff) run(ctx context.Context, p *Play) error {
	if p.mechanism == login.UserPass || p.mechanism == login.APOP {
		return nil
	}
	return Say("*").Must(Refused, Gone).run(ctx, p)
}

func (callOff) bill(b *Bill) { Say("*").Must(Refused).bill(b) }

// WithOther looks at the doors of the other protocol as well, and compares.
func WithOther(look func(p *Play, other *Survey) (login.Verdict, string)) Step {
	return withOther{look}
}

type withOther struct {
	look func(*Play, *Survey) (login.Verdict, string)
}

func (w withOther) run(ctx context.Context, p *Play) error {
	other := p.surveyed(ctx, p.otherProtocol())
	return Check(func(p *Play) (login.Verdict, string) { return w.look(p, other) }).run(ctx, p)
}

func (w withOther) bill(b *Bill) { b.Connections += len(login.Transports()) }
