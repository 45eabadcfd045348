package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Steps that put a load on a server, or a strain on its reading.

// HalfClose says that nothing more will come from us, and goes on listening.
func HalfClose() Step { return halfClose{} }

type halfClose struct{}

func (halfClose) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	switch err := t.CloseWrite(); {
	case errors.Is(err, errors.ErrUnsupported):
		return skipping(login.WhyNotApplicable, "a connection of this target cannot be closed by halves")
	default:
		return nil // the server may have gone before us: the next answer tells
	}
}
func (halfClose) bill(*Bill) {}

// Burst sends a line n times in one piece, and reads as many answers, each of
// which is judged as the line's own would be. A server that hangs up ends it.
func Burst(n int, line *Saying) Step { return burst{n, line} }

type burst struct {
	n    int
	line *Saying
}

func (b burst) run(ctx context.Context, p *Play) error {
	lines := make([]any, 0, b.n*(len(b.line.parts)+1))
	for range b.n {
		lines = append(append(lines, b.line.parts...), "\r\n")
	}
	if err := Bytes(lines...).Unread().run(ctx, p); err != nil {
		return err
	}
	answer := *b.line
	answer.nothing = true
	for range b.n {
		if ended, err := answer.heardOut(ctx, p); err != nil || ended {
			return err
		}
	}
	return nil
}

// bill: so many commands are counted even if none of them is refused (Postfix
// smtpd_junk_command_limit).
func (b burst) bill(bill *Bill) {
	for range b.n {
		before := bill.Cost
		if b.line.bill(bill); bill.Cost == before {
			bill.Commands++
		}
	}
}

// Again sends a line up to n times, each after the answer to the one before,
// until the server hangs up. Then there is no connection any more.
func Again(n int, line *Saying) Step { return again{n, line} }

type again struct {
	n    int
	line *Saying
}

func (a again) run(ctx context.Context, p *Play) error {
	for range a.n {
		if ended, err := a.line.heardOut(ctx, p); err != nil || ended {
			return err
		}
	}
	return nil
}

func (a again) bill(bill *Bill) {
	for range a.n {
		a.line.bill(bill)
	}
}

// heardOut is run for a server that may end the connection: by 421, or without a
// word. It is hung up on then.
func (s *Saying) heardOut(ctx context.Context, p *Play) (ended bool, err error) {
	last := *s
	if last.keeps == "" {
		last.keeps = "heard last"
	}
	delete(p.kept, last.keeps)
	if err := last.run(ctx, p); err != nil {
		return false, err
	}
	line := p.kept[last.keeps]
	if ended = line == "" || strings.HasPrefix(line, "421"); ended {
		p.hangUp(p.current)
	}
	return ended, nil
}

// Crowd takes the steps on n more connections and holds them all. A server
// that has a limit lets one of them not get so far; then all of them are let go.
func Crowd(n int, steps ...Step) Step { return crowd{n, steps} }

type crowd struct {
	n     int
	steps group
}

func (c crowd) run(ctx context.Context, p *Play) error {
	for i := range c.n {
		err := named{crowded(i), c.steps}.run(ctx, p)
		var end *stop
		if asStop(err, &end) && end.Verdict == login.Skip && end.Why == login.WhyInconclusive {
			for j := range i + 1 {
				p.hangUp(crowded(j))
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func crowded(i int) string { return fmt.Sprintf("crowd %d", i+1) }

func (c crowd) bill(b *Bill) {
	for i := range c.n {
		named{crowded(i), c.steps}.bill(b)
	}
}

// Slowly sends the octets of a step one by one, and rests before each: a second,
// or less where the session is less patient.
func Slowly(s *Saying) Step { return octetwise{s} }

type octetwise struct{ *Saying }

// rest is between two octets of [Slowly].
const rest = time.Second

func (s octetwise) run(ctx context.Context, p *Play) error {
	text, hidden := render(p, s.parts)
	if hidden {
		return fmt.Errorf("%s: what nobody may see is not sent octet by octet", p.Case.ID)
	}
	if !s.raw {
		text += "\r\n"
	}
	t, err := p.talk()
	if err != nil {
		return err
	}
	for i := range len(text) {
		if err := p.pause(ctx, min(rest, p.patience()/3)); err != nil {
			return err
		}
		if err := p.send(t, []any{text[i : i+1]}, true); err != nil {
			return p.judge(s.name(), answered(p.protocol, "", err), s.expects)
		}
	}
	p.said[p.current] = strings.ToUpper(text)
	answer := *s.Saying
	answer.nothing = true
	return answer.run(ctx, p)
}

func (s octetwise) bill(b *Bill) {
	s.Saying.bill(b)
	octets := len(literal(s.parts))
	if !s.raw {
		octets += 2
	}
	b.Seconds += octets * int(rest/time.Second)
}

// Pour sends octets without any line end, up to n of them or until the server
// takes no more. What it took is "all" under the name "poured", or "some"; how
// it answers is what the next step reads.
func Pour(n int) Step { return pour{n} }

type pour struct{ n int }

func (s pour) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	p.said[p.current] = "<POURED>"
	_, err = t.Pour('A', s.n, fmt.Sprintf("<up to %d octets without a line end>", s.n))
	p.kept["poured"] = "all"
	if err != nil {
		p.kept["poured"] = "some"
	}
	return nil
}

// bill: the line is refused.
func (s pour) bill(b *Bill) { b.Commands++ }
