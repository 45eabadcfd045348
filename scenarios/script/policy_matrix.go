package script

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// OfferedIsAccepted tries every mechanism on every link of the case, without a
// secret, and compares: what is offered asks for the secret, and what is not
// offered does not. The reason of a failure names all that differ. APOP is left
// out: no answer to it tells whether it would be taken.
func OfferedIsAccepted() Step { return offeredIsAccepted{} }

type offeredIsAccepted struct{}

func (offeredIsAccepted) run(ctx context.Context, p *Play) error {
	transport, mechanism := p.transport, p.mechanism
	defer func() { p.transport, p.mechanism = transport, mechanism }()
	var differ []string
	tried := false
	for _, t := range p.links() {
		for _, m := range everyMechanism[p.protocol] {
			if m == login.APOP || p.survey.Silent(t, m) {
				continue
			}
			tried = true
			p.transport, p.mechanism = t, m
			answer, err := p.begun(ctx)
			if err != nil {
				return err
			}
			asks := answer.matches(Solicited)
			if asks {
				if err := CallOff().run(ctx, p); err != nil {
					return err
				}
			}
			switch {
			case answer.notNow():
				return skipping(login.WhyInconclusive, "%s on %s was answered by %s", m, t, answer)
			case asks && !p.Here(m):
				differ = append(differ, fmt.Sprintf("%s on %s is not offered, and taken up by %s", m, t, answer))
			case !asks && p.Here(m):
				differ = append(differ, fmt.Sprintf("%s on %s is offered, and answered by %s", m, t, answer))
			}
		}
	}
	switch {
	case differ != nil:
		return p.find(login.Ruling{Verdict: login.Fail, Reason: strings.Join(differ, "; ")})
	case !tried:
		return skipping(login.WhyNotApplicable, "no link has a list of what it takes")
	}
	return p.find(login.Ruling{Verdict: login.Pass})
}

// begun starts the mechanism on a connection of its own.
func (p *Play) begun(ctx context.Context) (answer, error) {
	if err := Open().run(ctx, p); err != nil {
		return answer{}, about(err, string(p.mechanism))
	}
	line := []any{"AUTH ", Mechanism}
	if p.mechanism == login.UserPass {
		line = []any{"USER ", DecoyName}
	}
	if err := p.send(p.Talk(), line, false); err != nil {
		return answered(p.protocol, "", err), nil
	}
	return p.read(p.Talk(), nil), nil
}

func (offeredIsAccepted) bill(b *Bill) {
	for range login.Transports() {
		for range everyMechanism[b.protocol] {
			b.connect()
			b.Auths++
		}
	}
}
