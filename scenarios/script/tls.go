package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Beginnings of what a [Shaking] sees, as patterns.
const (
	// Up: the handshake is complete.
	Up = "up"
	// HelloBack: the server has answered a hello of ours by one of its own.
	HelloBack = "hello"
	// Alert: it has refused by an alert.
	Alert = "alert"
	// InClear: it has said something in clear.
	InClear = "clear"
)

// Shaking is a step where TLS begins, or once it is there. What it sees is put
// into a line for the patterns:
//
//	up TLS 1.3 TLS_AES_128_GCM_SHA256 alpn smtp
//	hello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 group 29
//	alert 70 protocol_version
//	clear 250 ok
//	untrusted x509: ...     we broke the handshake off over the certificate
//	broken tls: ...         we broke it off over something else
//
// and "gone" and "silent" are what they always are. A sabotage can rewrite that
// line too, and the words "gone" and "silent"; what was said before it is then
// the name of the step, in capitals.
type Shaking struct {
	name    string
	see     func(context.Context, *Play) (line string, err error)
	anew    int  // connections that it opens
	odd     bool // what it sends is no hello of any client's
	listens bool // to a server that may keep silent
	expects expects
	keeps   string
}

// Keep keeps what was seen under a name, and adds it to the list of that name.
func (s *Shaking) Keep(name string) *Shaking { s.keeps = name; return s }

// Pass, Warn, Fail, Must and NA are those of [Saying].
func (s *Shaking) Pass(patterns ...string) *Shaking { return s.expect(login.Pass, patterns) }
func (s *Shaking) Warn(patterns ...string) *Shaking { return s.expect(login.Warn, patterns) }
func (s *Shaking) Fail(patterns ...string) *Shaking { return s.expect(login.Fail, patterns) }
func (s *Shaking) Must(patterns ...string) *Shaking { return s.expect(login.Unjudged, patterns) }
func (s *Shaking) NA(patterns ...string) *Shaking   { return s.expect(login.Skip, patterns) }

// Because says of the expectation before it what it would mean.
func (s *Shaking) Because(why string) *Shaking {
	s.expects[len(s.expects)-1].because = why
	return s
}

func (s *Shaking) expect(v login.Verdict, patterns []string) *Shaking {
	s.expects = append(s.expects, expected{patterns: patterns, verdict: v})
	return s
}

func (s *Shaking) run(ctx context.Context, p *Play) error {
	name := s.name
	if p.transport.Encrypted() {
		name += " over " + string(p.transport)
	}
	line, err := s.see(ctx, p)
	var end *stop
	if asStop(err, &end) {
		return err
	}
	p.said[p.current] = strings.ToUpper(name)
	a := answered(p.protocol, line, err)
	seen := a.line
	switch {
	case a.gone:
		seen = Gone
	case a.silent:
		seen = Silent
	}
	if rewrite := p.sabotaged(p.current); rewrite != nil {
		if other := rewrite(seen); other != seen {
			a, seen = answer{protocol: p.protocol, line: other}, other
		}
	}
	if s.keeps != "" {
		p.kept[s.keeps] = seen
		p.lists[s.keeps] = append(p.lists[s.keeps], seen)
	}
	return p.judge(name, a, s.expects)
}

func (s *Shaking) bill(b *Bill) {
	for range s.anew {
		b.connect()
	}
	if s.odd {
		b.Commands++ // that is refused, as far as a server counts it
	}
	if s.listens && slices.Contains(allPatterns(s.expects), Silent) {
		b.Seconds += int(usualPatience / time.Second)
	}
}

// approach opens a connection and goes to where TLS begins: the next octet of
// ours is the first of the handshake.
func (p *Play) approach(ctx context.Context, protocol login.Protocol, t login.Transport) (*scenarios.Talk, error) {
	talk, err := p.Session.Connect(ctx, protocol, t)
	if err != nil || t == login.TLS {
		return talk, err
	}
	if err := askForTLS(talk); err != nil {
		_ = talk.Close()
		return nil, err
	}
	return talk, nil
}

func askForTLS(talk *scenarios.Talk) error {
	if err := talk.BeGreeted(); err != nil {
		return err
	}
	command := scenarios.StartCommand(talk.Protocol)
	// A POP3 server may have STLS and no CAPA.
	if err := talk.Hello(); err != nil {
		return err
	}
	if !talk.Offers(command) && (talk.Protocol == login.SMTP || talk.Capabilities != nil) {
		return errors.New(command + " is not offered")
	}
	got, err := talk.Say(command)
	if err == nil && !got.Positive {
		err = fmt.Errorf("%s was answered by %q", command, got.Line)
	}
	return err
}

// Approach opens a connection on the case's link and goes to where TLS begins,
// which is behind the answer to STARTTLS or STLS, or at once.
func Approach() Step { return approaching{} }

type approaching struct{}

func (approaching) run(ctx context.Context, p *Play) error {
	p.hangUp(p.current)
	talk, err := p.approach(ctx, p.protocol, p.transport)
	if err != nil {
		return skipping(login.WhyInconclusive, "TLS does not begin on %s: %s", p.transport, err)
	}
	p.keep(talk)
	return nil
}

func (approaching) bill(b *Bill) { b.connect() }

// OnEachTLS takes the steps on each of the two links on which TLS begins
// somehow: by STARTTLS or STLS, and from the first octet. Whether the
// certificate is any good, and whether a handshake succeeds, is not asked.
func OnEachTLS(steps ...Step) Step { return onEachTLS(steps) }

type onEachTLS group

func (o onEachTLS) run(ctx context.Context, p *Play) error {
	before := p.transport
	defer func() { p.transport = before }()
	doors := p.tlsDoors(ctx)
	if len(doors) == 0 {
		return skipping(login.WhyNotApplicable, "no TLS is offered")
	}
	for _, t := range doors {
		p.transport = t
		if err := group(o).run(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (o onEachTLS) bill(b *Bill) {
	for range 2 {
		group(o).bill(b)
	}
}

// tlsDoors are the links on which TLS begins.
func (p *Play) tlsDoors(ctx context.Context) []login.Transport {
	const known = "doors of TLS"
	if p.lists[known] == nil {
		p.lists[known] = []string{}
		for _, t := range transportsOf[Encrypted] {
			open := p.survey.Links[t].Open
			if !open {
				talk, err := p.approach(ctx, p.protocol, t)
				if open = err == nil; open {
					_ = talk.Close()
				}
			}
			if open {
				p.lists[known] = append(p.lists[known], string(t))
			}
		}
	}
	var doors []login.Transport
	for _, t := range p.lists[known] {
		doors = append(doors, login.Transport(t))
	}
	return doors
}

// OnImplicit takes the steps on the port for TLS from the first octet, whatever
// it is that answers there.
func OnImplicit(steps ...Step) Step { return onImplicit(steps) }

type onImplicit group

func (o onImplicit) run(ctx context.Context, p *Play) error {
	talk, err := p.approach(ctx, p.protocol, login.TLS)
	if err != nil {
		return skipping(login.WhyNotApplicable, "there is no port for TLS from the first octet: %s", err)
	}
	_ = talk.Close()
	before := p.transport
	defer func() { p.transport = before }()
	p.transport = login.TLS
	return group(o).run(ctx, p)
}

func (o onImplicit) bill(b *Bill) {
	b.Connections++
	group(o).bill(b)
}

// Doors adds to the list of that name each link on which a handshake comes
// about, whatever the certificate is.
func Doors(name string) Step { return doors(name) }

type doors string

func (d doors) run(ctx context.Context, p *Play) error {
	for _, t := range transportsOf[Encrypted] {
		talk, err := p.approach(ctx, p.protocol, t)
		if err != nil {
			continue
		}
		config := p.Trusting()
		Unverified(config)
		if talk.Upgrade(ctx, config) == nil {
			p.lists[string(d)] = append(p.lists[string(d)], string(t))
		}
		_ = talk.Close()
	}
	return nil
}

func (doors) bill(b *Bill) { b.Connections += 2 }

// Inside does what a client does first inside TLS: it reads the greeting, where
// none was read before, and asks for the capabilities.
func Inside() Step { return inside{} }

type inside struct{}

func (inside) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	if err := enter(t, p.transport); err != nil {
		return skipping(login.WhyInconclusive, "no service inside TLS on %s: %s", p.transport, err)
	}
	return nil
}
func (inside) bill(*Bill) {}

func enter(t *scenarios.Talk, transport login.Transport) error {
	if transport == login.TLS {
		if err := t.BeGreeted(); err != nil {
			return err
		}
	}
	return t.Hello()
}
